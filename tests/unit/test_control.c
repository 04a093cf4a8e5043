/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: a server on tevent in this process, clients in child processes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <qb/qbipcc.h>

#include "witnessd/control/array.h"
#include "witnessd/control/control_private.h"
#include "witnessd/util/log.h"

struct fixture {
	char name[64];
	struct tevent_context *ev;
	struct control_server *server;
	unsigned int calls, pieces;
	int cursors; /* of streams, that have not been freed */
	int waiting; /* requests to other nodes that have not been answered */
};

static int echo(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request, json_t **result,
		char **why)
{
	struct fixture *f = private_data;

	f->calls++;
	*result = json_incref(json_object_get(request, "what"));
	return *result != NULL ? 0 : EINVAL;
}

static int refuse(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request, json_t **result,
		  char **why)
{
	*why = talloc_strdup(mem_ctx, "because of the test");
	return EPERM;
}

/* A string of the wanted length. */
static int big(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request, json_t **result,
	       char **why)
{
	size_t len = (size_t)json_integer_value(json_object_get(request, "len"));
	char *text = talloc_size(mem_ctx, len + 1);

	memset(text, 'x', len);
	*result = json_stringn(text, len);
	return 0;
}

/* Elements of a stream that is far larger than a part: "num" of them, each "len" long, or until it "breaks". */
struct many {
	struct fixture *f;
	json_int_t left, len, breaks;
};

static bool fill_many(void *cursor, char **text)
{
	struct many *many = cursor;
	char *element = talloc_size(*text, (size_t)many->len + 1);

	many->f->pieces++;
	if (many->breaks > 0 && --many->breaks == 0) {
		TALLOC_FREE(*text);
		return false;
	}
	if (many->left > 0) {
		memset(element, 'x', (size_t)many->len);
		element[many->len] = '\0';
		*text = talloc_asprintf_append_buffer(*text, ",\"%s\"", element);
		many->left--;
	}
	return many->left > 0;
}

static int many_destructor(struct many *many)
{
	many->f->cursors--;
	return 0;
}

static int many(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		struct control_stream *out, char **why)
{
	struct many *cursor = talloc_zero(mem_ctx, struct many);

	*cursor = (struct many){.f = private_data,
				.left = json_integer_value(json_object_get(request, "num")),
				.len = json_integer_value(json_object_get(request, "len")),
				.breaks = json_integer_value(json_object_get(request, "breaks"))};
	cursor->f->cursors++;
	talloc_set_destructor(cursor, many_destructor);
	if (cursor->len == 0) {
		*why = talloc_strdup(mem_ctx, "nothing of nothing");
		return ESRCH;
	}
	return control_array(mem_ctx, fill_many, cursor, "{\"list\":[", "]}", out);
}

/* Another node: it takes 20 ms, or with the name "silent" for ever. */
struct elsewhere {
	struct fixture *f;
	struct tevent_req *req;
	json_t *what;
};

static int elsewhere_destructor(struct elsewhere *state)
{
	json_decref(state->what);
	state->f->waiting--;
	return 0;
}

static void elsewhere_answers(struct tevent_context *ev, struct tevent_timer *te,
			      struct timeval now, void *private_data)
{
	struct elsewhere *state = private_data;

	tevent_req_done(state->req);
}

static struct tevent_req *elsewhere_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 void *private_data, const json_t *request)
{
	struct elsewhere *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct elsewhere);

	state->f = private_data;
	state->f->waiting++;
	state->req = req;
	state->what = json_incref(json_object_get(request, "what"));
	talloc_set_destructor(state, elsewhere_destructor);
	if (strcmp(json_string_value(json_object_get(request, "node")), "silent") != 0) {
		tevent_add_timer(ev, state, tevent_timeval_current_ofs(0, 20000), elsewhere_answers,
				 state);
	}
	return req;
}

static int elsewhere_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, json_t **result, char **why)
{
	struct elsewhere *state = tevent_req_data(req, struct elsewhere);

	if (state->what == NULL) {
		*why = talloc_strdup(mem_ctx, "there is no such node");
		return ENODEV;
	}
	*result = json_incref(state->what);
	return 0;
}

