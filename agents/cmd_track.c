/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness-tickle track: reports and tickles connections for witnessd. JSON objects, one per line, in both
 * directions; see witness-tickle(8). Ends when standard input does.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent.h"
#include "agents/tickler.h"
#include "agents/tracker.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/lines.h"
#include "witnessd/util/mono.h"

/* Listings take at most 1/DUTY of the time, however many connections there are. */
#define DUTY 20

struct track {
	const struct agent *agent;
	struct lines *lines;
	struct tracker *tracker;
	struct mono_timer *timer;
	struct ipaddr *addrs; /* watched */
	size_t num_addrs;
	uint16_t ports[TRACK_MAX_PORTS];
	size_t num_ports;
	struct tcpconn *pending; /* to be tickled next */
	size_t num_pending;
	json_t *come, *gone; /* what the next lines say */
	int listing_err;     /* of the last listing; said once */
	bool cut;            /* has been said */
	bool ended;
	int end_err;
};

/* One tickling; conns are its children. */
struct job {
	struct track *track;
	struct ipaddr ip;
};

/* --- saying --- */

static void say(struct track *track, json_t *object)
{
	char *line = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

	if (line != NULL) {
		lines_send(track->lines, line);
	}
	free(line);
	json_decref(object);
}

static void say_problem(struct track *track, const char *what, int err)
{
	say(track, json_pack("{s:s, s:s}", "problem", what, "error", strerror(err)));
}

static void flush(struct track *track, const char *key, json_t **list)
{
	if (json_array_size(*list) > 0) {
		say(track, json_pack("{s:o}", key, *list));
		*list = json_array();
	}
}

/* --- tracking --- */

static void conn_changed(void *private_data, const struct tcpconn *conn, bool is_new)
{
	struct track *track = private_data;
	json_t **list = is_new ? &track->come : &track->gone;
	char text[TCPCONN_STRLEN];

	json_array_append_new(*list, json_string(tcpconn_format(conn, text)));
	if (json_array_size(*list) == TRACK_CONNS_A_LINE) {
		flush(track, is_new ? "new" : "gone", list);
	}
}

static int look(struct track *track, TALLOC_CTX *tmp)
{
	struct sock_diag_filter filter = {.addrs = track->addrs,
					  .num_addrs = track->num_addrs,
					  .ports = track->ports,
					  .num_ports = track->num_ports};
	struct sock_diag_list list = {.max = AGENT_MAX_CONNS};
	struct tcpconn *conns;
	int err = track->num_addrs == 0 ? 0
					: sock_diag_list(track->agent->diag, SOCK_DIAG_CONNECTED,
							 &filter, tmp, &list);

	if (err != 0) {
		return err;
	}
	conns = talloc_array(tmp, struct tcpconn, list.num);
	if (conns == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < list.num; i++) {
		conns[i] = list.entries[i].conn;
	}
	if (list.cut && !track->cut) {
		say_problem(track, "too many connections: not all are tracked", E2BIG);
	}
	track->cut = list.cut;
	return tracker_update(track->tracker, conns, list.num, conn_changed, track);
}

static void look_now(struct track *track)
{
	TALLOC_CTX *tmp = talloc_new(track);
	int err = look(track, tmp);

	talloc_free(tmp);
	flush(track, "gone", &track->gone);
	flush(track, "new", &track->come);
	if (err != 0 && err != track->listing_err) {
		say_problem(track, "connections cannot be listed", err);
	}
	track->listing_err = err;
}

static void on_timer(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		     void *private_data);

static void look_later(struct track *track, uint64_t pause_us)
{
	talloc_free(track->timer);
	track->timer =
		mono_timer_add(track->agent->ev, track, (pause_us + 999) / 1000, on_timer, track);
	if (track->timer == NULL) {
		track->ended = true;
		track->end_err = ENOMEM;
	}
}

static void on_timer(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		     void *private_data)
{
	struct track *track = talloc_get_type_abort(private_data, struct track);
	uint64_t pause_us = UINT64_C(1000) * track->agent->options->interval_ms;
	uint64_t began_us = clock_us(), took_us;

	track->timer = NULL;
	/* A slow reader gets the current state later, not all changes. */
	if (lines_flushed(track->lines)) {
		look_now(track);
	}
	took_us = clock_us() - began_us;
	look_later(track, took_us * DUTY > pause_us ? took_us * DUTY : pause_us);
}

/* --- requests --- */

/* {"watch": ["10.0.0.1", ...], "ports": [445, ...]}: from now on these; no ports: all. */
static int do_watch(struct track *track, const json_t *request)
{
	const json_t *addrs = json_object_get(request, "watch");
	const json_t *ports = json_object_get(request, "ports");
	size_t num = json_array_size(addrs), num_ports = json_array_size(ports);
	uint16_t wanted[TRACK_MAX_PORTS];
	struct ipaddr *list;

	if (!json_is_array(addrs) || num > TRACK_MAX_ADDRS || num_ports > TRACK_MAX_PORTS) {
		return EINVAL;
	}
	list = talloc_array(track, struct ipaddr, num);
	if (list == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < num; i++) {
		const char *text = json_string_value(json_array_get(addrs, i));

		if (text == NULL || ipaddr_parse(text, &list[i]) != 0) {
			talloc_free(list);
			return EINVAL;
		}
	}
	for (size_t i = 0; i < num_ports; i++) {
		json_int_t port = json_integer_value(json_array_get(ports, i));

		if (port < 1 || port > UINT16_MAX) {
			talloc_free(list);
			return EINVAL;
		}
		wanted[i] = (uint16_t)port;
	}
	memcpy(track->ports, wanted, num_ports * sizeof(wanted[0]));
	track->num_ports = num_ports;
	talloc_free(track->addrs);
	track->addrs = list;
	track->num_addrs = num;
	look_now(track);
	return 0;
}

