/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bounded pool of threads for work that may block, driven from an event loop.
 *
 * Jobs live in plain memory (malloc) and use neither talloc nor tevent nor the log, none of which
 * may be used from a thread. A thread that hangs delays only the jobs that wait for a free thread:
 * when the owner of the hanging job abandons it, another thread is started in its place (up to four times
 * the usual number), and the pool can be freed without waiting for it.
 *
 * Threads report through an eventfd and not with tevent_threaded_schedule_immediate(), because a
 * scheduled immediate can be freed safely only from its handler, and the pool may have to be freed earlier.
 */
#ifndef WITNESSD_RPC_AUTH_POOL_H
#define WITNESSD_RPC_AUTH_POOL_H

#include <qb/qblist.h>
#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include <tevent.h>

struct auth_pool;
struct auth_pool_core;

enum auth_job_state {
	AUTH_JOB_IDLE, /* not given to a pool */
	AUTH_JOB_QUEUED,
	AUTH_JOB_RUNNING,
	AUTH_JOB_FINISHED, /* on its way to done() */
};

/* Embedded in the caller's own malloc'ed struct. Zero it, then set the three functions. */
struct auth_job {
	void (*run)(struct auth_job *job);     /* on a thread */
	void (*done)(struct auth_job *job);    /* on the loop; the job is idle again */
	void (*discard)(struct auth_job *job); /* abandoned: free it; on a thread or on the loop */

	/* the pool's */
	struct qb_list_head link;
	struct auth_pool_core *core;
	enum auth_job_state state;
	bool abandoned;
};

/**
 * Threads are started when there is work. Freeing the pool waits up to a second for threads that are
 * running; jobs not done by then never report, and their owners still have to abandon them.
 * @param max_threads 0 = 8
 * @return 0, ENOMEM, or the errno of eventfd(2)
 */
int auth_pool_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, unsigned int max_threads,
		     struct auth_pool **out);

/** Queue an idle job. @return 0, EBUSY (queue full), EAGAIN (no thread can be started) */
int auth_pool_submit(struct auth_pool *pool, struct auth_job *job);

/**
 * Abandon a job that has been submitted and is not done. discard() is called once: now, or on its
 * thread as soon as run() returns. The caller must not touch the job again.
 */
void auth_job_abandon(struct auth_job *job);

#endif
