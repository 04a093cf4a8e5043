/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many seeded stories of nodes that write, die, return, are cut off and found again, over a network that
 * reorders among senders, refuses and loses. However it went: once it is quiet, everybody knows exactly
 * what each living node owns, and nothing else.
 */
#include "tests/unit/peers_net.h"

#define SEEDS 60
#define STEPS 400
#define KEYS  12

struct story {
	struct net *net;
	char *owned[NET_NODES][KEYS]; /* the value; NULL: none */
	unsigned int counter;
};

static void write_something(struct story *story, unsigned int num)
{
	unsigned int key = net_random(story->net) % KEYS;
	char name[8], value[16];

	if (story->net->nodes[num].peers == NULL) {
		return;
	}
	snprintf(name, sizeof(name), "k%02u", key);
	if (net_random(story->net) % 3 == 0) {
		assert_int_equal(net_delete(story->net, num, REG, name),
				 story->owned[num][key] != NULL ? 0 : ENOENT);
		TALLOC_FREE(story->owned[num][key]);
		return;
	}
	snprintf(value, sizeof(value), "%u", ++story->counter);
	net_put(story->net, num, REG, name, value);
	talloc_free(story->owned[num][key]);
	story->owned[num][key] = talloc_strdup(story->net, value);
}

static void kill_or_start(struct story *story, unsigned int num)
{
	if (story->net->nodes[num].peers == NULL) {
		net_start(story->net, num);
		return;
	}
	net_kill(story->net, num);
	for (unsigned int i = 0; i < KEYS; i++) {
		TALLOC_FREE(story->owned[num][i]);
	}
}

static void step(struct story *story)
{
	struct net *net = story->net;
	unsigned int num = net_random(net) % NET_NODES;
	unsigned int what = net_random(net) % 100;

	if (what < 55) {
		write_something(story, num);
	} else if (what < 58) {
		kill_or_start(story, num);
	} else if (what < 62) {
		net_partition(net, net_random(net) % 15 + 1, net_random(net) % 2 == 0);
	} else if (what < 66) {
		net->nodes[num].refuse = net->nodes[num].refuse == 0 ? EAGAIN : 0;
	} else if (what < 68) {
		net->nodes[num].losses = net_random(net) % 3;
	} else if (what < 70) {
		net->now_us += net_random(net) % 5000000;
	} else if (what < 85) {
		net_turn(net);
	}
	for (unsigned int i = net_random(net) % 4; i > 0; i--) {
		(void)net_deliver(net);
	}
}

static void make_peace(struct story *story)
{
	struct net *net = story->net;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		net->nodes[i].refuse = 0;
		net->nodes[i].losses = 0;
		for (unsigned int j = 0; j < i; j++) {
			net_link(net, i, j, true);
		}
		if (net->nodes[i].peers == NULL) {
			net_start(net, i);
		}
	}
	/* A last loss shows with the next message only. */
	for (unsigned int i = 0; i < NET_NODES; i++) {
		for (unsigned int j = 0; j < 40; j++) {
			write_something(story, i);
		}
	}
	net_pass(net, 3000);
	net->now_us += UINT64_C(65000000);
	net_pass(net, 100);
}

static char *expected(struct story *story)
{
	char *text = talloc_strdup(story->net, "");

	for (unsigned int i = 0; i < NET_NODES; i++) {
		for (unsigned int key = 0; key < KEYS; key++) {
			if (story->owned[i][key] != NULL) {
				text = talloc_asprintf_append(text, "n%u/k%02u=%s ", i + 1, key,
							      story->owned[i][key]);
			}
		}
	}
	return text;
}

static void everybody_agrees_in_the_end(void **state)
{
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct story story = {.net = net_new(seed)};
		char *text;

		for (unsigned int i = 0; i < STEPS; i++) {
			step(&story);
		}
		make_peace(&story);
		text = expected(&story);
		for (unsigned int i = 0; i < NET_NODES; i++) {
			char *view = net_view(story.net, i, REG);

			if (strcmp(view, text) != 0) {
				fail_msg("seed %u: n%u knows\n%s\nand should\n%s", seed, i + 1,
					 view, text);
			}
		}
		for (unsigned int i = 0; i < NET_NODES; i++) {
			talloc_free(story.net->nodes[i].peers);
		}
		talloc_free(story.net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_agrees_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
