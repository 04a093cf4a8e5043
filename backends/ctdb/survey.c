/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   look (this node's ctdbd) --> something new, or due? --> ask all nodes --> answers()
 *        ^                              | no                    |
 *        '------- timer: 200 ms, or sooner in a burst <---------'
 */
#include "backends/ctdb/survey.h"

#include <errno.h>
#include <string.h>

#include "backends/ctdb/opcodes.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define LOOK_MS        200
#define BURST_FIRST_MS 10 /* then twice as much each time */
#define BURST_ROUNDS   8  /* 0, 10, 30, 70, 150, 310, 630, 1270 ms after the trigger */
#define GRACE_MS       50 /* how long a round waits for its last answers */

/* Questions to one node. */
struct node_query {
	struct ctdb_survey *survey;
	uint32_t pnn;
	unsigned int pending;
	bool awaited; /* by the round that is under way */
	int err;
	uint64_t stamp;
	struct ctdb_nodemap *map;
	struct ctdb_iplist *ips;
};

struct ctdb_survey {
	struct tevent_context *ev;
	struct ctdb_survey_config config;
	struct ctdb_survey_stats stats;
	bool running;
	struct mono_alarm *next, *grace;
	unsigned int burst; /* rounds of it that were done; BURST_ROUNDS: no burst */
	bool triggered;     /* while a look or a round was under way */
	uint64_t last_round_ms;

	/* What this node's ctdbd says; valid once .pending is 0 and .err is 0. */
	struct {
		unsigned int pending;
		int err;
		struct ctdb_view_local answer;
		struct ctdb_nodemap *map;
	} look;
	struct ctdb_view_local last;
	struct ctdb_nodemap *last_map; /* NULL: none since the connection was made */

	struct node_query **queries; /* by number; NULL: not under way */
	bool round;                  /* under way */
	size_t num_awaited;          /* answers that it waits for */
};

static void look(struct ctdb_survey *survey);

/* --- when --- */

static void on_next(void *private_data)
{
	look(talloc_get_type_abort(private_data, struct ctdb_survey));
}

/* Not while the connection ends, either: its questions end before anybody is told so. */
static bool is_running(const struct ctdb_survey *survey)
{
	return survey->running && ctdb_client_is_up(survey->config.client);
}

static bool busy(const struct ctdb_survey *survey)
{
	return survey->look.pending > 0 || survey->round;
}

static void schedule(struct ctdb_survey *survey, uint32_t ms)
{
	mono_alarm_set(survey->next, ms);
}

static void schedule_next(struct ctdb_survey *survey)
{
	if (!survey->running) {
		return;
	}
	if (survey->triggered) {
		/* At once; but a constant stream of triggers does not increase the rate. */
		bool lately = clock_ms() - survey->last_round_ms < BURST_FIRST_MS;

		survey->triggered = false;
		survey->burst = 0;
		schedule(survey, lately ? BURST_FIRST_MS : 0);
	} else if (survey->burst > 0 && survey->burst < BURST_ROUNDS) {
		schedule(survey, (uint32_t)BURST_FIRST_MS << (survey->burst - 1));
	} else {
		schedule(survey, LOOK_MS);
	}
}

void ctdb_survey_trigger(struct ctdb_survey *survey)
{
	if (!survey->running) {
		return;
	}
	survey->triggered = true;
	if (!busy(survey)) {
		schedule_next(survey);
	}
}

/* --- a round --- */

static void round_done(struct ctdb_survey *survey)
{
	mono_alarm_clear(survey->grace);
	survey->round = false;
	survey->num_awaited = 0;
	for (size_t i = 0; i < talloc_array_length(survey->queries); i++) {
		if (survey->queries[i] != NULL) {
			survey->queries[i]->awaited = false;
		}
	}
	schedule_next(survey);
	survey->config.answers(survey->config.private_data);
}

static void grace_over(void *private_data)
{
	round_done(talloc_get_type_abort(private_data, struct ctdb_survey));
}

static void use_answer(struct node_query *query)
{
	struct ctdb_survey *survey = query->survey;
	int err = query->err;

	if (err == 0) {
		err = ctdb_view_answer(survey->config.view, query->pnn, query->stamp, clock_ms(),
				       query->map, query->ips);
	}
	if (err != 0) {
		log_debug("ctdb: node %u does not answer: %s", (unsigned int)query->pnn,
			  strerror(err));
		survey->stats.failed++;
		ctdb_view_no_answer(survey->config.view, query->pnn);
	}
}

static void query_done(struct node_query *query)
{
	struct ctdb_survey *survey = query->survey;
	bool awaited = query->awaited;

	survey->queries[query->pnn] = NULL;
	if (!is_running(survey)) {
		talloc_free(query);
		return;
	}
	use_answer(query);
	talloc_free(query);
	if (!awaited) {
		survey->config.answers(survey->config.private_data); /* a late one */
		return;
	}
	survey->num_awaited--;
	if (survey->num_awaited == 0) {
		round_done(survey);
	}
}

typedef int (*parse_fn)(struct node_query *query, const uint8_t *data, size_t len);

static void query_answered(struct tevent_req *subreq, parse_fn parse)
{
	struct node_query *query = tevent_req_callback_data(subreq, struct node_query);
	uint8_t *data = NULL;
	size_t len = 0;
	int err = ctdb_control_recv(subreq, query, NULL, &data, &len);

	TALLOC_FREE(subreq);
	if (err == 0) {
		err = parse(query, data, len);
	}
	talloc_free(data);
	query->err = query->err != 0 ? query->err : err;
	if (--query->pending == 0) {
		query_done(query);
	}
}

static int parse_map(struct node_query *query, const uint8_t *data, size_t len)
{
	return ctdb_nodemap_parse(query, data, len, &query->map);
}

static int parse_ips(struct node_query *query, const uint8_t *data, size_t len)
{
	return ctdb_iplist_parse(query, data, len, &query->ips);
}

static void map_answered(struct tevent_req *subreq)
{
	query_answered(subreq, parse_map);
}

static void ips_answered(struct tevent_req *subreq)
{
	query_answered(subreq, parse_ips);
}

/* @return whether the request is under way */
static bool ask(struct ctdb_survey *survey, void *private_data, uint32_t opcode, uint32_t destnode,
		tevent_req_fn answered)
{
	struct ctdb_control control = {.opcode = opcode, .destnode = destnode};
	struct tevent_req *subreq =
		ctdb_control_send(private_data, survey->ev, survey->config.client, &control);

	if (subreq == NULL) {
		return false;
	}
	tevent_req_set_callback(subreq, answered, private_data);
	return true;
}

static void ask_node(struct ctdb_survey *survey, uint32_t pnn)
{
	struct node_query *query = talloc_zero(survey, struct node_query);

	if (query == NULL) {
		survey->stats.failed++;
		return;
	}
	query->survey = survey;
	query->pnn = pnn;
	query->stamp = ctdb_view_stamp(survey->config.view);
	query->pending += ask(survey, query, CTDB_GET_NODEMAP, pnn, map_answered);
	query->pending += ask(survey, query, CTDB_GET_PUBLIC_IPS, pnn, ips_answered);
	if (query->pending < 2) {
		talloc_free(query);
		survey->stats.failed++;
		return;
	}
	query->awaited = true;
	survey->queries[pnn] = query;
	survey->num_awaited++;
}

/* Room for the questions to so many nodes; those to nodes beyond end. */
static int resize_queries(struct ctdb_survey *survey, size_t num)
{
	size_t had = talloc_array_length(survey->queries);
	struct node_query **queries;

	for (size_t i = num; i < had; i++) {
		TALLOC_FREE(survey->queries[i]);
	}
	if (num == had) {
		return 0;
	}
	queries = talloc_realloc(survey, survey->queries, struct node_query *, num);
	if (queries == NULL && num > 0) {
		return ENOMEM;
	}
	for (size_t i = had; i < num; i++) {
		queries[i] = NULL;
	}
	survey->queries = queries;
	return 0;
}

static void start_round(struct ctdb_survey *survey)
{
	size_t num = ctdb_view_num_nodes(survey->config.view);

	if (resize_queries(survey, num) != 0) {
		schedule_next(survey);
		return;
	}
	survey->stats.rounds++;
	survey->last_round_ms = clock_ms();
	survey->round = true;
	for (uint32_t pnn = 0; pnn < num; pnn++) {
		if (survey->queries[pnn] == NULL && ctdb_view_reachable(survey->config.view, pnn)) {
			ask_node(survey, pnn);
		}
	}
	mono_alarm_set(survey->grace, GRACE_MS);
	if (survey->num_awaited == 0) {
		round_done(survey);
	}
}

/* --- a look at this node's ctdbd --- */

static bool same_map(const struct ctdb_nodemap *a, const struct ctdb_nodemap *b)
{
	if (a->num != b->num) {
		return false;
	}
	for (size_t i = 0; i < a->num; i++) {
		if (a->list[i].flags != b->list[i].flags ||
		    !ipaddr_equal(&a->list[i].ip, &b->list[i].ip)) {
			return false;
		}
	}
	return true;
}

/* Keep the answer. @return whether it differs from the last one */
static bool keep_look(struct ctdb_survey *survey, bool *nodes, bool *own_flags)
{
	const struct ctdb_view_local *now = &survey->look.answer;
	const struct ctdb_nodemap *map = survey->look.map, *before = survey->last_map;
	bool differs = now->runstate != survey->last.runstate ||
		       now->recmode != survey->last.recmode ||
		       now->generation != survey->last.generation;

	*nodes = before == NULL || !same_map(before, map);
	*own_flags = before != NULL && now->pnn < map->num && now->pnn < before->num &&
		     before->list[now->pnn].flags != map->list[now->pnn].flags;
	talloc_free(survey->last_map);
	survey->last = *now;
	survey->last_map = talloc_move(survey, &survey->look.map);
	return differs || *nodes;
}

static void look_done(struct ctdb_survey *survey)
{
	bool nodes = false, own_flags = false, differs;
	int err = survey->look.err;

	if (err == 0) {
		survey->look.answer.pnn = ctdb_client_pnn(survey->config.client);
		survey->look.answer.map = survey->look.map;
		err = ctdb_view_local(survey->config.view, &survey->look.answer);
	}
	if (err != 0) {
		TALLOC_FREE(survey->look.map);
		survey->stats.failed++;
		log_debug("ctdb: ctdbd does not answer: %s", strerror(err));
		schedule_next(survey);
		return;
	}
	differs = keep_look(survey, &nodes, &own_flags);
	if (differs) {
		survey->burst = 0;
	}
	if (survey->burst < BURST_ROUNDS ||
	    clock_ms() - survey->last_round_ms >= survey->config.poll_ms) {
		survey->burst += survey->burst < BURST_ROUNDS;
		start_round(survey);
	} else {
		schedule_next(survey);
	}
	if (nodes && survey->config.nodes != NULL) {
		survey->config.nodes(survey->config.private_data, survey->last_map);
	}
	if (own_flags) {
		survey->config.own_flags(survey->config.private_data);
	}
}

static void look_answered(struct ctdb_survey *survey, struct tevent_req *subreq,
			  int (*parse)(struct ctdb_survey *survey, int32_t status,
				       const uint8_t *data, size_t len))
{
	uint8_t *data = NULL;
	size_t len = 0;
	int32_t status = 0;
	int err = ctdb_control_recv(subreq, survey, &status, &data, &len);

	TALLOC_FREE(subreq);
	if (err == 0) {
		err = parse(survey, status, data, len);
	}
	talloc_free(data);
	survey->look.err = survey->look.err != 0 ? survey->look.err : err;
	survey->look.pending--;
	if (survey->look.pending == 0 && is_running(survey)) {
		look_done(survey);
	}
}

static int take_map(struct ctdb_survey *survey, int32_t status, const uint8_t *data, size_t len)
{
	return ctdb_nodemap_parse(survey, data, len, &survey->look.map);
}

static int take_runstate(struct ctdb_survey *survey, int32_t status, const uint8_t *data,
			 size_t len)
{
	return ctdb_u32_parse(data, len, &survey->look.answer.runstate);
}

static int take_vnnmap(struct ctdb_survey *survey, int32_t status, const uint8_t *data, size_t len)
{
	return ctdb_vnnmap_parse(data, len, &survey->look.answer.generation);
}

static int take_recmode(struct ctdb_survey *survey, int32_t status, const uint8_t *data, size_t len)
{
	survey->look.answer.recmode = (uint32_t)status;
	return 0;
}

#define LOOK_ANSWERED(name, parse)                                                                 \
	static void name(struct tevent_req *subreq)                                                \
	{                                                                                          \
		look_answered(tevent_req_callback_data(subreq, struct ctdb_survey), subreq,        \
			      parse);                                                              \
	}

LOOK_ANSWERED(local_map_answered, take_map)
LOOK_ANSWERED(runstate_answered, take_runstate)
LOOK_ANSWERED(vnnmap_answered, take_vnnmap)
LOOK_ANSWERED(recmode_answered, take_recmode)

static void look(struct ctdb_survey *survey)
{
	static const struct {
		uint32_t opcode;
		tevent_req_fn answered;
	} rows[] = {
		{CTDB_GET_NODEMAP, local_map_answered},
		{CTDB_GET_RUNSTATE, runstate_answered},
		{CTDB_GET_VNNMAP, vnnmap_answered},
		{CTDB_GET_RECMODE, recmode_answered},
	};

	TALLOC_FREE(survey->look.map);
	survey->look.err = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ask(survey, survey, rows[i].opcode, CTDB_CURRENT_NODE, rows[i].answered)) {
			survey->look.pending++;
		} else {
			survey->look.err = ENOMEM;
		}
	}
	if (survey->look.pending == 0) {
		schedule_next(survey);
	}
}

