/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/journal_share.h"

#include <errno.h>
#include <string.h>

#include "witnessd/journal_wire.h"
#include "witnessd/util/wheel.h"

#define WAITING_MAX 128U /* a node asks one at a time */

/* A question that waits for news. */
struct waiting {
	struct qb_list_head link;
	struct journal_share *share;
	struct peers_call *call;
	struct journal_ask ask;
	struct wheel_timer timer;
};

struct journal_share {
	struct peers *peers;
	struct journal *journal;
	struct wheel *wheel;
	struct qb_list_head waiting;
	unsigned int num;
	struct wheel_timer gather;
};

/* --- answers --- */

struct filling {
	struct pack_out out;
	uint64_t upto, num;
	bool full;
};

static bool fill(void *private_data, uint64_t number, const uint8_t *bytes, size_t len)
{
	struct filling *filling = private_data;

	if (!journal_answer_push_entry(&filling->out, number, bytes, len)) {
		filling->full = true;
		return false;
	}
	filling->upto = number;
	filling->num++;
	return true;
}

/* Skips to the last ones. */
struct skipping {
	size_t num;
	uint64_t upto;
};

static bool skip_one(void *private_data, uint64_t number, const uint8_t *bytes, size_t len)
{
	struct skipping *skipping = private_data;

	if (skipping->num == 0) {
		return false;
	}
	skipping->num--;
	skipping->upto = number;
	return true;
}

/* Behind which number an answer begins. */
static uint64_t begins_after(const struct journal *journal, const struct journal_ask *ask)
{
	struct skipping skipping = {.num = journal_count(journal, 0)};

	if (ask->life == journal_life(journal)) {
		return ask->after;
	}
	if (ask->life != 0) {
		return 0; /* of another start: all of this one is news */
	}
	skipping.num = skipping.num > ask->newest ? skipping.num - ask->newest : 0;
	journal_read(journal, 0, skip_one, &skipping);
	return skipping.upto;
}

static void answer(const struct journal_share *share, struct peers_call *call,
		   const struct journal_ask *ask)
{
	uint8_t buf[JOURNAL_ANSWER_MAX], head[JOURNAL_ANSWER_HEAD];
	struct filling filling = {
		.out = {.p = buf, .size = sizeof(buf), .len = JOURNAL_ANSWER_HEAD}};
	struct pack_out out = {.p = head, .size = sizeof(head)};
	uint64_t after = begins_after(share->journal, ask), last = journal_last(share->journal);
	struct journal_answer reply;

	journal_read(share->journal, after, fill, &filling);
	reply = (struct journal_answer){.life = journal_life(share->journal),
					.upto = filling.full ? filling.upto : last,
					.more = filling.full};
	if (reply.upto > after) {
		reply.lost = reply.upto - after - filling.num;
	}
	journal_answer_push(&out, &reply);
	memcpy(buf, head, sizeof(head));
	peers_call_reply(call, 0, buf, filling.out.len);
}

/* --- questions --- */

static void drop(struct waiting *waiting)
{
	wheel_cancel(&waiting->timer);
	qb_list_del(&waiting->link);
	waiting->share->num--;
	talloc_free(waiting);
}

static void finish(struct waiting *waiting)
{
	answer(waiting->share, waiting->call, &waiting->ask);
	drop(waiting);
}

static void on_too_long(void *private_data)
{
	finish(talloc_get_type_abort(private_data, struct waiting));
}

static void on_gathered(void *private_data)
{
	struct journal_share *share = talloc_get_type_abort(private_data, struct journal_share);
	struct waiting *waiting, *next;

	qb_list_for_each_entry_safe (waiting, next, &share->waiting, link) {
		finish(waiting);
	}
}

static void on_news(void *private_data)
{
	struct journal_share *share = talloc_get_type_abort(private_data, struct journal_share);

	if (!qb_list_empty(&share->waiting) && !wheel_armed(&share->gather)) {
		wheel_arm(share->wheel, &share->gather, JOURNAL_GATHER_MS, on_gathered, share);
	}
}

static int wait_for_news(struct journal_share *share, struct peers_call *call,
			 const struct journal_ask *ask)
{
	struct waiting *waiting;

	if (share->num >= WAITING_MAX) {
		return EBUSY;
	}
	waiting = talloc_zero(share, struct waiting);
	if (waiting == NULL) {
		return ENOMEM;
	}
	waiting->share = share;
	waiting->call = call;
	waiting->ask = *ask;
	qb_list_add_tail(&waiting->link, &share->waiting);
	share->num++;
	wheel_arm(share->wheel, &waiting->timer,
		  ask->wait_ms < JOURNAL_WAIT_MAX ? ask->wait_ms : JOURNAL_WAIT_MAX, on_too_long,
		  waiting);
	return 0;
}

static void on_ask(void *private_data, struct peers_call *call, const char *from,
		   const uint8_t *bytes, size_t len)
{
	struct journal_share *share = talloc_get_type_abort(private_data, struct journal_share);
	struct journal_ask ask;
	int err = journal_ask_pull(bytes, len, &ask);

	if (err == 0 && ask.wait_ms > 0 && ask.life == journal_life(share->journal) &&
	    ask.after >= journal_last(share->journal)) {
		err = wait_for_news(share, call, &ask);
		if (err == 0) {
			return;
		}
	}
	if (err == 0) {
		answer(share, call, &ask);
	} else {
		peers_call_reply(call, err == EBADMSG ? EINVAL : err, NULL, 0);
	}
}

/* --- the object --- */

static int share_destructor(struct journal_share *share)
{
	struct waiting *waiting, *next;

	peers_set_command_handler(share->peers, PEERS_EVENTS, NULL, NULL);
	journal_set_news(share->journal, NULL, NULL);
	wheel_cancel(&share->gather);
	qb_list_for_each_entry_safe (waiting, next, &share->waiting, link) {
		peers_call_reply(waiting->call, ECANCELED, NULL, 0);
		drop(waiting);
	}
	return 0;
}

int journal_share_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
			 struct journal *journal, struct journal_share **out)
{
	struct journal_share *share = talloc_zero(mem_ctx, struct journal_share);
	int err;

	if (share == NULL) {
		return ENOMEM;
	}
	err = wheel_create(share, ev, NULL, NULL, &share->wheel);
	if (err != 0) {
		talloc_free(share);
		return err;
	}
	share->peers = peers;
	share->journal = journal;
	qb_list_init(&share->waiting);
	talloc_set_destructor(share, share_destructor);
	peers_set_command_handler(peers, PEERS_EVENTS, on_ask, share);
	journal_set_news(journal, on_news, share);
	*out = share;
	return 0;
}
