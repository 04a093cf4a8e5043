/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of threads: work that hangs holds up neither the loop, nor others, nor the end. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/auth_rig.h"
#include "witnessd/rpc/auth_private.h"

/* What a job reports to: outlives it. */
struct tally {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int started;
	unsigned int discarded;
	unsigned int done; /* loop only */
	pthread_t loop;
};

struct job {
	struct auth_job job;
	struct tally *tally;
	int block_fd; /* read a byte from it first, or -1 */
};

static void count(struct tally *tally, unsigned int *what)
{
	pthread_mutex_lock(&tally->lock);
	(*what)++;
	pthread_cond_broadcast(&tally->changed);
	pthread_mutex_unlock(&tally->lock);
}

static unsigned int get(struct tally *tally, const unsigned int *what)
{
	unsigned int n;

	pthread_mutex_lock(&tally->lock);
	n = *what;
	pthread_mutex_unlock(&tally->lock);
	return n;
}

static void wait_for(struct tally *tally, const unsigned int *what, unsigned int n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&tally->lock);
	while (*what < n) {
		assert_int_equal(pthread_cond_timedwait(&tally->changed, &tally->lock, &until), 0);
	}
	pthread_mutex_unlock(&tally->lock);
}

static void job_run(struct auth_job *job)
{
	struct job *j = (struct job *)job;
	char c;

	count(j->tally, &j->tally->started);
	if (j->block_fd != -1 && read(j->block_fd, &c, 1) != 1) {
		abort();
	}
}

static void job_done(struct auth_job *job)
{
	struct job *j = (struct job *)job;

	assert_true(pthread_equal(pthread_self(), j->tally->loop));
	j->tally->done++;
	free(j);
}

static void job_discard(struct auth_job *job)
{
	struct job *j = (struct job *)job;

	count(j->tally, &j->tally->discarded);
	free(j);
}

static struct job *submit(struct auth_pool *pool, struct tally *tally, int block_fd)
{
	struct job *j = calloc(1, sizeof(*j));

	j->job.run = job_run;
	j->job.done = job_done;
	j->job.discard = job_discard;
	j->tally = tally;
	j->block_fd = block_fd;
	assert_int_equal(auth_pool_submit(pool, &j->job), 0);
	return j;
}

struct rig {
	struct tevent_context *ev;
	struct auth_pool *pool;
	struct tally tally;
	int pipe[2];
};

static void loop_until_done(struct rig *rig, unsigned int n)
{
	while (rig->tally.done < n) {
		assert_int_equal(tevent_loop_once(rig->ev), 0);
	}
}

static void unblock(struct rig *rig, size_t n)
{
	while (n-- > 0) {
		assert_int_equal(write(rig->pipe[1], "x", 1), 1);
	}
}

static void jobs_are_all_done_on_the_loop(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 500; i++) {
		submit(rig->pool, &rig->tally, -1);
	}
	loop_until_done(rig, 500);
	assert_int_equal(get(&rig->tally, &rig->tally.started), 500);
	assert_int_equal(get(&rig->tally, &rig->tally.discarded), 0);
}

static void tick(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *p)
{
	(*(unsigned int *)p)++;
}

static void a_blocked_job_does_not_stop_loop_or_others(void **state)
{
	struct rig *rig = *state;
	unsigned int ticks = 0;

	submit(rig->pool, &rig->tally, rig->pipe[0]);
	wait_for(&rig->tally, &rig->tally.started, 1);
	for (unsigned int i = 0; i < 50; i++) {
		assert_non_null(tevent_add_timer(
			rig->ev, rig->pool, tevent_timeval_current_ofs(0, 1000 * i), tick, &ticks));
		submit(rig->pool, &rig->tally, -1);
	}
	while (ticks < 50) {
		assert_int_equal(tevent_loop_once(rig->ev), 0);
	}
	loop_until_done(rig, 50);
	unblock(rig, 1);
	loop_until_done(rig, 51);
}

static void no_more_threads_than_allowed(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 10; i++) {
		submit(rig->pool, &rig->tally, rig->pipe[0]);
	}
	wait_for(&rig->tally, &rig->tally.started, 2);
	for (unsigned int i = 1; i <= 10; i++) {
		assert_in_range(get(&rig->tally, &rig->tally.started), 1, i + 1);
		unblock(rig, 1);
		loop_until_done(rig, i);
	}
}

static void abandoned_jobs_give_up_their_thread(void **state)
{
	struct rig *rig = *state;
	struct job *blocked;

	/* Two at a time, four times over, hang: after that there is no thread for the next one. */
	for (unsigned int i = 1; i <= 8; i++) {
		blocked = submit(rig->pool, &rig->tally, rig->pipe[0]);
		wait_for(&rig->tally, &rig->tally.started, i);
		auth_job_abandon(&blocked->job);
	}
	submit(rig->pool, &rig->tally, -1);
	assert_int_equal(get(&rig->tally, &rig->tally.started), 8);
	assert_int_equal(get(&rig->tally, &rig->tally.discarded), 0);
	unblock(rig, 1);
	loop_until_done(rig, 1);
	unblock(rig, 7);
	wait_for(&rig->tally, &rig->tally.discarded, 8);
	submit(rig->pool, &rig->tally, -1);
	loop_until_done(rig, 2);
}