static bool elsewhere_is_here(void *private_data, const char *node)
{
	return strcmp(node, "here") == 0;
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	snprintf(f->name, sizeof(f->name), "test-control-%d", (int)getpid());
	f->ev = tevent_context_init(f);
	assert_int_equal(control_server_create(f, f->ev, f->name, NULL, &f->server), 0);
	assert_int_equal(control_server_add(f->server, "echo", echo, f), 0);
	assert_int_equal(control_server_add(f->server, "refuse", refuse, f), 0);
	assert_int_equal(control_server_add(f->server, "big", big, f), 0);
	assert_int_equal(control_server_add_stream(f->server, "many", many, f), 0);
	assert_int_equal(control_server_add_stream(f->server, "echo", many, f), EEXIST);
	assert_int_equal(control_server_add(f->server, "echo", echo, f), EEXIST);
	assert_int_equal(control_server_add_anywhere(f->server, "echo anywhere", echo, f), 0);
	assert_int_equal(control_server_add_anywhere(f->server, "refuse anywhere", refuse, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

typedef int (*client_fn)(const struct fixture *f);

static void child_ended(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			void *private_data)
{
	*(bool *)private_data = true;
}

/* Start fn in a child: it is through when the pipe's end closes. */
static pid_t client_start(struct fixture *f, client_fn fn, int *fd)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		alarm(30);
		_exit(fn(f));
	}
	assert_true(pid > 0);
	close(ends[1]);
	*fd = ends[0];
	return pid;
}

/* Run the loop until the child ends. @return its exit code */
static int client_wait(struct fixture *f, pid_t pid, int fd)
{
	bool ended = false;
	struct tevent_fd *fde = tevent_add_fd(f->ev, f, fd, TEVENT_FD_READ, child_ended, &ended);
	int status;

	while (!ended) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	talloc_free(fde);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_client(struct fixture *f, client_fn fn)
{
	int fd;
	pid_t pid = client_start(f, fn, &fd);

	return client_wait(f, pid, fd);
}

/* In the child: __LINE__ as exit code tells which expectation failed. */
#define EXPECT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "line %d: %s\n", __LINE__, #cond);                         \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static int client_echo(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo", "what", "hello");
	json_t *result = NULL;
	char *why = NULL;

	for (int i = 0; i < 20; i++) {
		EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == 0);
		EXPECT(strcmp(json_string_value(result), "hello") == 0);
		json_decref(result);
	}
	return 0;
}

static void a_command_is_answered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_client(f, client_echo), 0);
	assert_int_equal(f->calls, 20);
}

static int client_refused(const struct fixture *f)
{
	json_t *request = json_pack("{s:s}", "command", "refuse");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EREMOTEIO);
	EXPECT(strcmp(why, "because of the test") == 0);
	json_object_set_new(request, "command", json_string("nonsense\n"));
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EREMOTEIO);
	EXPECT(strcmp(why, "no such command: \"nonsense\\x0a\"") == 0);
	json_object_set_new(request, "command", json_string("echo"));
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EREMOTEIO);
	EXPECT(strcmp(why, strerror(EINVAL)) == 0);
	json_object_set_new(request, "command", json_integer(1));
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EREMOTEIO);
	EXPECT(strstr(why, "\"command\"") != NULL);
	EXPECT(result == NULL);
	return 0;
}

static void refusals_come_with_their_reason(void **state)
{
	assert_int_equal(run_client(*state, client_refused), 0);
}

static int client_big(const struct fixture *f)
{
	static const size_t lens[] = {
		0, 1, CONTROL_PART - 32, CONTROL_PART, CONTROL_PART * 3 + 7, 4 * 1024 * 1024};
	json_t *result = NULL;
	char *why = NULL;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		json_t *request = json_pack("{s:s, s:i}", "command", "big", "len", (int)lens[i]);

		EXPECT(control_call(NULL, f->name, request, 10000, &result, &why) == 0);
		EXPECT(json_string_length(result) == lens[i]);
		json_decref(result);
	}
	return 0;
}

static void replies_larger_than_the_buffer_arrive_whole(void **state)
{
	assert_int_equal(run_client(*state, client_big), 0);
}

