/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/membership.h"

#include <corosync/quorum.h>
#include <errno.h>
#include <string.h>

#include "witnessd/util/backoff.h"
#include "backends/pacemaker/corosync.h"
#include "backends/pacemaker/probe.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define QUORUM_SERVICE "quorum" /* the services of one daemon: each answers if one does */

struct membership {
	struct tevent_context *ev;
	membership_changed_fn changed;
	void *private_data;
	bool connected;
	quorum_handle_t handle;
	struct tevent_fd *fde;
	struct mono_alarm *retry;
	struct backoff backoff;
	bool complained;
	bool known, quorate;
	bool news; /* a view came during the present dispatch */
	uint32_t *members;
	uint32_t local_id;
	uint64_t connects;
};

/* libquorum has one callback for the current view and for each change of it. */
static void view_received(quorum_handle_t handle, uint32_t quorate, uint64_t ring_seq,
			  uint32_t num_members, uint32_t *members)
{
	const void *context = NULL;
	struct membership *membership;
	uint32_t *copy;

	if (quorum_context_get(handle, &context) != CS_OK || context == NULL) {
		return;
	}
	membership = talloc_get_type_abort(context, struct membership);
	copy = talloc_memdup(membership, members, num_members * sizeof(*members));
	if (copy == NULL && num_members > 0) {
		log_err("out of memory: a change of the membership is not seen");
		return;
	}
	talloc_free(membership->members);
	membership->members = copy;
	membership->known = true;
	membership->quorate = quorate != 0;
	membership->news = true;
}

static void membership_disconnect(struct membership *membership)
{
	/* The descriptor of a dead connection stays readable: it has to go first and at once. */
	TALLOC_FREE(membership->fde);
	TALLOC_FREE(membership->members);
	membership->known = false;
	if (membership->connected) {
		membership->connected = false;
		quorum_finalize(membership->handle);
	}
}

static void membership_retry_later(struct membership *membership)
{
	mono_alarm_set(membership->retry, backoff_next(&membership->backoff));
}

static void membership_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
				void *private_data)
{
	struct membership *membership = talloc_get_type_abort(private_data, struct membership);
	cs_error_t rc = quorum_dispatch(membership->handle, CS_DISPATCH_ALL);

	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN) {
		log_warn("lost the connection to Corosync: %s; trying again", corosync_error(rc));
		membership->complained = true;
		membership_disconnect(membership);
		membership_retry_later(membership);
		membership->news = true;
	}
	if (membership->news) {
		membership->news = false;
		membership->changed(membership->private_data);
	}
}

static cs_error_t membership_open(struct membership *membership)
{
	quorum_callbacks_t callbacks = {.quorum_notify_fn = view_received};
	uint32_t type;
	int fd;
	cs_error_t rc = quorum_initialize(&membership->handle, &callbacks, &type);

	if (rc != CS_OK) {
		return rc;
	}
	membership->connected = true;
	rc = quorum_context_set(membership->handle, membership);
	if (rc == CS_OK) {
		rc = quorum_fd_get(membership->handle, &fd);
	}
	if (rc != CS_OK) {
		return rc;
	}
	membership->fde = tevent_add_fd(membership->ev, membership, fd, TEVENT_FD_READ,
					membership_readable, membership);
	if (membership->fde == NULL) {
		return CS_ERR_NO_MEMORY;
	}
	membership->local_id = corosync_local_id();
	return quorum_trackstart(membership->handle, CS_TRACK_CURRENT | CS_TRACK_CHANGES);
}

/* Corosync answers, so that its libraries, which would wait for it without limit, may be called. */
static void membership_probed(struct tevent_req *subreq)
{
	struct membership *membership = tevent_req_callback_data(subreq, struct membership);
	int err = probe_recv(subreq);
	cs_error_t rc = err == 0           ? membership_open(membership)
			: err == ETIMEDOUT ? CS_ERR_TIMEOUT
					   : CS_ERR_LIBRARY;

	TALLOC_FREE(subreq);
	if (rc != CS_OK) {
		membership_disconnect(membership);
		if (!membership->complained) {
			log_warn("cannot connect to Corosync: %s (%d); trying again",
				 corosync_error(rc), (int)rc);
			membership->complained = true;
		}
		membership_retry_later(membership);
		return;
	}
	backoff_reset(&membership->backoff);
	membership->complained = false;
	membership->connects++;
	log_notice("connected to Corosync");
}

static void membership_connect(void *private_data)
{
	struct membership *membership = talloc_get_type_abort(private_data, struct membership);
	struct tevent_req *subreq =
		probe_send(membership, membership->ev, QUORUM_SERVICE, PROBE_TIMEOUT_MS);

	if (subreq == NULL) {
		log_err("out of memory: Corosync is tried again later");
		membership_retry_later(membership);
		return;
	}
	tevent_req_set_callback(subreq, membership_probed, membership);
}

static int membership_destructor(struct membership *membership)
{
	membership_disconnect(membership);
	return 0;
}

int membership_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, uint32_t retry_max_s,
		      membership_changed_fn changed, void *private_data, struct membership **out)
{
	struct membership *membership = talloc_zero(mem_ctx, struct membership);
	int err;

	if (membership == NULL) {
		return ENOMEM;
	}
	membership->ev = ev;
	membership->changed = changed;
	membership->private_data = private_data;
	membership->backoff.max_ms = retry_max_s * 1000;
	err = mono_alarm_create(membership, ev, membership_connect, membership, &membership->retry);
	if (err != 0) {
		talloc_free(membership);
		return err;
	}
	mono_alarm_set(membership->retry, 0);
	talloc_set_destructor(membership, membership_destructor);
	*out = membership;
	return 0;
}

bool membership_known(const struct membership *membership)
{
	return membership->known;
}

bool membership_quorate(const struct membership *membership)
{
	return membership->quorate;
}

bool membership_has(const struct membership *membership, uint32_t node_id)
{
	for (size_t i = 0; i < talloc_array_length(membership->members); i++) {
		if (membership->members[i] == node_id) {
			return true;
		}
	}
	return false;
}

uint32_t membership_local_id(const struct membership *membership)
{
	return membership->local_id;
}

uint64_t membership_connects(const struct membership *membership)
{
	return membership->connects;
}
