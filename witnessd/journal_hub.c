/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/journal_hub.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "witnessd/journal_wire.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"
#include "witnessd/util/wheel.h"

#define SOURCES_MAX   128U
#define WAIT_MS       5000U  /* that a question waits at the other node for news */
#define ANSWER_MS     3000U  /* beyond that an answer may take */
#define AGAIN_MS      1000U  /* after a node that did not answer */
#define OLDER_MS      60000U /* after one that cannot */
#define TEXTS_AT_ONCE 50U

enum source_state {
	SOURCE_LOCAL,
	SOURCE_ASKED,
	SOURCE_FOLLOWS,
	SOURCE_OLDER,
	SOURCE_SILENT,
	SOURCE_GONE,
};

static const char *const state_names[] = {
	[SOURCE_LOCAL] = "local", [SOURCE_ASKED] = "asked",   [SOURCE_FOLLOWS] = "follows",
	[SOURCE_OLDER] = "older", [SOURCE_SILENT] = "silent", [SOURCE_GONE] = "gone",
};

/* A node whose journal is read. */
struct source {
	struct qb_list_head link;
	struct journal_hub *hub;
	const char *node;
	enum source_state state;
	uint64_t life, after; /* of its journal */
	uint64_t lost;
	struct tevent_req *req; /* a question is under way */
	struct wheel_timer timer;
};

struct place {
	const struct source *source;
	uint64_t number; /* in its journal */
	uint8_t *bytes;  /* a child; kept for the next entry in this place */
	size_t len;
};

struct journal_hub {
	struct tevent_context *ev;
	struct cluster *cluster;
	struct journal *journal;
	struct wheel *wheel;
	uint64_t lease_us;
	struct qb_list_head sources;
	unsigned int num_sources;
	struct source local;
	uint64_t last;
	struct place ring[JOURNAL_HUB_ENTRIES]; /* number n at n % JOURNAL_HUB_ENTRIES */
};

/* --- the row --- */

/* For want of memory the place is empty: nobody's. */
static void add(struct journal_hub *hub, const struct source *source, uint64_t number,
		const uint8_t *bytes, size_t len)
{
	struct place *place = &hub->ring[++hub->last % JOURNAL_HUB_ENTRIES];

	place->source = NULL;
	if (!journal_entry_keep(hub, &place->bytes, bytes, len)) {
		return;
	}
	place->len = len;
	place->number = number;
	place->source = source;
}

struct import {
	struct journal_hub *hub;
	uint64_t num;
};

static bool import_one(void *private_data, uint64_t number, const uint8_t *bytes, size_t len)
{
	struct import *import = private_data;

	add(import->hub, &import->hub->local, number, bytes, len);
	import->num++;
	return true;
}

/* What is new in our own journal. */
static void import_local(struct journal_hub *hub)
{
	struct import import = {.hub = hub};
	struct source *local = &hub->local;
	uint64_t last = journal_last(hub->journal);

	journal_read(hub->journal, local->after, import_one, &import);
	if (local->life != 0) {
		local->lost += last - local->after - import.num;
	}
	local->life = journal_life(hub->journal);
	local->after = last;
}

uint64_t journal_hub_last(const struct journal_hub *hub)
{
	return hub->last;
}

uint64_t journal_hub_lost(const struct journal_hub *hub, uint64_t after)
{
	uint64_t behind = after < hub->last ? hub->last - after : 0;

	return behind > JOURNAL_HUB_ENTRIES ? behind - JOURNAL_HUB_ENTRIES : 0;
}

/* --- asking --- */

static void ask(struct source *source);

static bool somebody_looks(const struct journal_hub *hub)
{
	return wheel_now_us(hub->wheel) < hub->lease_us;
}

static void on_ask(void *private_data)
{
	struct source *source = talloc_get_type_abort(private_data, struct source);

	if (somebody_looks(source->hub)) {
		ask(source);
	}
}

static void ask_in(struct source *source, uint64_t ms)
{
	wheel_arm(source->hub->wheel, &source->timer, ms, on_ask, source);
}

