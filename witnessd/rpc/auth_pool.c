/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/auth_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_THREADS 8
#define STUCK_FACTOR    4 /* threads at most = this times the usual number */
#define QUEUE_MAX       1024
#define CLOSE_WAIT_SEC  1

/* Shared by the pool, its threads and its jobs; malloc'ed, gone with the last of them. */
struct auth_pool_core {
	pthread_mutex_t lock;
	pthread_cond_t work; /* something is queued, or the pool is closed */
	pthread_cond_t gone; /* a thread has ended */
	struct qb_list_head queue;
	struct qb_list_head finished;
	size_t num_queued;
	unsigned int max_threads;
	unsigned int threads;
	unsigned int idle;
	unsigned int stuck; /* threads running a job that was abandoned */
	unsigned int refs;
	int wake_fd;
	bool closed;
	/* Closed, and the pool waits for them: the threads that have ended and are to be joined. */
	bool joins;
	pthread_t *ended; /* room for all that there can be */
	unsigned int num_ended;
};

struct auth_pool {
	struct auth_pool_core *core;
	struct tevent_fd *fde;
};

/* The lock is held on entry and released. */
static void core_unref_unlock(struct auth_pool_core *core)
{
	bool last = --core->refs == 0;

	pthread_mutex_unlock(&core->lock);
	if (!last) {
		return;
	}
	close(core->wake_fd);
	pthread_cond_destroy(&core->work);
	pthread_cond_destroy(&core->gone);
	pthread_mutex_destroy(&core->lock);
	free(core->ended);
	free(core);
}

static struct auth_pool_core *core_create(unsigned int max_threads)
{
	struct auth_pool_core *core = calloc(1, sizeof(*core));
	pthread_condattr_t attr;

	if (core == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	core->max_threads = max_threads == 0 ? DEFAULT_THREADS : max_threads;
	core->ended = calloc((size_t)core->max_threads * STUCK_FACTOR, sizeof(*core->ended));
	core->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (core->ended == NULL || core->wake_fd == -1) {
		if (core->wake_fd != -1) {
			close(core->wake_fd);
			errno = ENOMEM;
		}
		free(core->ended);
		free(core);
		return NULL;
	}
	pthread_mutex_init(&core->lock, NULL);
	pthread_cond_init(&core->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&core->gone, &attr);
	pthread_condattr_destroy(&attr);
	qb_list_init(&core->queue);
	qb_list_init(&core->finished);
	core->refs = 1;
	return core;
}

static void job_unlink(struct auth_pool_core *core, struct auth_job *job)
{
	if (job->state == AUTH_JOB_QUEUED) {
		core->num_queued--;
	}
	qb_list_del(&job->link);
}

/* Lock held. A thread without work ends if there are too many because of replacements. */
static bool thread_wanted(const struct auth_pool_core *core)
{
	return !core->closed && core->threads - core->stuck <= core->max_threads;
}

/* Run the first of the queue. Lock held, released meanwhile. */
static void run_one(struct auth_pool_core *core)
{
	struct auth_job *job = qb_list_first_entry(&core->queue, struct auth_job, link);
	static const uint64_t one = 1;

	job_unlink(core, job);
	job->state = AUTH_JOB_RUNNING;
	pthread_mutex_unlock(&core->lock);
	job->run(job);
	pthread_mutex_lock(&core->lock);
	if (job->abandoned) {
		core->stuck--;
		core->refs--; /* the job's; the thread has its own */
		pthread_mutex_unlock(&core->lock);
		job->discard(job);
		pthread_mutex_lock(&core->lock);
		return;
	}
	job->state = AUTH_JOB_FINISHED;
	qb_list_add_tail(&job->link, &core->finished);
	/* Can fail only when the counter is full, and then the loop has been woken already. */
	if (write(core->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one)) {
		return;
	}
}

/*
 * Libraries free per-thread data when a thread ends, and global data when the process does: these must not
 * overlap, so freeing the pool waits until its threads have really ended. Lock held.
 */
static void leave_thread(struct auth_pool_core *core)
{
	core->threads--;
	if (core->joins) {
		core->ended[core->num_ended++] = pthread_self();
	} else {
		pthread_detach(pthread_self());
	}
	pthread_cond_broadcast(&core->gone);
}

static void *thread_main(void *arg)
{
	struct auth_pool_core *core = arg;

	pthread_mutex_lock(&core->lock);
	while (thread_wanted(core)) {
		if (!qb_list_empty(&core->queue)) {
			run_one(core);
			continue;
		}
		core->idle++;
		pthread_cond_wait(&core->work, &core->lock);
		core->idle--;
	}
	leave_thread(core);
	core_unref_unlock(core);
	return NULL;
}

/* Start a thread with all signals blocked: they are for the loop. Lock held. */
static int thread_start(struct auth_pool_core *core)
{
	sigset_t all, old;
	pthread_t thread;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&thread, NULL, thread_main, core);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret == 0) {
		core->threads++;
		core->refs++;
	}
	return ret;
}

