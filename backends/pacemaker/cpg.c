/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/cpg.h"

#include <corosync/cpg.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "witnessd/util/backoff.h"
#include "backends/pacemaker/corosync.h"
#include "backends/pacemaker/probe.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define GROUP       "witnessd"
#define CPG_SERVICE "cpg"

/* A process of the group. */
struct member {
	uint32_t id, pid;
	char *name; /* NULL: not known yet */
	bool told;  /* the core knows it */
};

struct cpg_link {
	struct tevent_context *ev;
	const struct backend_sink *sink;
	cpg_name_fn name_of;
	void *private_data;

	bool open; /* handle is valid */
	cpg_handle_t handle;
	struct tevent_fd *fde;
	struct mono_alarm *retry, *broken;
	struct backoff backoff;
	bool complained;
	uint32_t local_id;
	bool joined; /* the core was told */
	struct member members[CPG_MEMBERS_MAX];
	size_t num_members;
	uint64_t connects, busy;
};

/* --- members --- */

static const char *reason_text(uint32_t reason)
{
	switch (reason) {
	case CPG_REASON_LEAVE:
		return "it has ended";
	case CPG_REASON_NODEDOWN:
		return "its node is gone";
	case CPG_REASON_PROCDOWN:
		return "its process is gone";
	default:
		return "unknown reason";
	}
}

static struct member *find_member(struct cpg_link *link, uint32_t id, uint32_t pid)
{
	for (size_t i = 0; i < link->num_members; i++) {
		if (link->members[i].id == id && link->members[i].pid == pid) {
			return &link->members[i];
		}
	}
	return NULL;
}

static bool find_name(struct cpg_link *link, struct member *member)
{
	const char *name;

	if (member->name != NULL) {
		return true;
	}
	name = link->name_of(link->private_data, member->id);
	member->name =
		name != NULL ? talloc_strdup(link, name) : corosync_node_name(link, member->id);
	return member->name != NULL;
}

/* Report members whose names are known to the core; ourselves last. */
static void tell_members(struct cpg_link *link)
{
	struct member *local = NULL;

	for (size_t i = 0; i < link->num_members; i++) {
		struct member *member = &link->members[i];

		if (member->told || !find_name(link, member)) {
			continue;
		}
		if (member->id == link->local_id) {
			local = member;
		} else {
			member->told = true;
			link->sink->peer_up(link->sink->private_data, member->name);
		}
	}
	if (local != NULL) {
		local->told = true;
		link->joined = true;
		link->sink->peers_joined(link->sink->private_data, local->name);
	}
}

static void drop_member(struct cpg_link *link, struct member *member, uint32_t reason)
{
	struct member gone = *member;

	*member = link->members[--link->num_members];
	if (gone.told && gone.id != link->local_id) {
		log_info("pacemaker: the witness of node %s left: %s", log_printable(gone.name),
			 reason_text(reason));
		link->sink->peer_down(link->sink->private_data, gone.name);
	}
	talloc_free(gone.name);
}

static void add_member(struct cpg_link *link, const struct cpg_address *address)
{
	if (link->num_members < CPG_MEMBERS_MAX &&
	    find_member(link, address->nodeid, address->pid) == NULL) {
		link->members[link->num_members++] =
			(struct member){.id = address->nodeid, .pid = address->pid};
	}
}

static struct cpg_link *link_of(cpg_handle_t handle)
{
	void *context = NULL;

	if (cpg_context_get(handle, &context) != CS_OK || context == NULL) {
		return NULL;
	}
	return talloc_get_type_abort(context, struct cpg_link);
}

static void members_changed(cpg_handle_t handle, const struct cpg_name *group,
			    const struct cpg_address *members, size_t num_members,
			    const struct cpg_address *left, size_t num_left,
			    const struct cpg_address *joined, size_t num_joined)
{
	struct cpg_link *link = link_of(handle);

	if (link == NULL) {
		return;
	}
	for (size_t i = 0; i < num_left; i++) {
		struct member *member = find_member(link, left[i].nodeid, left[i].pid);

		if (member != NULL) {
			drop_member(link, member, left[i].reason);
		}
	}
	for (size_t i = 0; i < num_members; i++) {
		add_member(link, &members[i]);
	}
	tell_members(link);
}

static void message_received(cpg_handle_t handle, const struct cpg_name *group, uint32_t id,
			     uint32_t pid, void *bytes, size_t len)
{
	struct cpg_link *link = link_of(handle);
	struct member *member = link != NULL ? find_member(link, id, pid) : NULL;

	if (member != NULL && member->told) {
		link->sink->message(link->sink->private_data, member->name, bytes, len);
	}
}

void cpg_link_names_changed(struct cpg_link *link)
{
	tell_members(link);
}

/* --- the connection --- */

static void link_disconnect(struct cpg_link *link)
{
	/* The descriptor of a dead connection stays readable: it has to go first and at once. */
	TALLOC_FREE(link->fde);
	if (link->open) {
		link->open = false;
		cpg_finalize(link->handle);
	}
	for (size_t i = 0; i < link->num_members; i++) {
		TALLOC_FREE(link->members[i].name);
	}
	link->num_members = 0;
}

static void retry_in(struct cpg_link *link, uint32_t ms)
{
	mono_alarm_clear(link->broken);
	mono_alarm_set(link->retry, ms);
}

static void link_lost(struct cpg_link *link, cs_error_t rc)
{
	log_warn("lost the group of witnesses: %s; trying again", corosync_error(rc));
	link->complained = true;
	link_disconnect(link);
	retry_in(link, backoff_next(&link->backoff));
	if (link->joined) {
		link->joined = false;
		link->sink->peers_left(link->sink->private_data);
	}
}

