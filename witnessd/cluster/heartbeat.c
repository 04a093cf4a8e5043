/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/heartbeat.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

#define MAX_NODES 128U

struct heartbeat {
	struct tevent_context *ev;
	struct peers *peers;
	struct heartbeat_config config;
	struct suspicion *suspicion;
	struct wheel *wheel;
	struct wheel_timer timer;
	uint64_t next_beat_ms;
};

static uint64_t now_ms(const struct heartbeat *hb)
{
	return wheel_now_us(hb->wheel) / 1000;
}

/* --- the log --- */

/* Log each change of the opinion about a node, in one line. */
static void log_view(TALLOC_CTX *tmp, const struct suspicion_view *view, uint64_t silent_ms)
{
	const char *node = log_escape(tmp, view->node);
	unsigned long long ms = silent_ms;

	if (view->dead != view->was_dead && view->dead) {
		log_warn("heartbeat: node %s counts as dead: silent for %llu ms, does not answer, "
			 "and %u of %u nodes agree",
			 node, ms, view->votes, view->total);
	} else if (view->dead != view->was_dead) {
		log_notice("heartbeat: node %s does not count as dead any more", node);
	} else if (view->say == view->was_say) {
		return;
	} else if (view->say == SUSPICION_HEARD && view->was_say >= SUSPICION_SILENT) {
		log_notice("heartbeat: the witness of node %s is heard again", node);
	} else if (view->say == SUSPICION_PROVEN) {
		log_notice("heartbeat: no beat of the witness of node %s for %llu ms, and the node "
			   "does not answer: suspected by %u of %u nodes",
			   node, ms, view->votes, view->total);
	} else if (view->say == SUSPICION_SILENT && view->was_say != SUSPICION_PROVEN) {
		log_notice("heartbeat: no beat of the witness of node %s for %llu ms", node, ms);
	}
}

static void log_changes(const struct heartbeat *hb)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct suspicion_view view;

	for (size_t i = 0; suspicion_view(hb->suspicion, i, &view); i++) {
		log_view(tmp, &view, now_ms(hb) - view.heard_ms);
	}
	talloc_free(tmp);
}

/* --- beats --- */

static void send_beat(struct heartbeat *hb)
{
	struct suspicion_opinion opinions[MAX_NODES];
	struct peers_beat beat = {.interval_ms = hb->config.interval_ms, .opinions = opinions};
	struct suspicion_view view;

	while (beat.num < MAX_NODES && suspicion_view(hb->suspicion, beat.num, &view)) {
		opinions[beat.num++] =
			(struct suspicion_opinion){.node = view.node, .say = view.say};
	}
	(void)peers_beat(hb->peers, &beat); /* no member, or no memory: the next one */
	hb->next_beat_ms = now_ms(hb) + hb->config.interval_ms;
}

/* @return whether a verdict has changed */
static bool judge(struct heartbeat *hb, const struct cluster_state *manager)
{
	unsigned int changed = suspicion_tick(hb->suspicion, manager, now_ms(hb));

	if (changed == 0) {
		return false;
	}
	log_changes(hb);
	if ((changed & SUSPICION_OPINION_CHANGED) != 0) {
		send_beat(hb);
	}
	return (changed & SUSPICION_VERDICT_CHANGED) != 0;
}

static void judge_and_tell(struct heartbeat *hb)
{
	if (judge(hb, hb->config.manager(hb->config.private_data))) {
		hb->config.changed(hb->config.private_data);
	}
}

static void tick(void *private_data);

static void take_beat(void *private_data, const char *node, const struct peers_beat *beat)
{
	struct heartbeat *hb = talloc_get_type_abort(private_data, struct heartbeat);

	if (beat == NULL) {
		suspicion_sign(hb->suspicion, node, now_ms(hb));
		return;
	}
	if (suspicion_beat(hb->suspicion, node, beat->interval_ms, now_ms(hb)) == 0) {
		(void)suspicion_says(hb->suspicion, node, beat->opinions, beat->num);
	}
	/* Not from within this function: what follows from a verdict may call the peers. */
	wheel_arm(hb->wheel, &hb->timer, 0, tick, hb);
}

static void hear_peers(void *private_data, const struct peers_event *event)
{
	struct heartbeat *hb = talloc_get_type_abort(private_data, struct heartbeat);

	if (event->type == PEERS_OWNER_GONE) {
		suspicion_left(hb->suspicion, event->node);
	} else if (event->type == PEERS_OWNER_BACK) {
		send_beat(hb);
	}
}

/* --- probes --- */

struct probe {
	struct heartbeat *hb;
	const char *node;
};

