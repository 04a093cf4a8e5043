/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random histories, each from a seed that a failure names: addresses are lost, come back and move while
 * clients ask, cancel, register and leave. Whatever the order, no client may miss a loss, and after it has
 * been told everything it must believe the truth.
 */
#include "tests/unit/swn_fixture.h"

#define SEEDS        200
#define STEPS        400
#define CLIENTS      4
#define NUM_IPS      2
#define MAX_RESOURCE SWN_QUEUE_CHANGES

static const char *const ips[NUM_IPS] = {"10.0.0.7", "10.0.0.8"};
static const char *const places[] = {"n1", "n2", "n3", NULL};

struct client {
	bool registered;
	struct swn_handle handle;
	unsigned int ip;
	struct swn_fix_call *call;
	bool believes_up;
	bool missed_loss; /* lost, or moved, since it was last told anything while it believed "up" */
};

struct world {
	struct swn_fix *fix;
	unsigned int place[NUM_IPS];
	struct client clients[CLIENTS];
	unsigned int seed, told;
};

#define CHECK(world, expression)                                                                   \
	do {                                                                                       \
		if (!(expression)) {                                                               \
			fail_msg("seed %u: %s", (world)->seed, #expression);                       \
		}                                                                                  \
	} while (0)

static bool is_up(const struct world *world, unsigned int ip)
{
	return places[world->place[ip]] != NULL;
}

static void show(struct world *world)
{
	fix_place(world->fix, places[world->place[0]], places[world->place[1]]);
}

static void move_something(struct world *world)
{
	unsigned int ip = (unsigned int)random() % NUM_IPS;
	unsigned int before = world->place[ip];

	world->place[ip] = (unsigned int)random() % 4;
	if (world->place[ip] == before) {
		return;
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &world->clients[i];

		if (client->registered && client->ip == ip && places[before] != NULL &&
		    client->believes_up) {
			client->missed_loss = true;
		}
	}
	show(world);
}

static void begin(struct world *world, struct client *client)
{
	struct swn_register args = fix_args();
	bool ex = random() % 2 == 0;

	client->ip = (unsigned int)random() % NUM_IPS;
	args.ip_address = ips[client->ip];
	args.version = ex ? SWN_VERSION_2 : SWN_VERSION_1;
	client->handle = fix_register_ok(world->fix, ex, &args);
	client->registered = true;
	client->believes_up = true;
	client->missed_loss = !is_up(world, client->ip);
}

/* Believe what the call was told. */
static void learn(struct world *world, struct client *client)
{
	uint32_t werror;
	struct swn_notify *n = fix_notify(client->call, &werror);

	CHECK(world, werror == SWN_SUCCESS);
	CHECK(world, n->type == SWN_RESOURCE_CHANGE);
	CHECK(world, n->num_changes > 0 && n->num_changes <= MAX_RESOURCE);
	for (size_t i = 0; i < n->num_changes; i++) {
		bool up = n->changes[i].state == SWN_RESOURCE_AVAILABLE;

		CHECK(world, strcmp(n->changes[i].name, ips[client->ip]) == 0);
		CHECK(world, up != client->believes_up); /* news, every one of them */
		if (!up) {
			client->missed_loss = false;
		}
		client->believes_up = up;
	}
	CHECK(world, !client->missed_loss);
	TALLOC_FREE(client->call);
	world->told++;
}

/* Let replies go out, and see who was answered. */
static void deliver(struct world *world)
{
	fix_pump(world->fix);
	for (int i = 0; i < CLIENTS; i++) {
		if (world->clients[i].call != NULL && world->clients[i].call->done) {
			learn(world, &world->clients[i]);
		}
	}
}

static void ask(struct world *world, struct client *client)
{
	uint8_t *stub;
	size_t len;

	if (!client->registered || client->call != NULL) {
		return;
	}
	assert_int_equal(swn_push_handle(world->fix, &client->handle, &stub, &len), 0);
	client->call = fix_send(world->fix, SWN_ASYNC_NOTIFY, stub, len);
	talloc_free(stub);
}

static void leave(struct world *world, struct client *client)
{
	TALLOC_FREE(client->call);
	CHECK(world, fix_unregister(world->fix, &client->handle) == SWN_SUCCESS);
	client->registered = false;
}

/* Perhaps while its reply is under way; but what has come has come. */
static void cancel(struct world *world, struct client *client)
{
	if (client->call != NULL && client->call->done) {
		learn(world, client);
	}
	TALLOC_FREE(client->call);
}

static void step(struct world *world)
{
	struct client *client = &world->clients[random() % CLIENTS];
	long what = random() % 100;

	if (!client->registered) {
		begin(world, client);
	} else if (what < 40) {
		move_something(world);
	} else if (what < 65) {
		ask(world, client);
	} else if (what < 75) {
		cancel(world, client);
	} else if (what < 97) {
		deliver(world);
	} else {
		deliver(world);
		leave(world, client);
	}
}

/* Everybody asks until there is nothing more to hear: now they must know the truth. */
static void drain(struct world *world)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &world->clients[i];
		unsigned int rounds = 0;

		do {
			deliver(world);
			ask(world, client);
			deliver(world);
			CHECK(world, ++rounds < 4);
		} while (client->registered && client->call == NULL);
		if (client->registered) {
			CHECK(world, client->believes_up == is_up(world, client->ip));
			CHECK(world, !client->missed_loss);
		}
	}
}

static void run_seed(unsigned int seed, unsigned int *told)
{
	struct world world = {.fix = fix_new(), .seed = seed};

	srandom(seed);
	world.fix->config.reregister_delay_s = 0;
	fix_start(world.fix);
	show(&world);
	for (int i = 0; i < STEPS; i++) {
		step(&world);
		if (i % 97 == 0) {
			drain(&world);
		}
	}
	drain(&world);
	for (int i = 0; i < CLIENTS; i++) {
		if (world.clients[i].registered) {
			leave(&world, &world.clients[i]);
		}
	}
	CHECK(&world, swn_registry_count(world.fix->service->registry) == 0);
	*told += world.told;
	talloc_free(world.fix);
}

static void no_history_hides_a_loss_or_ends_in_a_lie(void **state)
{
	unsigned int told = 0;

	for (unsigned int seed = 1; seed <= SEEDS; seed++) {
		run_seed(seed, &told);
	}
	assert_true(told > SEEDS * 10); /* the histories do tell somebody something */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_history_hides_a_loss_or_ends_in_a_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