static int client_many(const struct fixture *f)
{
	static const struct {
		int num, len;
	} tries[] = {{0, 1}, {1, 1}, {3, CONTROL_ENOUGH}, {2000, 500}, {7, CONTROL_PART * 2}};
	json_t *result = NULL;
	char *why = NULL;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		json_t *request = json_pack("{s:s, s:i, s:i}", "command", "many", "num",
					    tries[i].num, "len", tries[i].len);
		json_t *list;

		EXPECT(control_call(NULL, f->name, request, 10000, &result, &why) == 0);
		list = json_object_get(result, "list");
		EXPECT(json_array_size(list) == (size_t)tries[i].num);
		for (int n = 0; n < tries[i].num; n++) {
			EXPECT(json_string_length(json_array_get(list, (size_t)n)) ==
			       (size_t)tries[i].len);
		}
		json_decref(result);
	}
	return 0;
}

static void a_stream_arrives_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_client(f, client_many), 0);
	assert_int_equal(f->cursors, 0);
}

static int client_broken_stream(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:i, s:i, s:i}", "command", "many", "num", 10000, "len",
				    500, "breaks", 700);
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 10000, &result, &why) == ENOMEM);
	EXPECT(result == NULL);
	json_object_set_new(request, "len", json_integer(0));
	EXPECT(control_call(NULL, f->name, request, 10000, &result, &why) == ESRCH);
	EXPECT(strcmp(why, "nothing of nothing") == 0);
	return client_many(f);
}

static void a_stream_that_breaks_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_client(f, client_broken_stream), 0);
	assert_int_equal(f->cursors, 0);
}

static int client_too_big(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:i}", "command", "big", "len", CONTROL_MAX_REPLY + 1);
	char *text = calloc(1, CONTROL_MAX_REQUEST + 1);
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 10000, &result, &why) == EREMOTEIO);
	EXPECT(strstr(why, "64 MiB") != NULL);
	memset(text, 'y', CONTROL_MAX_REQUEST);
	request = json_pack("{s:s, s:s}", "command", "echo", "what", text);
	EXPECT(control_call(NULL, f->name, request, 10000, &result, &why) == EMSGSIZE);
	EXPECT(strstr(why, "64 KiB") != NULL);
	return 0;
}

static void what_is_too_large_is_refused(void **state)
{
	assert_int_equal(run_client(*state, client_too_big), 0);
}

static int64_t raw(qb_ipcc_connection_t *c, int32_t id, int32_t size, const void *bytes, size_t len,
		   int *err)
{
	char buf[CONTROL_BUFFER];
	struct qb_ipc_request_header header = {.id = id, .size = size};
	struct iovec iov[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)bytes, len}};
	struct control_part part;
	ssize_t n = qb_ipcc_sendv_recv(c, iov, 2, buf, sizeof(buf), 5000);

	if (n < (ssize_t)sizeof(struct qb_ipc_response_header)) {
		return n;
	}
	memcpy(&part, buf, sizeof(part));
	*err = -part.header.error;
	return n;
}

/* Fetches the first part, and goes away. */
static int client_half(const struct fixture *f)
{
	static const char text[] = "{\"command\":\"many\",\"num\":100000,\"len\":500}";
	qb_ipcc_connection_t *c = qb_ipcc_connect(f->name, CONTROL_BUFFER);
	int err = -1;

	EXPECT(c != NULL);
	EXPECT(raw(c, CONTROL_CALL,
		   (int32_t)(sizeof(struct qb_ipc_request_header) + sizeof(text) - 1), text,
		   sizeof(text) - 1, &err) > CONTROL_ENOUGH &&
	       err == 0);
	qb_ipcc_disconnect(c);
	return client_echo(f);
}

static void no_more_is_made_than_is_fetched(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_client(f, client_half), 0);
	assert_in_range(f->pieces, 1, 2 * CONTROL_ENOUGH / 500);
	assert_int_equal(f->cursors, 0);
}

