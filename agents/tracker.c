/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/tracker.h"

#include <errno.h>

#include "witnessd/util/hash.h"

struct tracked {
	UT_hash_handle hh;
	struct tcpconn conn;
	uint32_t round; /* of the last listing that had it */
};

struct tracker {
	struct tracked *table;
	uint32_t round;
};

static int tracker_destructor(struct tracker *tracker)
{
	HASH_CLEAR(hh, tracker->table);
	return 0;
}

struct tracker *tracker_new(TALLOC_CTX *mem_ctx)
{
	struct tracker *tracker = talloc_zero(mem_ctx, struct tracker);

	if (tracker != NULL) {
		talloc_set_destructor(tracker, tracker_destructor);
	}
	return tracker;
}

/* @return NULL when memory is short */
static struct tracked *add(struct tracker *tracker, const struct tcpconn *conn)
{
	struct tracked *tracked = talloc_zero(tracker, struct tracked);

	if (tracked == NULL) {
		return NULL;
	}
	tracked->conn = *conn;
	HASH_ADD(hh, tracker->table, conn, sizeof(tracked->conn), tracked);
	if (tracked->hh.tbl == NULL) {
		TALLOC_FREE(tracked);
	}
	return tracked;
}

/* Those that the last listing did not have. */
static void drop_gone(struct tracker *tracker,
		      void (*changed)(void *private_data, const struct tcpconn *conn, bool is_new),
		      void *private_data)
{
	struct tracked *tracked, *next;

	/* The second condition is for the analyzer: with the last one goes the table. */
	for (tracked = tracker->table; tracked != NULL && tracker->table != NULL; tracked = next) {
		next = tracked->hh.next;
		if (tracked->round != tracker->round) {
			changed(private_data, &tracked->conn, false);
			HASH_DELETE(hh, tracker->table, tracked);
			talloc_free(tracked);
		}
	}
}

int tracker_update(struct tracker *tracker, const struct tcpconn *conns, size_t num,
		   void (*changed)(void *private_data, const struct tcpconn *conn, bool is_new),
		   void *private_data)
{
	struct tracked *tracked;
	int err = 0;

	tracker->round++;
	for (size_t i = 0; i < num; i++) {
		HASH_FIND(hh, tracker->table, &conns[i], sizeof(conns[i]), tracked);
		if (tracked == NULL) {
			tracked = add(tracker, &conns[i]);
			if (tracked == NULL) {
				err = ENOMEM;
				continue;
			}
			changed(private_data, &conns[i], true);
		}
		tracked->round = tracker->round;
	}
	drop_gone(tracker, changed, private_data);
	return err;
}
