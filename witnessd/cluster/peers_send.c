/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is sent, in this order: a beat; messages other than records; our changed records; what is handed back.
 * A waiting record is only marked, so a slow transport costs no memory, and a record that changes often is
 * sent once. A full sync marks all records and puts the end of the sync after them.
 */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"

/* --- marks --- */

void peers_unmark(struct peers *peers, struct peers_entry *entry)
{
	if (entry->unsent) {
		entry->unsent = false;
		peers->num_unsent--;
	}
	qb_list_del(&entry->link);
	qb_list_add_tail(&entry->link, &peers->sent);
}

void peers_mark(struct peers *peers, struct peers_entry *entry)
{
	if (!entry->unsent) {
		entry->unsent = true;
		peers->num_unsent++;
		qb_list_del(&entry->link);
		qb_list_add_tail(&entry->link, &peers->unsent);
	}
	peers_flush_soon(peers);
}

void peers_sync_soon(struct peers *peers)
{
	peers->sync_wanted = true;
	peers_flush_soon(peers);
}

int peers_send(struct peers *peers, const struct peers_msg *msg)
{
	struct peers_waiting *waiting;

	if (peers->num_waiting >= PEERS_MAX_WAITING) {
		return ENOBUFS;
	}
	waiting = talloc_zero(peers, struct peers_waiting);
	if (waiting == NULL) {
		return ENOMEM;
	}
	waiting->msg = *msg;
	if (msg->len > 0) {
		waiting->bytes = talloc_memdup(waiting, msg->bytes, msg->len);
		if (waiting->bytes == NULL) {
			talloc_free(waiting);
			return ENOMEM;
		}
		waiting->msg.bytes = waiting->bytes;
	}
	qb_list_add_tail(&waiting->link, &peers->waiting);
	peers->num_waiting++;
	peers_flush_soon(peers);
	return 0;
}

static void drop_waiting(struct peers *peers, struct peers_waiting *waiting)
{
	qb_list_del(&waiting->link);
	peers->num_waiting--;
	talloc_free(waiting);
}

void peers_send_reset(struct peers *peers)
{
	struct peers_waiting *waiting, *next;

	qb_list_for_each_entry_safe (waiting, next, &peers->waiting, link) {
		drop_waiting(peers, waiting);
	}
	TALLOC_FREE(peers->beat);
	qb_list_del(&peers->sync_end);
	qb_list_init(&peers->sync_end);
	peers->sync_running = false;
	peers->sync_wanted = true; /* with the first flush after we have joined again */
	wheel_cancel(&peers->retry_timer);
	peers->retry_ms = PEERS_RETRY_MIN_MS;
}

/* --- one message --- */

/* The start of a message in the buffer. */
static struct pack_out start(const struct peers *peers, uint8_t *buf, struct peers_msg *msg)
{
	struct pack_out out = {.p = buf, .size = PEERS_MESSAGE_MAX};

	msg->incarnation = peers->incarnation;
	msg->sequence = peers->sequence + 1;
	peers_wire_push(&out, msg);
	return out;
}

static int transmit(struct peers *peers, const struct pack_out *out)
{
	int err = out->err != 0 ? out->err
				: peers->transport.broadcast(peers->transport.private_data, out->p,
							     out->len);

	if (err == 0) {
		peers->sequence++;
		peers->num_sent++;
	}
	return err;
}

static int send_waiting(struct peers *peers, uint8_t *buf)
{
	struct peers_waiting *waiting =
		qb_list_first_entry(&peers->waiting, struct peers_waiting, link);
	struct pack_out out = start(peers, buf, &waiting->msg);
	int err = transmit(peers, &out);

	if (err == 0) {
		drop_waiting(peers, waiting);
	}
	return err;
}

static int send_beat(struct peers *peers, uint8_t *buf)
{
	struct pack_out out = start(peers, buf, &peers->beat->msg);
	int err = transmit(peers, &out);

	if (err == 0) {
		TALLOC_FREE(peers->beat);
	}
	return err;
}

/* --- sync --- */

void peers_forget_deleted(struct peers *peers)
{
	struct peers_entry *entry, *next;

	HASH_ITER (hh, peers->own.entries, entry, next) {
		if (entry->deleted) {
			peers_unmark(peers, entry);
			peers_entry_free(&peers->own, entry);
		}
	}
}

/* All records are to be sent; receivers of BEGIN and END need no deletions. */
static void mark_all(struct peers *peers)
{
	peers_forget_deleted(peers);
	for (struct peers_entry *entry = peers->own.entries; entry != NULL;
	     entry = entry->hh.next) {
		peers_mark(peers, entry);
	}
	qb_list_del(&peers->sync_end);
	qb_list_add_tail(&peers->sync_end, &peers->unsent);
}

static int send_begin(struct peers *peers, uint8_t *buf)
{
	struct peers_msg msg = {.type = PEERS_MSG_BEGIN, .sync = peers->sync + 1};
	struct pack_out out = start(peers, buf, &msg);
	int err = transmit(peers, &out);

	if (err == 0) {
		peers->sync++;
		peers->num_resyncs++;
		peers->sync_wanted = false;
		peers->sync_running = true;
		mark_all(peers);
	}
	return err;
}