static int client_raw(const struct fixture *f)
{
	qb_ipcc_connection_t *c = qb_ipcc_connect(f->name, CONTROL_BUFFER);
	int head = sizeof(struct qb_ipc_request_header), err = 0;

	EXPECT(c != NULL);
	EXPECT(raw(c, CONTROL_MORE, head, "", 0, &err) > 0 && err == EPROTO);
	EXPECT(raw(c, 4711, head, "", 0, &err) > 0 && err == EPROTO);
	EXPECT(raw(c, CONTROL_CALL, INT32_MAX, "", 0, &err) > 0 && err == EMSGSIZE);
	EXPECT(raw(c, CONTROL_CALL, -1, "", 0, &err) > 0 && err == EMSGSIZE);
	EXPECT(raw(c, CONTROL_CALL, head - 1, "", 0, &err) > 0 && err == EMSGSIZE);
	EXPECT(raw(c, CONTROL_CALL, head + 5, "{\"a\":", 5, &err) > 0 && err == 0);
	EXPECT(raw(c, CONTROL_CALL, head, "", 0, &err) > 0 && err == 0);
	qb_ipcc_disconnect(c);
	return client_echo(f);
}

static void malformed_messages_are_answered_and_harm_nobody(void **state)
{
	assert_int_equal(run_client(*state, client_raw), 0);
}

/* Ask for something large, fetch nothing of it, and stay until killed. */
static int client_lazy(const struct fixture *f)
{
	static const char text[] = "{\"command\":\"big\",\"len\":4000000}";
	struct qb_ipc_request_header header = {.id = CONTROL_CALL,
					       .size = sizeof(header) + sizeof(text) - 1};
	struct iovec iov[2] = {{&header, sizeof(header)},
			       {(void *)(uintptr_t)text, sizeof(text) - 1}};
	qb_ipcc_connection_t *c = qb_ipcc_connect(f->name, CONTROL_BUFFER);

	EXPECT(c != NULL);
	for (int i = 0; i < 8; i++) {
		qb_ipcc_sendv(c, iov, 2);
	}
	pause();
	return 0;
}

static void a_client_that_does_not_read_holds_up_nobody(void **state)
{
	struct fixture *f = *state;
	int fd;
	pid_t lazy = client_start(f, client_lazy, &fd);

	assert_int_equal(run_client(f, client_echo), 0);
	assert_int_equal(kill(lazy, SIGKILL), 0);
	assert_int_equal(client_wait(f, lazy, fd), 128 + SIGKILL);
	assert_int_equal(run_client(f, client_echo), 0);
}

#define CROWD 32 /* the default of control_limits */

static int client_crowd(const struct fixture *f)
{
	qb_ipcc_connection_t *c[CROWD];
	json_t *request = json_pack("{s:s, s:s}", "command", "echo", "what", "x");
	json_t *result = NULL;
	char *why = NULL;

	for (int i = 0; i < CROWD; i++) {
		c[i] = qb_ipcc_connect(f->name, CONTROL_BUFFER);
		EXPECT(c[i] != NULL);
	}
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EBUSY);
	EXPECT(strstr(why, "too many clients") != NULL);
	for (int i = 0; i < CROWD; i++) {
		qb_ipcc_disconnect(c[i]);
	}
	return 0;
}

static void a_crowd_is_turned_away_and_the_next_let_in(void **state)
{
	assert_int_equal(run_client(*state, client_crowd), 0);
	assert_int_equal(run_client(*state, client_echo), 0);
}

static unsigned int open_files(pid_t pid)
{
	char path[64];
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir != NULL && readdir(dir) != NULL) {
		n++;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return n;
}

/*
 * Many connections that say nothing, to the abstract socket that libqb makes. Its backlog is short, so
 * when the last connect() returns nearly all have been accepted.
 */
static bool connect_silently(const struct fixture *f, unsigned int num)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	strcpy(un.sun_path + 1, f->name);
	for (unsigned int i = 0; i < num; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
			return false;
		}
	}
	return true;
}

static int client_silent(const struct fixture *f)
{
	unsigned int files;

	EXPECT(connect_silently(f, 400));
	files = open_files(getppid());
	EXPECT(files > 100 && files < 200);
	return 0;
}

static void silent_connections_use_up_few_files(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_client(f, client_silent), 0);
	assert_int_equal(run_client(f, client_echo), 0);
	assert_in_range(open_files(getpid()), 0, 30);
}

static int client_stranger(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo", "what", "x");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(setgroups(0, NULL) == 0);
	EXPECT(setgid(65534) == 0 && setuid(65534) == 0);
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EACCES);
	EXPECT(strstr(why, "control_group") != NULL);
	return 0;
}

static void strangers_stay_outside(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0) {
		skip(); /* nobody else to be */
	}
	assert_int_equal(run_client(f, client_stranger), 0);
	assert_int_equal(f->calls, 0);
}