/* --- the object --- */

void ctdb_survey_start(struct ctdb_survey *survey)
{
	survey->running = true;
	survey->last_round_ms = 0;
	survey->burst = 0;
	TALLOC_FREE(survey->last_map);
	if (!busy(survey)) {
		schedule(survey, 0);
	}
}

void ctdb_survey_stop(struct ctdb_survey *survey)
{
	survey->running = false;
	survey->triggered = false;
	survey->round = false;
	survey->num_awaited = 0;
	mono_alarm_clear(survey->next);
	mono_alarm_clear(survey->grace);
}

const struct ctdb_survey_stats *ctdb_survey_stats(const struct ctdb_survey *survey)
{
	return &survey->stats;
}

struct ctdb_survey *ctdb_survey_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				       const struct ctdb_survey_config *config)
{
	struct ctdb_survey *survey = talloc_zero(mem_ctx, struct ctdb_survey);

	if (survey == NULL) {
		return NULL;
	}
	survey->ev = ev;
	survey->config = *config;
	survey->burst = BURST_ROUNDS;
	if (mono_alarm_create(survey, ev, on_next, survey, &survey->next) != 0 ||
	    mono_alarm_create(survey, ev, grace_over, survey, &survey->grace) != 0) {
		TALLOC_FREE(survey);
	}
	return survey;
}