/* {"connections": ["10.0.0.1:445 10.0.0.9:50000", ...]}: for the next "tickle". */
static int do_connections(struct track *track, const json_t *request)
{
	const json_t *texts = json_object_get(request, "connections");
	size_t num = json_array_size(texts);
	struct tcpconn *more;

	if (num > AGENT_MAX_CONNS - track->num_pending) {
		return E2BIG;
	}
	more = talloc_realloc(track, track->pending, struct tcpconn, track->num_pending + num);
	if (more == NULL && num > 0) {
		return ENOMEM;
	}
	track->pending = more;
	for (size_t i = 0; i < num; i++) {
		const char *text = json_string_value(json_array_get(texts, i));

		if (text == NULL || tcpconn_parse(text, &more[track->num_pending]) != 0) {
			return EINVAL;
		}
		track->num_pending++;
	}
	return 0;
}

static void tickled(struct tevent_req *req)
{
	struct job *job = tevent_req_callback_data(req, struct job);
	struct tickler_result result = {.conns = 0};
	char ip[IPADDR_STRLEN];
	int err = tickler_recv(req, &result);

	err = err != 0 ? err : result.last_error;
	say(job->track,
	    json_pack("{s:s, s:I, s:I, s:I, s:i, s:s*}", "tickled", ipaddr_format(&job->ip, ip),
		      "connections", (json_int_t)result.conns, "sent", (json_int_t)result.sent,
		      "failed", (json_int_t)result.failed, "waited_ms", (int)result.waited_ms,
		      "error", err != 0 ? strerror(err) : NULL));
	talloc_free(job);
}

/* {"tickle": "10.0.0.1"}: those that were listed before. */
static int do_tickle(struct track *track, const json_t *request)
{
	const char *text = json_string_value(json_object_get(request, "tickle"));
	struct tickler_config config = {.netaddr = track->agent->netaddr,
					.sender = track->agent->sender,
					.wait_ms = track->agent->options->wait_ms};
	size_t num = track->num_pending;
	struct job *job = talloc_zero(track, struct job);
	struct tcpconn *conns;
	struct tevent_req *req;

	track->num_pending = 0;
	if (job == NULL) {
		TALLOC_FREE(track->pending);
		return ENOMEM;
	}
	conns = talloc_move(job, &track->pending);
	if (text == NULL || ipaddr_parse(text, &job->ip) != 0) {
		talloc_free(job);
		return EINVAL;
	}
	if (config.sender == NULL) {
		talloc_free(job);
		return EPERM;
	}
	job->track = track;
	req = tickler_send(job, track->agent->ev, &config, &job->ip, conns, num);
	if (req == NULL) {
		talloc_free(job);
		return ENOMEM;
	}
	tevent_req_set_callback(req, tickled, job);
	return 0;
}

/* {"reset": "10.0.0.1"}: sockets that were left behind when the address went. */
static int do_reset(struct track *track, const json_t *request)
{
	const char *text = json_string_value(json_object_get(request, "reset"));
	struct netaddr_links links;
	struct ipaddr ip;
	struct sock_diag_filter filter = {.addrs = &ip, .num_addrs = 1};
	size_t num = 0;
	int err;

	if (text == NULL || ipaddr_parse(text, &ip) != 0) {
		return EINVAL;
	}
	err = netaddr_find(track->agent->netaddr, &ip, &links);
	if (err == 0 && links.num == 0) {
		err = agent_reset(track->agent, &filter, &num);
	}
	if (err == 0) {
		say(track, json_pack("{s:s, s:I}", "reset", text, "connections", (json_int_t)num));
	}
	return err;
}

static const struct {
	const char *key;
	int (*fn)(struct track *track, const json_t *request);
} requests[] = {
	{"watch", do_watch},
	{"connections", do_connections},
	{"tickle", do_tickle},
	{"reset", do_reset},
};

static void on_line(void *private_data, char *line)
{
	struct track *track = private_data;
	json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	int err = EINVAL;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (json_object_get(request, requests[i].key) != NULL) {
			err = requests[i].fn(track, request);
			break;
		}
	}
	if (err != 0) {
		say_problem(track, "a request failed", err);
	}
	json_decref(request);
}

static void on_closed(void *private_data, int err)
{
	struct track *track = private_data;

	track->ended = true;
	track->end_err = err;
}

static int track_destructor(struct track *track)
{
	json_decref(track->come);
	json_decref(track->gone);
	return 0;
}

int agent_track(TALLOC_CTX *mem_ctx, struct agent *agent)
{
	struct track *track = talloc_zero(mem_ctx, struct track);
	struct lines_handlers handlers = {track, on_line, on_closed};
	int err = ENOMEM;

	if (track != NULL) {
		track->agent = agent;
		track->come = json_array();
		track->gone = json_array();
		talloc_set_destructor(track, track_destructor);
		track->tracker = tracker_new(track);
		err = track->tracker == NULL
			      ? ENOMEM
			      : lines_create(track, agent->ev, STDIN_FILENO, STDOUT_FILENO,
					     &handlers, &track->lines);
	}
	if (err != 0) {
		return agent_failed("%s", strerror(err));
	}
	say(track,
	    json_pack("{s:s, s:b}", "ready", WITNESSD_VERSION, "can_send", agent->sender != NULL));
	look_later(track, UINT64_C(1000) * agent->options->interval_ms);
	while (!track->ended) {
		if (tevent_loop_once(agent->ev) != 0) {
			return agent_failed("event loop: %s", strerror(errno));
		}
	}
	err = track->end_err;
	talloc_free(track);
	return err == 0 ? AGENT_OK : agent_failed("%s", strerror(err));
}