static int client_silent_strangers(const struct fixture *f)
{
	EXPECT(setgroups(0, NULL) == 0);
	EXPECT(setgid(65534) == 0 && setuid(65534) == 0);
	EXPECT(connect_silently(f, 200));
	pause();
	return 0;
}

static void strangers_cannot_keep_anybody_out(void **state)
{
	struct fixture *f = *state;
	pid_t strangers;
	int fd;

	if (geteuid() != 0) {
		skip();
	}
	strangers = client_start(f, client_silent_strangers, &fd);
	alarm(30); /* an end, should nobody be refused */
	while (control_server_stats(f->server).refused < 100) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	alarm(0);
	assert_int_equal(run_client(f, client_echo), 0);
	assert_int_equal(kill(strangers, SIGKILL), 0);
	assert_int_equal(client_wait(f, strangers, fd), 128 + SIGKILL);
	assert_int_equal(run_client(f, client_stranger), 0); /* is told why, when there is room */
}

/* The members of the group take all that they get, and stay. */
static int client_members(const struct fixture *f)
{
	EXPECT(setgroups(0, NULL) == 0);
	EXPECT(setgid(getgrnam("daemon")->gr_gid) == 0 && setuid(65534) == 0);
	for (int i = 0; i < CROWD / 4 * 3; i++) {
		EXPECT(qb_ipcc_connect(f->name, CONTROL_BUFFER) != NULL);
	}
	EXPECT(qb_ipcc_connect(f->name, CONTROL_BUFFER) == NULL && errno == EBUSY);
	pause();
	return 0;
}

static void members_cannot_keep_root_out(void **state)
{
	struct fixture *f = *state;
	pid_t members;
	int fd;

	if (geteuid() != 0 || getgrnam("daemon") == NULL) {
		skip();
	}
	TALLOC_FREE(f->server);
	assert_int_equal(control_server_create(f, f->ev, f->name, "daemon", &f->server), 0);
	assert_int_equal(control_server_add(f->server, "echo", echo, f), 0);
	members = client_start(f, client_members, &fd);
	alarm(30);
	while (control_server_stats(f->server).refused == 0) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	alarm(0);
	assert_int_equal(run_client(f, client_echo), 0);
	assert_int_equal(kill(members, SIGKILL), 0);
	assert_int_equal(client_wait(f, members, fd), 128 + SIGKILL);
}

/* Asks for much and fetches a part. */
static int client_forgetful(const struct fixture *f)
{
	static const char text[] = "{\"command\":\"big\",\"len\":4000000}";
	struct qb_ipc_request_header header = {.id = CONTROL_CALL,
					       .size = sizeof(header) + sizeof(text) - 1};
	struct iovec iov[2] = {{&header, sizeof(header)},
			       {(void *)(uintptr_t)text, sizeof(text) - 1}};
	qb_ipcc_connection_t *c = qb_ipcc_connect(f->name, CONTROL_BUFFER);
	static char part[CONTROL_BUFFER];

	EXPECT(c != NULL && qb_ipcc_sendv_recv(c, iov, 2, part, sizeof(part), 5000) > CONTROL_PART);
	while (qb_ipcc_is_connected(c)) {
		usleep(10000);
	}
	return 0;
}

static void a_client_that_says_nothing_is_closed(void **state)
{
	struct control_limits limits = control_limits_default;
	struct fixture *f = *state;
	size_t before = talloc_total_size(f->server);

	limits.timeout_ms = 100;
	control_server_limit(f->server, &limits);
	assert_int_equal(run_client(f, client_forgetful), 0);
	assert_int_equal(control_server_stats(f->server).timeouts, 1);
	assert_in_range(talloc_total_size(f->server), 0, before + 10000);
	assert_int_equal(run_client(f, client_echo), 0);
}

static void without_descriptors_nobody_turns_in_circles(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, tight;
	unsigned int turns = 0;
	int fd;
	pid_t client = client_start(f, client_echo, &fd);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	while (control_server_stats(f->server).out_of_files < 3) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
		assert_in_range(++turns, 1, 12);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(client_wait(f, client, fd), 0); /* it has waited */
}

