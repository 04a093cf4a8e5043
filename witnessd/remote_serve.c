/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/remote_serve.h"

#include <errno.h>
#include <qb/qblist.h>
#include <string.h>

#include "witnessd/util/wheel.h"

/* An answer of which parts are still to be fetched. */
struct kept {
	struct qb_list_head link;
	struct remote_serve *serve;
	struct guid answer;
	const char *from;
	const char *text;
	uint32_t total;
	struct wheel_timer timer;
};

struct remote_serve {
	struct peers *peers;
	struct wheel *wheel;
	remote_answer_fn fn;
	void *private_data;
	struct qb_list_head kept; /* the one that was asked for last is the last */
	unsigned int num;
};

static void drop(struct kept *kept)
{
	wheel_cancel(&kept->timer);
	qb_list_del(&kept->link);
	kept->serve->num--;
	talloc_free(kept);
}

static void on_too_late(void *private_data)
{
	drop(talloc_get_type_abort(private_data, struct kept));
}

/* It is kept for some time from now. */
static void keep(struct kept *kept)
{
	qb_list_del(&kept->link);
	qb_list_add_tail(&kept->link, &kept->serve->kept);
	wheel_arm(kept->serve->wheel, &kept->timer, REMOTE_KEPT_MS, on_too_late, kept);
}

/* As much as goes into a message. @return where the next part begins */
static uint32_t send_part(struct peers_call *call, const struct guid *answer, const char *text,
			  uint32_t total, uint32_t offset)
{
	uint8_t buf[PEERS_COMMAND_MAX];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	uint32_t left = total - offset;
	const struct remote_part part = {
		.answer = *answer,
		.total = total,
		.bytes = (const uint8_t *)text + offset,
		.len = left < REMOTE_PART_MAX ? left : REMOTE_PART_MAX,
	};

	remote_part_push(&out, &part);
	peers_call_reply(call, out.err, buf, out.len);
	return offset + (uint32_t)part.len;
}

/* --- the first part --- */

/* @return 0 or an errno; text is taken over */
static int keep_new(struct remote_serve *serve, const char *from, const struct guid *answer,
		    char **text, uint32_t total)
{
	struct kept *kept;

	if (serve->num >= REMOTE_KEPT_MAX) {
		drop(qb_list_first_entry(&serve->kept, struct kept, link));
	}
	kept = talloc_zero(serve, struct kept);
	if (kept == NULL) {
		return ENOMEM;
	}
	kept->from = talloc_strdup(kept, from);
	if (kept->from == NULL) {
		talloc_free(kept);
		return ENOMEM;
	}
	kept->serve = serve;
	kept->answer = *answer;
	kept->text = talloc_move(kept, text);
	kept->total = total;
	qb_list_init(&kept->link);
	serve->num++;
	keep(kept);
	return 0;
}

static void on_ask(struct remote_serve *serve, struct peers_call *call, const char *from,
		   const struct remote_question *question)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = serve->fn(serve->private_data, tmp, from, (const char *)question->request,
			       question->len);
	size_t len = text != NULL ? strlen(text) : 0;
	const char *whole = text;
	struct guid answer;
	int err = text == NULL ? ENOMEM : len > REMOTE_ANSWER_MAX ? EMSGSIZE : guid_random(&answer);

	if (err == 0 && len > REMOTE_PART_MAX) {
		err = keep_new(serve, from, &answer, &text, (uint32_t)len);
	}
	if (err == 0) {
		(void)send_part(call, &answer, whole, (uint32_t)len, 0);
	} else {
		peers_call_reply(call, err, NULL, 0);
	}
	talloc_free(tmp);
}

/* --- what follows --- */

static struct kept *find(const struct remote_serve *serve, const char *from,
			 const struct guid *answer)
{
	struct kept *kept;

	qb_list_for_each_entry (kept, &serve->kept, link) {
		if (guid_equal(&kept->answer, answer) && strcmp(kept->from, from) == 0) {
			return kept;
		}
	}
	return NULL;
}

static void on_more(struct remote_serve *serve, struct peers_call *call, const char *from,
		    const struct remote_question *question)
{
	struct kept *kept = find(serve, from, &question->answer);

	if (kept == NULL || question->offset >= kept->total) {
		peers_call_reply(call, kept == NULL ? ENOENT : EINVAL, NULL, 0);
		return;
	}
	if (send_part(call, &kept->answer, kept->text, kept->total, question->offset) ==
	    kept->total) {
		drop(kept);
	} else {
		keep(kept);
	}
}

static void on_question(void *private_data, struct peers_call *call, const char *from,
			const uint8_t *bytes, size_t len)
{
	struct remote_serve *serve = talloc_get_type_abort(private_data, struct remote_serve);
	struct remote_question question;

	if (remote_question_pull(bytes, len, &question) != 0) {
		peers_call_reply(call, EINVAL, NULL, 0);
	} else if (question.op == REMOTE_ASK) {
		on_ask(serve, call, from, &question);
	} else {
		on_more(serve, call, from, &question);
	}
}

/* --- the object --- */

unsigned int remote_serve_kept(const struct remote_serve *serve)
{
	return serve->num;
}

static int serve_destructor(struct remote_serve *serve)
{
	struct kept *kept, *next;

	peers_set_command_handler(serve->peers, PEERS_CONTROL, NULL, NULL);
	qb_list_for_each_entry_safe (kept, next, &serve->kept, link) {
		drop(kept); /* before the wheel goes */
	}
	return 0;
}

int remote_serve_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
			remote_answer_fn fn, void *private_data, struct remote_serve **out)
{
	struct remote_serve *serve = talloc_zero(mem_ctx, struct remote_serve);
	int err;

	if (serve == NULL) {
		return ENOMEM;
	}
	err = wheel_create(serve, ev, NULL, NULL, &serve->wheel);
	if (err != 0) {
		talloc_free(serve);
		return err;
	}
	serve->peers = peers;
	serve->fn = fn;
	serve->private_data = private_data;
	qb_list_init(&serve->kept);
	talloc_set_destructor(serve, serve_destructor);
	peers_set_command_handler(peers, PEERS_CONTROL, on_question, serve);
	*out = serve;
	return 0;
}