static void probed(struct tevent_req *req)
{
	struct probe *probe = tevent_req_callback_data(req, struct probe);
	struct heartbeat *hb = probe->hb;
	int err = hb->config.ops->probe_node_recv(req);
	enum suspicion_answer answer = SUSPICION_CANNOT_TELL;

	if (err == 0) {
		answer = SUSPICION_ANSWERED;
	} else if (err == ETIMEDOUT || err == EHOSTUNREACH) {
		answer = SUSPICION_UNANSWERED;
	}
	talloc_free(req);
	log_debug("heartbeat: probe of node %s: %s", log_escape(probe, probe->node),
		  err == 0 ? "it answers" : strerror(err));
	suspicion_answer(hb->suspicion, probe->node, answer);
	talloc_free(probe);
	judge_and_tell(hb);
}

/* @return 0; otherwise nobody will answer */
static int start_probe(struct heartbeat *hb, const char *node)
{
	struct probe *probe = talloc_zero(hb, struct probe);
	struct tevent_req *req;

	if (probe == NULL) {
		return ENOMEM;
	}
	probe->hb = hb;
	probe->node = talloc_strdup(probe, node);
	req = probe->node == NULL
		      ? NULL
		      : hb->config.ops->probe_node_send(probe, hb->ev, hb->config.backend, node,
							suspicion_probe_timeout(hb->suspicion));
	if (req == NULL) {
		talloc_free(probe);
		return ENOMEM;
	}
	tevent_req_set_callback(req, probed, probe);
	return 0;
}

static void ask(struct heartbeat *hb)
{
	const char *node;

	if (hb->config.ops == NULL) {
		return;
	}
	while ((node = suspicion_ask(hb->suspicion, now_ms(hb))) != NULL) {
		if (start_probe(hb, node) != 0) {
			suspicion_answer(hb->suspicion, node, SUSPICION_CANNOT_TELL);
			return;
		}
	}
}

/* --- the clock --- */

static uint64_t next_tick_ms(const struct heartbeat *hb)
{
	uint64_t now = now_ms(hb), half = hb->config.interval_ms / 2;
	uint64_t left = hb->next_beat_ms > now ? hb->next_beat_ms - now : 0;

	return left < half ? left : half;
}

static void tick(void *private_data)
{
	struct heartbeat *hb = talloc_get_type_abort(private_data, struct heartbeat);

	ask(hb);
	judge_and_tell(hb);
	if (now_ms(hb) >= hb->next_beat_ms) {
		send_beat(hb);
	}
	wheel_arm(hb->wheel, &hb->timer, next_tick_ms(hb), tick, hb);
}

static int heartbeat_destructor(struct heartbeat *hb)
{
	wheel_cancel(&hb->timer);
	peers_set_beat_handler(hb->peers, NULL, NULL);
	peers_unlisten(hb->peers, hear_peers, hb);
	return 0;
}

int heartbeat_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
		     const struct heartbeat_config *config, struct heartbeat **out)
{
	struct heartbeat *hb = talloc_zero(mem_ctx, struct heartbeat);
	int err;

	if (hb == NULL) {
		return ENOMEM;
	}
	hb->ev = ev;
	hb->peers = peers;
	hb->config = *config;
	err = suspicion_create(hb, config->timeout_ms, &hb->suspicion);
	if (err == 0) {
		err = wheel_create(hb, ev, config->clock, config->clock_private, &hb->wheel);
	}
	if (err == 0) {
		err = peers_listen(peers, PEERS_REGISTRATION, hear_peers, hb);
	}
	if (err != 0) {
		talloc_free(hb);
		return err;
	}
	talloc_set_destructor(hb, heartbeat_destructor);
	peers_set_beat_handler(peers, take_beat, hb);
	wheel_arm(hb->wheel, &hb->timer, 0, tick, hb);
	*out = hb;
	return 0;
}

void heartbeat_manager(struct heartbeat *hb, const struct cluster_state *manager)
{
	(void)judge(hb, manager);
}

bool heartbeat_is_dead(const struct heartbeat *hb, const char *node)
{
	return suspicion_is_dead(hb->suspicion, node);
}

json_t *heartbeat_status_json(const struct heartbeat *hb)
{
	static const char *const names[] = {
		[SUSPICION_NO_SAY] = "not heard",
		[SUSPICION_HEARD] = "beating",
		[SUSPICION_SILENT] = "silent",
		[SUSPICION_PROVEN] = "suspected",
	};
	json_t *nodes = json_array();
	struct suspicion_view view;

	for (size_t i = 0; suspicion_view(hb->suspicion, i, &view); i++) {
		json_array_append_new(
			nodes, json_pack("{s:o, s:s, s:I}", "node", text_json(view.node), "state",
					 view.dead ? "dead" : names[view.say], "silent_ms",
					 (json_int_t)(now_ms(hb) - view.heard_ms)));
	}
	return json_pack("{s:I, s:I, s:o}", "interval_ms", (json_int_t)hb->config.interval_ms,
			 "timeout_ms", (json_int_t)hb->config.timeout_ms, "nodes", nodes);
}

void heartbeat_run(struct heartbeat *hb)
{
	wheel_run(hb->wheel);
}