static int client_nobody(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo", "what", "x");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(setgroups(0, NULL) == 0);
	EXPECT(setgid(getgrnam("daemon")->gr_gid) == 0 && setuid(65534) == 0);
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == 0);
	return 0;
}

static void the_control_group_gets_in(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0 || getgrnam("daemon") == NULL) {
		skip();
	}
	TALLOC_FREE(f->server);
	assert_int_equal(control_server_create(f, f->ev, f->name, "daemon", &f->server), 0);
	assert_int_equal(control_server_add(f->server, "echo", echo, f), 0);
	assert_int_equal(run_client(f, client_nobody), 0);
	assert_int_equal(run_client(f, client_echo), 0);
}

static void the_rule_of_access_knows_owner_group_and_members(void **state)
{
	uid_t members[] = {1001, 1002};
	struct control_access access = {.owner = 500};

	assert_true(control_access_allowed(&access, 0, 77));
	assert_true(control_access_allowed(&access, 500, 77));
	assert_false(control_access_allowed(&access, 1001, 0));
	access.has_group = true;
	access.group = 77;
	access.members = members;
	access.num_members = 2;
	assert_true(control_access_allowed(&access, 9999, 77));
	assert_true(control_access_allowed(&access, 1002, 5));
	assert_false(control_access_allowed(&access, 1003, 5));
}

static void a_second_server_and_a_missing_group_are_refused(void **state)
{
	struct fixture *f = *state;
	struct control_server *other = NULL;

	assert_int_equal(control_server_create(f, f->ev, "other", NULL, &other), EBUSY);
	TALLOC_FREE(f->server);
	assert_int_equal(control_server_create(f, f->ev, f->name, "no-such-group", &other), ENOENT);
	assert_null(other);
}

/* As another daemon would: this program again, with the name as its argument (see main()). */
static int client_serve(const struct fixture *f)
{
	execl("/proc/self/exe", "test_control", "serve", f->name, NULL);
	return 1;
}

static void serve_end(struct tevent_context *ev, struct tevent_signal *se, int signum, int count,
		      void *siginfo, void *private_data)
{
	*(bool *)private_data = true;
}

static int serve(const char *name)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct control_server *server = NULL;
	bool ended = false;

	alarm(30);
	if (control_server_create(ev, ev, name, NULL, &server) != 0 ||
	    tevent_add_signal(ev, ev, SIGTERM, 0, serve_end, &ended) == NULL) {
		return 1;
	}
	while (!ended && tevent_loop_once(ev) == 0) {
	}
	talloc_free(server);
	return 0;
}

static void a_name_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	json_t *request = json_pack("{s:s}", "command", "ping"), *result = NULL;
	char *why = NULL;
	pid_t pid;
	int fd, ret, status;

	TALLOC_FREE(f->server);
	pid = client_start(f, client_serve, &fd);
	do {
		ret = control_call(f, f->name, request, 1000, &result, &why);
	} while (ret == ECONNREFUSED || ret == ENOENT);
	assert_int_equal(ret, EREMOTEIO); /* it serves, though not that command */
	assert_int_equal(control_server_create(f, f->ev, f->name, NULL, &f->server), EADDRINUSE);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	assert_int_equal(control_server_create(f, f->ev, f->name, NULL, &f->server), 0);
	json_decref(request);
}

static void without_a_daemon_the_client_says_so(void **state)
{
	json_t *request = json_pack("{s:s}", "command", "ping"), *result = NULL;
	char *why = NULL;
	int ret = control_call(NULL, "test-control-nobody", request, 1000, &result, &why);

	assert_true(ret == ENOENT || ret == ECONNREFUSED);
	assert_string_equal(why, "no witnessd is running (control socket test-control-nobody)");
	talloc_free(why);
	json_decref(request);
}

/* --- other nodes --- */

static void set_elsewhere(struct fixture *f)
{
	const struct control_elsewhere elsewhere = {.is_here = elsewhere_is_here,
						    .send = elsewhere_send,
						    .recv = elsewhere_recv,
						    .private_data = f};

	control_server_set_elsewhere(f->server, &elsewhere);
}

