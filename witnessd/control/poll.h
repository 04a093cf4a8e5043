/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libqb's IPC server on tevent: its poll handlers as tevent_fd, its jobs as tevent_immediate. */
#ifndef WITNESSD_CONTROL_POLL_H
#define WITNESSD_CONTROL_POLL_H

#include <qb/qbipcs.h>
#include <talloc.h>
#include <tevent.h>

/* The watches of the process; freeing it ends them all. */
struct control_poll;

/** @return 0, EBUSY when there is one already (libqb's handlers carry no context), or ENOMEM */
int control_poll_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct control_poll **out);

/** Have the service use it; it must be freed after the service. */
void control_poll_attach(qb_ipcs_service_t *service);

/* Who is at the other end of a connection that libqb has accepted. */
enum control_rank {
	CONTROL_OWNER,    /* root, or who runs the daemon */
	CONTROL_MEMBER,   /* of the control group */
	CONTROL_STRANGER, /* will be told to go */
	CONTROL_NUM_RANKS,
};

/**
 * Anyone on the host can connect and say nothing, and libqb lets them. So connections are bounded, by max in
 * all: strangers may have a quarter of these, strangers and members together three quarters, so that nobody
 * keeps root out. Before this, there is no bound.
 */
void control_poll_limit(struct control_poll *poll, unsigned int max,
			enum control_rank (*rank)(void *private_data, uid_t uid, gid_t gid),
			void *private_data);

/** Connections that were closed because of that, and times that no descriptor was left. */
uint64_t control_poll_refused(const struct control_poll *poll);
uint64_t control_poll_out_of_files(const struct control_poll *poll);

#endif