static int send_end(struct peers *peers, uint8_t *buf)
{
	struct peers_msg msg = {.type = PEERS_MSG_END, .sync = peers->sync};
	struct pack_out out = start(peers, buf, &msg);
	int err = transmit(peers, &out);

	if (err == 0) {
		qb_list_del(&peers->sync_end);
		qb_list_init(&peers->sync_end);
		peers->sync_running = false;
	}
	return err;
}

/* --- records --- */

static void sent_one(struct peers *peers, struct peers_entry *entry)
{
	peers_unmark(peers, entry);
	if (entry->deleted) {
		peers_entry_free(&peers->own, entry);
	}
}

/* As many marked records as go into a message, up to the end of a sync. */
static int send_records(struct peers *peers, uint8_t *buf)
{
	struct peers_msg msg = {.type = PEERS_MSG_RECORDS};
	struct pack_out out = start(peers, buf, &msg);
	struct qb_list_head *pos;
	size_t num = 0;
	int err;

	qb_list_for_each (pos, &peers->unsent) {
		struct peers_entry *entry = qb_list_entry(pos, struct peers_entry, link);
		struct peers_wire_entry wire;

		if (pos == &peers->sync_end) {
			break;
		}
		wire = peers_entry_wire(entry);
		if (peers_wire_push_entry(&out, &wire) != 0) {
			break;
		}
		num++;
	}
	err = transmit(peers, &out);
	for (; err == 0 && num > 0; num--) {
		sent_one(peers, qb_list_first_entry(&peers->unsent, struct peers_entry, link));
	}
	return err;
}

/* --- handing back --- */

static struct peers_owner *next_return(const struct peers *peers)
{
	for (struct peers_owner *owner = peers->owners; owner != NULL; owner = owner->hh.next) {
		if (owner->return_due) {
			return owner;
		}
	}
	return NULL;
}

static int send_return(struct peers *peers, struct peers_owner *owner, uint8_t *buf)
{
	bool done = qb_list_empty(&owner->returning);
	struct peers_msg msg = {.type = done ? PEERS_MSG_RETURNED : PEERS_MSG_RETURN};
	struct peers_entry *entry;
	struct pack_out out;
	size_t num = 0;
	int err;

	memcpy(msg.node, owner->node, strlen(owner->node) + 1);
	out = start(peers, buf, &msg);
	qb_list_for_each_entry (entry, &owner->returning, link) {
		struct peers_wire_entry wire = peers_entry_wire(entry);

		if (peers_wire_push_entry(&out, &wire) != 0) {
			break;
		}
		num++;
	}
	err = transmit(peers, &out);
	if (err == 0 && done) {
		owner->return_due = false;
	}
	for (; err == 0 && num > 0; num--) {
		entry = qb_list_first_entry(&owner->returning, struct peers_entry, link);
		peers_entry_drop(peers, owner, entry);
	}
	return err;
}

/* --- the flush --- */

/* Send the next message. @return ENOENT: there is none; or as the transport */
static int send_next(struct peers *peers, uint8_t *buf)
{
	struct peers_owner *owner;

	if (peers->beat != NULL) {
		return send_beat(peers, buf);
	}
	if (!qb_list_empty(&peers->waiting)) {
		return send_waiting(peers, buf);
	}
	/* A running sync is finished first: otherwise a busy group would never see one complete. */
	if (peers->sync_wanted && !peers->sync_running) {
		return send_begin(peers, buf);
	}
	if (peers->sync_running && peers->unsent.next == &peers->sync_end) {
		return send_end(peers, buf);
	}
	if (!qb_list_empty(&peers->unsent)) {
		return send_records(peers, buf);
	}
	owner = next_return(peers);
	return owner != NULL ? send_return(peers, owner, buf) : ENOENT;
}

static void on_retry(void *private_data)
{
	peers_flush_soon(talloc_get_type_abort(private_data, struct peers));
}

/* EAGAIN is normal with CPG; anything else is logged. */
static void retry_later(struct peers *peers, int err)
{
	if (err != EAGAIN && !peers->complained) {
		peers->complained = true;
		log_warn("peers: cannot send: %s; trying on", strerror(err));
	}
	peers->num_retries++;
	wheel_arm(peers->wheel, &peers->retry_timer, peers->retry_ms, on_retry, peers);
	peers->retry_ms =
		peers->retry_ms * 2 < PEERS_RETRY_MAX_MS ? peers->retry_ms * 2 : PEERS_RETRY_MAX_MS;
}

static void flush(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct peers *peers = talloc_get_type_abort(private_data, struct peers);
	uint8_t *buf;
	int err = 0;

	peers->flush_scheduled = false;
	if (!peers->joined) {
		return;
	}
	buf = talloc_array(peers, uint8_t, PEERS_MESSAGE_MAX);
	if (buf == NULL) {
		retry_later(peers, ENOMEM);
		return;
	}
	for (unsigned int i = 0; err == 0 && i < PEERS_BURST; i++) {
		err = send_next(peers, buf);
		if (err == 0) {
			peers->retry_ms = PEERS_RETRY_MIN_MS;
			peers->complained = false;
		}
	}
	talloc_free(buf);
	if (err == 0) {
		peers_flush_soon(peers);
	} else if (err != ENOENT) {
		retry_later(peers, err);
	}
}

void peers_flush_soon(struct peers *peers)
{
	if (peers->joined && peers->has_transport && !peers->flush_scheduled &&
	    !wheel_armed(&peers->retry_timer)) {
		peers->flush_scheduled = true;
		tevent_schedule_immediate(peers->flush, peers->ev, flush, peers);
	}
}
