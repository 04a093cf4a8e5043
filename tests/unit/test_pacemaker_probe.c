/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <qb/qbipcs.h>
#include <qb/qbloop.h>

#include "backends/pacemaker/probe.h"

/* Enough for an answer on a machine under memcheck, and never waited for where there is one. */
#define ANSWER_MS 20000

struct fixture {
	struct tevent_context *ev;
	char service[64];
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->ev = tevent_context_init(f);
	snprintf(f->service, sizeof(f->service), "witnessd-probe-%d", (int)getpid());
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t num = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		num++;
	}
	closedir(dir);
	return num;
}

static int probe(const struct fixture *f, uint32_t timeout_ms)
{
	struct tevent_req *req = probe_send(f->ev, f->ev, f->service, timeout_ms);
	int err;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, f->ev));
	err = probe_recv(req);
	talloc_free(req);
	return err;
}

/* A socket under the name by which libqb looks for the service. */
static int listen_as(const struct fixture *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", f->service);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void nobody_is_there(void **state)
{
	size_t before = open_files();

	assert_int_equal(probe(*state, ANSWER_MS), ECONNREFUSED);
	assert_int_equal(open_files(), before);
}

/* A stopped process: the kernel takes the connection, and nobody answers. */
static void silence_is_given_up(void **state)
{
	const struct fixture *f = *state;
	int fd = listen_as(f);
	size_t before = open_files();
	struct tevent_req *req;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(probe(f, 50), ETIMEDOUT);
	}
	req = probe_send(f->ev, f->ev, f->service, ANSWER_MS);
	assert_non_null(req);
	talloc_free(req);
	assert_int_equal(open_files(), before);
	close(fd);
}

static void hang_up_is_no_answer(void **state)
{
	const struct fixture *f = *state;
	int fd = listen_as(f);
	size_t before = open_files();
	struct tevent_req *req = probe_send(f->ev, f->ev, f->service, ANSWER_MS);
	int peer = accept(fd, NULL, NULL);

	assert_non_null(req);
	close(peer);
	assert_true(tevent_req_poll(req, f->ev));
	assert_int_not_equal(probe_recv(req), 0);
	talloc_free(req);
	assert_int_equal(open_files(), before);
	close(fd);
}

/* --- a real service, in a child --- */

static int32_t job_add(enum qb_loop_priority p, void *data, qb_loop_job_dispatch_fn fn)
{
	return qb_loop_job_add(NULL, p, data, fn);
}

static int32_t dispatch_add(enum qb_loop_priority p, int32_t fd, int32_t events, void *data,
			    qb_ipcs_dispatch_fn_t fn)
{
	return qb_loop_poll_add(NULL, p, fd, events, data, fn);
}

static int32_t dispatch_mod(enum qb_loop_priority p, int32_t fd, int32_t events, void *data,
			    qb_ipcs_dispatch_fn_t fn)
{
	return qb_loop_poll_mod(NULL, p, fd, events, data, fn);
}

static int32_t dispatch_del(int32_t fd)
{
	return qb_loop_poll_del(NULL, fd);
}

static int32_t accepted(qb_ipcs_connection_t *c, uid_t uid, gid_t gid)
{
	return 0;
}

static int32_t received(qb_ipcs_connection_t *c, void *data, size_t size)
{
	return 0;
}

static void serve(const struct fixture *f, int ready)
{
	struct qb_ipcs_service_handlers handlers = {
		.connection_accept = accepted,
		.msg_process = received,
	};
	struct qb_ipcs_poll_handlers polls = {
		.job_add = job_add,
		.dispatch_add = dispatch_add,
		.dispatch_mod = dispatch_mod,
		.dispatch_del = dispatch_del,
	};
	qb_loop_t *loop = qb_loop_create();
	qb_ipcs_service_t *service = qb_ipcs_create(f->service, 0, QB_IPC_SHM, &handlers);

	alarm(60);
	qb_ipcs_poll_handlers_set(service, &polls);
	if (qb_ipcs_run(service) == 0 && write(ready, "", 1) == 1) {
		qb_loop_run(loop);
	}
	_exit(1);
}

static void service_that_answers(void **state)
{
	const struct fixture *f = *state;
	int ends[2], status;
	size_t before;
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		serve(f, ends[1]);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	before = open_files();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(probe(f, ANSWER_MS), 0);
	}
	assert_int_equal(open_files(), before);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(probe(f, 50), ETIMEDOUT);
	assert_int_equal(open_files(), before);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(hang_up_is_no_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(service_that_answers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