/* @return 0, or EBADMSG with nothing taken */
static int take(struct source *source, const uint8_t *bytes, size_t len)
{
	struct journal_answer answer;
	const uint8_t *entry;
	size_t entry_len;
	uint64_t number;
	int err = journal_answer_pull(bytes, len, &answer);

	if (err != 0) {
		return err;
	}
	if (source->life != 0) {
		source->lost += answer.lost;
	}
	source->life = answer.life;
	source->after = answer.upto;
	while (journal_answer_next(&answer.entries, &number, &entry, &entry_len)) {
		add(source->hub, source, number, entry, entry_len);
	}
	if (!answer.more) {
		source->state = SOURCE_FOLLOWS;
	}
	return 0;
}

static void answered(struct tevent_req *subreq)
{
	struct source *source = tevent_req_callback_data(subreq, struct source);
	uint8_t *bytes = NULL;
	size_t len = 0;
	int err = peers_command_recv(subreq, source, &bytes, &len);

	TALLOC_FREE(source->req);
	if (err == 0) {
		err = take(source, bytes, len);
	}
	talloc_free(bytes);
	if (err == 0) {
		ask_in(source, JOURNAL_HUB_PACE_MS);
		return;
	}
	log_debug("events: node %s: %s", source->node, strerror(err));
	source->state = err == EOPNOTSUPP     ? SOURCE_OLDER
			: err == EHOSTUNREACH ? SOURCE_GONE
					      : SOURCE_SILENT;
	ask_in(source, err == EOPNOTSUPP ? OLDER_MS : AGAIN_MS);
}

static void ask(struct source *source)
{
	struct journal_hub *hub = source->hub;
	struct peers *peers = cluster_peers(hub->cluster);
	uint8_t buf[JOURNAL_ASK_LEN];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	struct journal_ask question = {
		.life = source->life,
		.after = source->after,
		.newest = JOURNAL_HUB_NEWEST,
		.wait_ms = source->state == SOURCE_FOLLOWS ? WAIT_MS : 0,
	};

	if (!peers_is_up(peers, source->node)) {
		source->state = SOURCE_GONE;
		ask_in(source, AGAIN_MS);
		return;
	}
	if (source->state == SOURCE_GONE) {
		source->state = SOURCE_ASKED;
	}
	journal_ask_push(&out, &question);
	source->req = peers_command_send(source, hub->ev, peers, source->node, PEERS_EVENTS, buf,
					 out.len, question.wait_ms + ANSWER_MS);
	if (source->req == NULL) {
		ask_in(source, AGAIN_MS);
		return;
	}
	tevent_req_set_callback(source->req, answered, source);
}

/* --- sources --- */

static bool is_known(const struct journal_hub *hub, const char *node)
{
	const struct source *source;

	qb_list_for_each_entry (source, &hub->sources, link) {
		if (strcmp(source->node, node) == 0) {
			return true;
		}
	}
	return false;
}

/* A question that is under way goes with it. */
static int source_destructor(struct source *source)
{
	wheel_cancel(&source->timer);
	qb_list_del(&source->link);
	source->hub->num_sources--;
	return 0;
}

static void add_source(struct journal_hub *hub, const char *node)
{
	struct source *source =
		hub->num_sources < SOURCES_MAX ? talloc_zero(hub, struct source) : NULL;

	if (source == NULL) {
		return;
	}
	source->hub = hub;
	source->node = talloc_strdup(source, node);
	source->state = SOURCE_ASKED;
	if (source->node == NULL) {
		talloc_free(source);
		return;
	}
	qb_list_add_tail(&source->link, &hub->sources);
	hub->num_sources++;
	talloc_set_destructor(source, source_destructor);
}

/* What was under way has come to rest: nobody has looked for a while. */
static void wake(struct source *source)
{
	if (source->req != NULL || wheel_armed(&source->timer)) {
		return;
	}
	source->state = SOURCE_ASKED;
	ask(source);
}