static int client_elsewhere(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s, s:s}", "command", "echo anywhere", "what", "hello",
				    "node", "n2");
	json_t *result = NULL;
	char *why = NULL;

	for (int i = 0; i < 3; i++) {
		EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == 0);
		EXPECT(strcmp(json_string_value(result), "hello") == 0);
		json_decref(result);
	}
	json_object_del(request, "what");
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == ENODEV);
	EXPECT(strcmp(why, "there is no such node") == 0);
	/* One that is not served anywhere has a "node" of its own, if any. */
	json_object_set_new(request, "command", json_string("refuse"));
	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EREMOTEIO);
	EXPECT(strcmp(why, "because of the test") == 0);
	return 0;
}

static void a_command_for_another_node_is_answered_when_that_has(void **state)
{
	struct fixture *f = *state;

	set_elsewhere(f);
	assert_int_equal(run_client(f, client_elsewhere), 0);
	assert_int_equal(f->calls, 0);
	assert_int_equal(f->waiting, 0);
}

static int client_here(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s, s:s}", "command", "echo anywhere", "what", "hello",
				    "node", "here");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == 0);
	return 0;
}

static void the_own_name_is_no_other_node(void **state)
{
	struct fixture *f = *state;

	set_elsewhere(f);
	assert_int_equal(run_client(f, client_here), 0);
	assert_int_equal(f->calls, 1);
}

static int client_nowhere(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo anywhere", "node", "n2");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) == EREMOTEIO);
	EXPECT(strcmp(why, "other nodes cannot be asked") == 0);
	return 0;
}

static void without_other_nodes_none_is_asked(void **state)
{
	assert_int_equal(run_client(*state, client_nowhere), 0);
}

static int client_gives_up(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo anywhere", "node", "silent");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 300, &result, &why) == ETIMEDOUT);
	return 0;
}

static void who_gives_up_takes_the_question_along(void **state)
{
	struct fixture *f = *state;

	set_elsewhere(f);
	assert_int_equal(run_client(f, client_gives_up), 0);
	while (f->waiting > 0) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	assert_int_equal(run_client(f, client_echo), 0);
}

static int client_interrupts(const struct fixture *f)
{
	static const char text[] = "{\"command\":\"echo anywhere\",\"node\":\"silent\"}";
	static const char other[] = "{\"command\":\"echo\",\"what\":1}";
	int32_t head = sizeof(struct qb_ipc_request_header);
	struct qb_ipc_request_header header = {.id = CONTROL_CALL,
					       .size = head + (int32_t)sizeof(text) - 1};
	struct iovec iov[2] = {{&header, sizeof(header)},
			       {(void *)(uintptr_t)text, sizeof(text) - 1}};
	qb_ipcc_connection_t *c = qb_ipcc_connect(f->name, CONTROL_BUFFER);
	int err = 0;

	EXPECT(c != NULL);
	EXPECT(qb_ipcc_sendv(c, iov, 2) > 0);
	EXPECT(raw(c, CONTROL_MORE, head, "", 0, &err) > 0 && err == EPROTO);
	EXPECT(raw(c, CONTROL_MORE, head, "", 0, &err) > 0 && err == EPROTO);
	EXPECT(qb_ipcc_sendv(c, iov, 2) > 0);
	EXPECT(raw(c, CONTROL_CALL, head + (int32_t)sizeof(other) - 1, other, sizeof(other) - 1,
		   &err) > 0 &&
	       err == 0);
	qb_ipcc_disconnect(c);
	return 0;
}

static void who_asks_something_else_meanwhile_is_answered_that(void **state)
{
	struct fixture *f = *state;

	set_elsewhere(f);
	assert_int_equal(run_client(f, client_interrupts), 0);
	assert_int_equal(f->calls, 1);
	assert_int_equal(run_client(f, client_echo), 0);
	assert_int_equal(f->waiting, 0);
}

static int client_is_left(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo anywhere", "node", "silent");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 5000, &result, &why) != 0 && why != NULL);
	return 0;
}

static void a_server_ends_with_a_question_under_way(void **state)
{
	struct fixture *f = *state;
	int fd;
	pid_t pid;

	set_elsewhere(f);
	pid = client_start(f, client_is_left, &fd);
	while (f->waiting == 0) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	TALLOC_FREE(f->server);
	assert_int_equal(f->waiting, 0);
	assert_int_equal(client_wait(f, pid, fd), 0);
}