/* Make sure that there is a thread for what is queued. Lock held. @return whether there is */
static bool provide_thread(struct auth_pool_core *core)
{
	unsigned int usable = core->threads - core->stuck;

	if (core->num_queued <= core->idle) {
		pthread_cond_signal(&core->work);
		return true;
	}
	if (usable < core->max_threads && core->threads < core->max_threads * STUCK_FACTOR &&
	    thread_start(core) == 0) {
		return true;
	}
	pthread_cond_signal(&core->work);
	return usable > 0;
}

static struct auth_job *take_finished(struct auth_pool_core *core)
{
	struct auth_job *job = NULL;

	pthread_mutex_lock(&core->lock);
	if (!core->closed && !qb_list_empty(&core->finished)) {
		job = qb_list_first_entry(&core->finished, struct auth_job, link);
		qb_list_del(&job->link);
		job->state = AUTH_JOB_IDLE;
		job->core = NULL;
		core->refs--; /* the pool's keeps the core */
	}
	pthread_mutex_unlock(&core->lock);
	return job;
}

static void pool_handler(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			 void *private_data)
{
	struct auth_pool *pool = talloc_get_type_abort(private_data, struct auth_pool);
	struct auth_pool_core *core = pool->core;
	struct auth_job *job;
	uint64_t count;

	if (read(core->wake_fd, &count, sizeof(count)) != (ssize_t)sizeof(count)) {
		return;
	}
	/* A job's done() may free the pool. */
	pthread_mutex_lock(&core->lock);
	core->refs++;
	pthread_mutex_unlock(&core->lock);
	while ((job = take_finished(core)) != NULL) {
		job->done(job);
	}
	pthread_mutex_lock(&core->lock);
	core_unref_unlock(core);
}

static int pool_destructor(struct auth_pool *pool)
{
	struct auth_pool_core *core = pool->core;
	struct timespec until;

	TALLOC_FREE(pool->fde);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += CLOSE_WAIT_SEC;
	pthread_mutex_lock(&core->lock);
	core->closed = core->joins = true;
	pthread_cond_broadcast(&core->work);
	while (core->threads > core->stuck) {
		if (pthread_cond_timedwait(&core->gone, &core->lock, &until) == ETIMEDOUT) {
			break; /* a hanging thread frees its own memory */
		}
	}
	core->joins = false; /* and nobody waits for it */
	pthread_mutex_unlock(&core->lock);
	for (unsigned int i = 0; i < core->num_ended; i++) {
		pthread_join(core->ended[i], NULL);
	}
	pthread_mutex_lock(&core->lock);
	core_unref_unlock(core);
	return 0;
}

int auth_pool_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, unsigned int max_threads,
		     struct auth_pool **out)
{
	struct auth_pool *pool = talloc_zero(mem_ctx, struct auth_pool);
	int err;

	if (pool == NULL) {
		return ENOMEM;
	}
	pool->core = core_create(max_threads);
	if (pool->core == NULL) {
		err = errno;
		talloc_free(pool);
		return err;
	}
	talloc_set_destructor(pool, pool_destructor);
	pool->fde =
		tevent_add_fd(ev, pool, pool->core->wake_fd, TEVENT_FD_READ, pool_handler, pool);
	if (pool->fde == NULL) {
		talloc_free(pool);
		return ENOMEM;
	}
	*out = pool;
	return 0;
}

int auth_pool_submit(struct auth_pool *pool, struct auth_job *job)
{
	struct auth_pool_core *core = pool->core;
	int err = 0;

	pthread_mutex_lock(&core->lock);
	if (core->num_queued >= QUEUE_MAX) {
		err = EBUSY;
		goto out;
	}
	job->core = core;
	job->state = AUTH_JOB_QUEUED;
	job->abandoned = false;
	qb_list_add_tail(&job->link, &core->queue);
	core->num_queued++;
	core->refs++;
	if (!provide_thread(core) && core->threads == 0) {
		job_unlink(core, job);
		job->state = AUTH_JOB_IDLE;
		job->core = NULL;
		core->refs--;
		err = EAGAIN;
	}
out:
	pthread_mutex_unlock(&core->lock);
	return err;
}

void auth_job_abandon(struct auth_job *job)
{
	struct auth_pool_core *core = job->core;

	pthread_mutex_lock(&core->lock);
	if (job->state == AUTH_JOB_RUNNING) {
		job->abandoned = true;
		core->stuck++;
		if (!core->closed && core->num_queued > 0) {
			provide_thread(core);
		}
		pthread_cond_broadcast(
			&core->gone); /* the pool does not wait for this one any more */
		pthread_mutex_unlock(&core->lock);
		return;
	}
	job_unlink(core, job);
	core_unref_unlock(core);
	job->discard(job);
}