void journal_hub_look(struct journal_hub *hub)
{
	const struct cluster_state *state = cluster_current(hub->cluster);
	struct source *source;

	hub->lease_us = wheel_now_us(hub->wheel) + JOURNAL_HUB_LEASE_MS * UINT64_C(1000);
	for (size_t i = 0; state != NULL && i < state->num_nodes; i++) {
		const struct cluster_node *node = &state->nodes[i];

		if (node->local && hub->local.node == NULL) {
			hub->local.node = talloc_strdup(hub, node->name);
		} else if (!node->local && !is_known(hub, node->name)) {
			add_source(hub, node->name);
		}
	}
	import_local(hub);
	qb_list_for_each_entry (source, &hub->sources, link) {
		wake(source);
	}
}

/* --- as JSON --- */

static bool matches(const struct source *source, const char *pattern)
{
	return pattern == NULL ||
	       (source->node != NULL && fnmatch(pattern, source->node, FNM_CASEFOLD) == 0);
}

static void append_node(json_t *list, const struct source *source, const char *pattern)
{
	if (matches(source, pattern)) {
		(void)json_array_append_new(list, json_pack("{s:o, s:s, s:I}", "node",
							    text_json(source->node), "state",
							    state_names[source->state], "lost",
							    (json_int_t)source->lost));
	}
}

json_t *journal_hub_nodes_json(const struct journal_hub *hub, const char *pattern)
{
	json_t *list = json_array();
	const struct source *source;

	append_node(list, &hub->local, pattern);
	qb_list_for_each_entry (source, &hub->sources, link) {
		append_node(list, source, pattern);
	}
	return list;
}

/* NULL: it is not to be told, or it is none. */
static json_t *place_json(const struct journal_hub *hub, const struct place *place,
			  const char *pattern)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal_entry entry;
	json_t *json = NULL;

	if (place->source != NULL && matches(place->source, pattern) &&
	    journal_entry_unpack(tmp, place->bytes, place->len, &entry) == 0 &&
	    (pattern != NULL || place->source == &hub->local ||
	     entry.texts[JOURNAL_TYPE] != NULL)) {
		json = journal_entry_json(&entry);
		(void)json_object_set_new(json, "node", text_json(place->source->node));
		(void)json_object_set_new(json, "number", json_integer((json_int_t)place->number));
	}
	talloc_free(tmp);
	return json;
}

bool journal_hub_next(const struct journal_hub *hub, uint64_t *pos, uint64_t upto,
		      const char *pattern, char **text)
{
	uint64_t oldest = hub->last > JOURNAL_HUB_ENTRIES ? hub->last - JOURNAL_HUB_ENTRIES : 0;

	*pos = *pos > oldest ? *pos : oldest;
	for (size_t n = 0; n < TEXTS_AT_ONCE && *pos < upto && *text != NULL; n++) {
		const struct place *place = &hub->ring[++*pos % JOURNAL_HUB_ENTRIES];
		json_t *json = place_json(hub, place, pattern);

		if (json != NULL) {
			*text = text_json_append(text_append(*text, ","), json);
		}
	}
	return *pos < upto;
}

/* --- the object --- */

static int hub_destructor(struct journal_hub *hub)
{
	struct source *source, *next;

	/* Before the wheel goes. */
	qb_list_for_each_entry_safe (source, next, &hub->sources, link) {
		talloc_free(source);
	}
	return 0;
}

int journal_hub_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		       struct journal *journal, struct journal_hub **out)
{
	struct journal_hub *hub = talloc_zero(mem_ctx, struct journal_hub);
	int err;

	if (hub == NULL) {
		return ENOMEM;
	}
	err = wheel_create(hub, ev, NULL, NULL, &hub->wheel);
	if (err != 0) {
		talloc_free(hub);
		return err;
	}
	hub->ev = ev;
	hub->cluster = cluster;
	hub->journal = journal;
	hub->local = (struct source){.hub = hub, .state = SOURCE_LOCAL};
	qb_list_init(&hub->sources);
	talloc_set_destructor(hub, hub_destructor);
	*out = hub;
	return 0;
}