static void abandoned_before_it_ran_or_after_it(void **state)
{
	struct rig *rig = *state;
	struct job *queued, *finished;

	submit(rig->pool, &rig->tally, rig->pipe[0]);
	submit(rig->pool, &rig->tally, rig->pipe[0]);
	queued = submit(rig->pool, &rig->tally, -1);
	auth_job_abandon(&queued->job);
	assert_int_equal(get(&rig->tally, &rig->tally.discarded), 1);
	wait_for(&rig->tally, &rig->tally.started, 2);
	unblock(rig, 2);
	loop_until_done(rig, 2);

	finished = submit(rig->pool, &rig->tally, -1);
	wait_for(&rig->tally, &rig->tally.started, 3);
	auth_job_abandon(&finished->job); /* running or finished: the loop has not looked yet */
	wait_for(&rig->tally, &rig->tally.discarded, 2);
	assert_int_equal(rig->tally.done, 2);
}

static void freeing_the_pool_does_not_wait_for_ever(void **state)
{
	struct rig *rig = *state;
	struct job *abandoned, *kept, *replacing, *queued;

	abandoned = submit(rig->pool, &rig->tally, rig->pipe[0]);
	kept = submit(rig->pool, &rig->tally, rig->pipe[0]);
	wait_for(&rig->tally, &rig->tally.started, 2);
	auth_job_abandon(&abandoned->job);
	replacing = submit(rig->pool, &rig->tally, rig->pipe[0]);
	wait_for(&rig->tally, &rig->tally.started, 3);
	queued = submit(rig->pool, &rig->tally, -1);
	TALLOC_FREE(rig->pool);
	assert_int_equal(get(&rig->tally, &rig->tally.discarded), 0);
	auth_job_abandon(&queued->job);
	assert_int_equal(get(&rig->tally, &rig->tally.discarded), 1);
	auth_job_abandon(&kept->job);
	auth_job_abandon(&replacing->job);
	unblock(rig, 3);
	wait_for(&rig->tally, &rig->tally.discarded, 4);
	assert_int_equal(rig->tally.done, 0);
}

static void the_queue_is_bounded(void **state)
{
	struct rig *rig = *state;
	struct job *j, *all[2000];
	unsigned int n = 0;
	int err = 0;

	submit(rig->pool, &rig->tally, rig->pipe[0]);
	submit(rig->pool, &rig->tally, rig->pipe[0]);
	wait_for(&rig->tally, &rig->tally.started, 2);
	while (n < 2000) {
		j = calloc(1, sizeof(*j));
		j->job.run = job_run;
		j->job.done = job_done;
		j->job.discard = job_discard;
		j->tally = &rig->tally;
		j->block_fd = -1;
		err = auth_pool_submit(rig->pool, &j->job);
		if (err != 0) {
			free(j);
			break;
		}
		all[n++] = j;
	}
	assert_int_equal(err, EBUSY);
	assert_in_range(n, 100, 1999);
	for (unsigned int i = 0; i < n; i += 2) {
		auth_job_abandon(&all[i]->job);
	}
	unblock(rig, 2);
	loop_until_done(rig, 2 + n / 2);
}

/* A real context's steps, while as many jobs hang as there are threads. */
static void contexts_negotiate_beside_abandoned_hanging_steps(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = {.user = "u", .domain = "D", .password = "p"};
	struct rpc_auth *auth;
	struct rpc_sec *sec;
	uint8_t *out = NULL;
	size_t out_len = 0;
	struct job *blocked[8];

	assert_int_equal(rpc_auth_create(rig, rig->ev, NULL, &auth), 0);
	for (unsigned int i = 0; i < 8; i++) {
		blocked[i] = submit(rpc_auth_pool(auth), &rig->tally, rig->pipe[0]);
	}
	wait_for(&rig->tally, &rig->tally.started, 8);
	assert_int_equal(rpc_sec_initiator(rig, auth, &cred, RPC_AUTH_NTLM, 5, "cifs@h", &sec), 0);
	auth_job_abandon(&blocked[0]->job);
	assert_int_equal(rig_step(rig, rig->ev, sec, NULL, 0, &out, &out_len), 0);
	assert_true(out_len > 0);
	for (unsigned int i = 1; i < 8; i++) {
		auth_job_abandon(&blocked[i]->job);
	}
	talloc_free(sec);
	talloc_free(auth);
	unblock(rig, 8);
	wait_for(&rig->tally, &rig->tally.discarded, 8);
}

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	pthread_mutex_init(&rig->tally.lock, NULL);
	pthread_cond_init(&rig->tally.changed, NULL);
	rig->tally.loop = pthread_self();
	rig->ev = tevent_context_init(rig);
	*state = rig;
	if (pipe(rig->pipe) != 0) {
		return -1;
	}
	return auth_pool_create(rig, rig->ev, 2, &rig->pool);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	TALLOC_FREE(rig->pool);
	close(rig->pipe[0]);
	close(rig->pipe[1]);
	talloc_free(rig);
	return 0;
}

#define POOL_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(jobs_are_all_done_on_the_loop),
		POOL_TEST(a_blocked_job_does_not_stop_loop_or_others),
		POOL_TEST(no_more_threads_than_allowed),
		POOL_TEST(abandoned_jobs_give_up_their_thread),
		POOL_TEST(abandoned_before_it_ran_or_after_it),
		POOL_TEST(freeing_the_pool_does_not_wait_for_ever),
		POOL_TEST(the_queue_is_bounded),
		POOL_TEST(contexts_negotiate_beside_abandoned_hanging_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