static void link_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			  void *private_data)
{
	struct cpg_link *link = talloc_get_type_abort(private_data, struct cpg_link);
	/* A flood must not block the loop: one callback at a time. */
	cs_error_t rc = cpg_dispatch(link->handle, CS_DISPATCH_ONE_NONBLOCKING);

	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN) {
		link_lost(link, rc);
	}
}

static cs_error_t link_open(struct cpg_link *link)
{
	cpg_model_v1_data_t model = {
		.model = CPG_MODEL_V1,
		.cpg_deliver_fn = message_received,
		.cpg_confchg_fn = members_changed,
	};
	struct cpg_name group = {.length = strlen(GROUP), .value = GROUP};
	int fd;
	cs_error_t rc =
		cpg_model_initialize(&link->handle, CPG_MODEL_V1, (cpg_model_data_t *)&model, link);

	if (rc != CS_OK) {
		return rc;
	}
	link->open = true;
	rc = cpg_local_get(link->handle, &link->local_id);
	if (rc == CS_OK) {
		rc = cpg_fd_get(link->handle, &fd);
	}
	if (rc != CS_OK) {
		return rc;
	}
	link->fde = tevent_add_fd(link->ev, link, fd, TEVENT_FD_READ, link_readable, link);
	if (link->fde == NULL) {
		return CS_ERR_NO_MEMORY;
	}
	return cpg_join(link->handle, &group);
}

/* Corosync answers, so that its library, which would wait for it without limit, may be called. */
static void link_probed(struct tevent_req *subreq)
{
	struct cpg_link *link = tevent_req_callback_data(subreq, struct cpg_link);
	int err = probe_recv(subreq);
	cs_error_t rc = err == 0           ? link_open(link)
			: err == ETIMEDOUT ? CS_ERR_TIMEOUT
					   : CS_ERR_LIBRARY;

	TALLOC_FREE(subreq);
	if (rc != CS_OK) {
		link_disconnect(link);
		if (!link->complained) {
			log_warn("cannot join the group of witnesses: %s (%d); trying again",
				 corosync_error(rc), (int)rc);
			link->complained = true;
		}
		retry_in(link, backoff_next(&link->backoff));
		return;
	}
	backoff_reset(&link->backoff);
	link->complained = false;
	link->connects++;
}

static void link_connect(void *private_data)
{
	struct cpg_link *link = talloc_get_type_abort(private_data, struct cpg_link);
	struct tevent_req *subreq = probe_send(link, link->ev, CPG_SERVICE, PROBE_TIMEOUT_MS);

	if (subreq == NULL) {
		log_err("out of memory: the group of witnesses is tried again later");
		retry_in(link, backoff_next(&link->backoff));
		return;
	}
	tevent_req_set_callback(subreq, link_probed, link);
}

/* Found while sending: the core must not hear of it from inside its own call. */
static void link_broken(void *private_data)
{
	link_lost(talloc_get_type_abort(private_data, struct cpg_link), CS_ERR_LIBRARY);
}

int cpg_link_broadcast(struct cpg_link *link, const uint8_t *bytes, size_t len)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
	cs_error_t rc;

	if (!link->open || link->fde == NULL) {
		return ENOTCONN;
	}
	rc = cpg_mcast_joined(link->handle, CPG_TYPE_AGREED, &iov, 1);
	switch (rc) {
	case CS_OK:
		return 0;
	case CS_ERR_TRY_AGAIN: /* queue full, or the membership is changing */
		link->busy++;
		return EAGAIN;
	case CS_ERR_TOO_BIG:
	case CS_ERR_INVALID_PARAM:
		return EMSGSIZE;
	default:
		TALLOC_FREE(link->fde);
		mono_alarm_clear(link->retry);
		mono_alarm_set(link->broken, 0);
		return ENOTCONN;
	}
}

json_t *cpg_link_status(const struct cpg_link *link)
{
	return json_pack("{s:b, s:I, s:I, s:I}", "connected", link->open, "connects",
			 (json_int_t)link->connects, "members", (json_int_t)link->num_members,
			 "busy", (json_int_t)link->busy);
}

static int link_destructor(struct cpg_link *link)
{
	struct cpg_name group = {.length = strlen(GROUP), .value = GROUP};

	if (link->open && link->fde != NULL) {
		(void)cpg_leave(link->handle,
				&group); /* so that the others hear LEAVE, not PROCDOWN */
	}
	link_disconnect(link);
	return 0;
}

int cpg_link_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, uint32_t retry_max_s,
		    const struct backend_sink *sink, cpg_name_fn name_of, void *private_data,
		    struct cpg_link **out)
{
	struct cpg_link *link = talloc_zero(mem_ctx, struct cpg_link);
	int err;

	if (link == NULL) {
		return ENOMEM;
	}
	link->ev = ev;
	link->sink = sink;
	link->name_of = name_of;
	link->private_data = private_data;
	link->backoff.max_ms = retry_max_s * 1000;
	err = mono_alarm_create(link, ev, link_connect, link, &link->retry);
	if (err == 0) {
		err = mono_alarm_create(link, ev, link_broken, link, &link->broken);
	}
	if (err != 0) {
		talloc_free(link);
		return err;
	}
	mono_alarm_set(link->retry, 0);
	talloc_set_destructor(link, link_destructor);
	*out = link;
	return 0;
}