static const char *answered(struct fixture *f, const char *request)
{
	const char *text = control_server_answer(f->server, f, request, strlen(request));

	assert_non_null(text);
	return text;
}

static void other_nodes_are_answered_what_is_served_anywhere(void **state)
{
	struct fixture *f = *state;

	set_elsewhere(f);
	assert_string_equal(answered(f, "{\"command\":\"echo anywhere\",\"what\":7}"),
			    "{\"ok\":true,\"result\":7}");
	/* Never by asking a third one. */
	assert_string_equal(
		answered(f, "{\"command\":\"echo anywhere\",\"what\":8,\"node\":\"n3\"}"),
		"{\"ok\":true,\"result\":8}");
	assert_string_equal(answered(f, "{\"command\":\"refuse anywhere\"}"),
			    "{\"ok\":false,\"error\":\"because of the test\"}");
	assert_int_equal(f->calls, 2);
	assert_int_equal(f->waiting, 0);
}

static void other_nodes_are_answered_nothing_else(void **state)
{
	static const char *const requests[] = {
		"{\"command\":\"echo\",\"what\":7}",
		"{\"command\":\"many\",\"num\":1,\"len\":1}",
		"{\"command\":\"nonsense\"}",
		"{\"command\":7}",
		"{\"command\":\"echo anywhere\",\"what\":1,\"what\":2}",
		"[]",
		"",
		"{",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_memory_equal(answered(f, requests[i]), "{\"ok\":false,\"error\":\"", 21);
	}
	assert_string_equal(answered(f, requests[0]),
			    "{\"ok\":false,\"error\":\"that is not answered for other nodes\"}");
	assert_int_equal(f->calls, 0);
	assert_int_equal(f->cursors, 0);
}

/* --- a daemon that hangs --- */

static int client_timeout(const struct fixture *f)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "echo", "what", "x");
	json_t *result = NULL;
	char *why = NULL;

	EXPECT(control_call(NULL, f->name, request, 200, &result, &why) == ETIMEDOUT);
	EXPECT(strstr(why, "within 200 ms") != NULL);
	return 0;
}

static void a_daemon_that_hangs_is_given_up(void **state)
{
	struct fixture *f = *state;
	int fd, status;
	pid_t pid = client_start(f, client_timeout, &fd);

	assert_int_equal(waitpid(pid, &status, 0), pid); /* the loop does not run meanwhile */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fd);
	assert_int_equal(run_client(f, client_echo), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_come_with_their_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(replies_larger_than_the_buffer_arrive_whole, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_too_large_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stream_arrives_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stream_that_breaks_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_is_made_than_is_fetched, setup, teardown),
		cmocka_unit_test_setup_teardown(malformed_messages_are_answered_and_harm_nobody,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_that_does_not_read_holds_up_nobody, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_crowd_is_turned_away_and_the_next_let_in, setup,
						teardown),
		cmocka_unit_test_setup_teardown(strangers_cannot_keep_anybody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(members_cannot_keep_root_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_that_says_nothing_is_closed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_descriptors_nobody_turns_in_circles, setup,
						teardown),
		cmocka_unit_test_setup_teardown(silent_connections_use_up_few_files, setup,
						teardown),
		cmocka_unit_test_setup_teardown(strangers_stay_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(the_control_group_gets_in, setup, teardown),
		cmocka_unit_test(the_rule_of_access_knows_owner_group_and_members),
		cmocka_unit_test_setup_teardown(a_second_server_and_a_missing_group_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_in_use_is_refused, setup, teardown),
		cmocka_unit_test(without_a_daemon_the_client_says_so),
		cmocka_unit_test_setup_teardown(a_daemon_that_hangs_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_command_for_another_node_is_answered_when_that_has, setup, teardown),
		cmocka_unit_test_setup_teardown(the_own_name_is_no_other_node, setup, teardown),
		cmocka_unit_test_setup_teardown(without_other_nodes_none_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(who_gives_up_takes_the_question_along, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_asks_something_else_meanwhile_is_answered_that,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_server_ends_with_a_question_under_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_nodes_are_answered_what_is_served_anywhere,
						setup, teardown),
		cmocka_unit_test_setup_teardown(other_nodes_are_answered_nothing_else, setup,
						teardown),
	};

	if (log_setup("test_control", "stderr", LOG_WARNING) != 0) {
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		return serve(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
