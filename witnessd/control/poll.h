/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs libqb's IPC server on tevent: poll handlers as tevent_fd, jobs as tevent_immediate. */
#ifndef WITNESSD_CONTROL_POLL_H
#define WITNESSD_CONTROL_POLL_H

#include <qb/qbipcs.h>
#include <talloc.h>
#include <tevent.h>

/* All watches of the process; freeing it ends them. */
struct control_poll;

/** @return 0, EBUSY when there is one already (libqb's handlers have no context pointer), or ENOMEM */
int control_poll_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct control_poll **out);

/** Make the service use it; free it after the service. */
void control_poll_attach(qb_ipcs_service_t *service);

/* The peer of a connection that libqb has accepted. */
enum control_rank {
	CONTROL_OWNER,    /* root, or the daemon's user */
	CONTROL_MEMBER,   /* of the control group */
	CONTROL_STRANGER, /* will be refused */
	CONTROL_NUM_RANKS,
};

/**
 * libqb lets anyone on the host connect and stay silent. So connections are limited to max in all: strangers may
 * have a quarter of these, strangers and members together three quarters, so that nobody can keep root out.
 * Without this call there is no limit.
 */
void control_poll_limit(struct control_poll *poll, unsigned int max,
			enum control_rank (*rank)(void *private_data, uid_t uid, gid_t gid),
			void *private_data);

/** Connections closed because of that, and times that no descriptor was left. */
uint64_t control_poll_refused(const struct control_poll *poll);
uint64_t control_poll_out_of_files(const struct control_poll *poll);

#endif
