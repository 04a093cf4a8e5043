/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list -> join -> ask -> ask ... and from each back to list, at once or after a pause:
 *
 *	          +---------------- pause <----------------+
 *	          v                                        | failed, and nobody else to try
 *	start -> list ----> join (candidate, next one) ----+
 *	          ^           ^    |
 *	  leave --+   lost ---+    v
 *	    ^                    ask <-- timeout, notification
 *	    +---- ERROR_NOT_FOUND-+
 */
#include "witnessd/swn/client.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/client_choice.h"
#include "witnessd/swn/client_ops.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

#define RETRY_MIN_MS       250U
#define RETRY_MAX_MS       10000U
#define SETTLED_MS         5000U  /* a registration that lasted that long was a success */
#define LEAVE_MS           5000U  /* time for unregistering after ERROR_NOT_FOUND */
#define KEEP_ALIVE_SLACK_S 60U    /* Windows: 120 s asked for, 180 s waited */
#define CALL_MAX_S         86400U /* of an AsyncNotify, whatever was asked for */
#define RESUME_MS          60000U /* how long a restarted witness may take (witnessd: 60 s) */
#define EMPTY_ANSWER_MS    100U   /* answers without news that come sooner are a loop */

struct swn_client {
	struct tevent_context *ev;
	struct swn_client_params params;
	swn_client_fn fn;
	void *private_data;

	struct ipaddr server;     /* that SMB is spoken with */
	struct ipaddr registered; /* what .server was when the registration was made */
	bool server_lost;         /* nobody answers there: ask the witness instead */
	struct ipaddr witness;    /* in use, or used last */
	struct ipaddr known[SWN_CHOICE_MAX];
	size_t num_known;
	unsigned int list_failures; /* in a row */
	struct ipaddr asked;        /* whom the list is asked of */

	struct swn_candidate candidates[SWN_CHOICE_MAX];
	size_t num_candidates, next;

	struct swn_joined joined; /* rpc NULL: not registered */
	uint64_t joined_ms;
	struct swn_joined former; /* without rpc; to be resumed until resume_ms, which is 0: no */
	uint64_t resume_ms;
	struct ipaddr resume_first; /* its witness, which is asked first */
	size_t resume_next; /* the candidate that is asked when its witness does not know it */
	bool resumed;       /* and whether it does is not known yet */
	uint64_t call_ms;   /* when AsyncNotify went out */
	bool asking;        /* subreq is AsyncNotify */
	unsigned int retry_ms;
	struct tevent_req *subreq; /* the step that runs */
	struct mono_alarm *pause;  /* or the pause */
};

static void start_list(struct swn_client *client);
static void list_done(struct tevent_req *subreq);
static void try_next(struct swn_client *client);
static void join_done(struct tevent_req *subreq);
static void resume(struct swn_client *client);
static void resume_done(struct tevent_req *subreq);
static void ask(struct swn_client *client);
static void ask_answered(struct tevent_req *subreq);
static void start_over(struct swn_client *client);
static void leave_done(struct tevent_req *subreq);

static void emit(struct swn_client *client, struct swn_client_event event)
{
	event.server = client->server;
	client->fn(client->private_data, &event);
}

/* ---- pauses ---- */

static void pause_over(void *private_data)
{
	struct swn_client *client = talloc_get_type_abort(private_data, struct swn_client);

	if (client->joined.rpc != NULL) {
		ask(client);
	} else if (client->resume_ms != 0) {
		resume(client);
	} else if (client->next < client->num_candidates) {
		try_next(client);
	} else {
		start_list(client);
	}
}

/* Continue in ms, as the state requires. */
static void pause_for(struct swn_client *client, unsigned int ms)
{
	mono_alarm_set(client->pause, ms);
}

/* How long to wait after a failure, and a longer time after the next one. */
static unsigned int next_retry(struct swn_client *client)
{
	unsigned int ms = client->retry_ms;

	client->retry_ms = ms * 2 < RETRY_MAX_MS ? ms * 2 : RETRY_MAX_MS;
	return ms;
}

/* A step is under way, or cannot even begin: then the next attempt comes later. */
static void run(struct swn_client *client, struct tevent_req *subreq,
		void (*done)(struct tevent_req *subreq))
{
	client->subreq = subreq;
	if (subreq == NULL) {
		pause_for(client, next_retry(client));
		return;
	}
	tevent_req_set_callback(subreq, done, client);
}

/* ---- list ---- */

/*
 * The server, or its witness when the server is lost. After failures everybody who was listed, too, in turn:
 * the list's failures count through the others, then the server.
 */
static struct ipaddr whom_to_ask(const struct swn_client *client)
{
	size_t turn;

	if (client->list_failures == 0 && client->server_lost && client->witness.family != 0) {
		return client->witness;
	}
	if (client->list_failures == 0) {
		return client->server;
	}
	turn = (client->list_failures - 1) % (client->num_known + 1);
	return turn < client->num_known ? client->known[turn] : client->server;
}

static void start_list(struct swn_client *client)
{
	client->asked = whom_to_ask(client);
	run(client, swn_list_send(client, client->ev, &client->params, &client->asked), list_done);
}

static void list_failed(struct swn_client *client, int err, const char *why)
{
	unsigned int ms = next_retry(client);

	client->list_failures++;
	pause_for(client, ms);
	emit(client, (struct swn_client_event){.type = SWN_CLIENT_FAILED,
					       .step = "interfaces",
					       .witness = client->asked,
					       .err = err,
					       .why = why,
					       .retry_ms = ms});
}

static void list_done(struct tevent_req *subreq)
{
	struct swn_client *client = tevent_req_callback_data(subreq, struct swn_client);
	TALLOC_CTX *tmp = talloc_new(client);
	struct swn_interface_list *list = NULL;
	char *why = NULL;
	int err = swn_list_recv(subreq, tmp, &list, &why);

	TALLOC_FREE(client->subreq);
	if (err != 0) {
		list_failed(client, err, why);
		talloc_free(tmp);
		return;
	}
	client->num_known = swn_known_addrs(list, &client->server, client->known);
	client->num_candidates = swn_choose(list, &client->server, client->candidates);
	client->next = 0;
	if (client->num_candidates == 0) {
		why = talloc_asprintf(tmp, "no witness on another node among %zu interfaces",
				      list->num);
		list_failed(client, ESRCH, why);
	} else {
		client->list_failures = 0;
		try_next(client);
	}
	talloc_free(tmp);
}

/* ---- join ---- */

static void try_next(struct swn_client *client)
{
	client->witness = client->candidates[client->next].addr;
	run(client,
	    swn_join_send(client, client->ev, &client->params, &client->witness, &client->server),
	    join_done);
}

static void join_done(struct tevent_req *subreq)
{
	struct swn_client *client = tevent_req_callback_data(subreq, struct swn_client);
	const struct swn_candidate *candidate = &client->candidates[client->next++];
	char *why = NULL;
	int err = swn_join_recv(subreq, client, &client->joined, &why);

	TALLOC_FREE(client->subreq);
	if (err != 0) {
		unsigned int ms = client->next < client->num_candidates ? 0 : next_retry(client);

		pause_for(client, ms);
		emit(client, (struct swn_client_event){.type = SWN_CLIENT_FAILED,
						       .step = "register",
						       .witness = client->witness,
						       .err = err,
						       .why = why,
						       .retry_ms = ms});
		talloc_free(why);
		return;
	}
	client->registered = client->server;
	client->joined_ms = clock_ms();
	/* The call is on its way before anybody hears of the registration. */
	ask(client);
	emit(client, (struct swn_client_event){.type = SWN_CLIENT_REGISTERED,
					       .witness = client->witness,
					       .group = candidate->group,
					       .version = client->joined.version});
}

/* ---- resume ---- */

/* Only after a lost connection: a witness that has refused us would refuse again. */
static bool may_resume(const struct swn_client *client, int err)
{
	return client->params.resume && err != EACCES && err != EREMOTEIO && err != EPROTO;
}

static void resume(struct swn_client *client)
{
	run(client,
	    swn_rejoin_send(client, client->ev, &client->params, &client->witness,
			    &client->former.handle, client->former.version),
	    resume_done);
}

/*
 * Its address may have moved to a witness that has never heard of the registration, or that will not take
 * it over: choose the next of the others. @return false when all have been asked
 */
static bool resume_elsewhere(struct swn_client *client)
{
	while (client->resume_next < client->num_candidates) {
		const struct ipaddr *addr = &client->candidates[client->resume_next++].addr;

		if (!ipaddr_equal(addr, &client->resume_first)) {
			client->witness = *addr;
			return true;
		}
	}
	return false;
}

static void resume_done(struct tevent_req *subreq)
{
	struct swn_client *client = tevent_req_callback_data(subreq, struct swn_client);
	char *why = NULL;
	int err = swn_join_recv(subreq, client, &client->joined, &why);

	TALLOC_FREE(client->subreq);
	if (err == 0) {
		client->joined_ms = clock_ms();
		client->resumed = true;
		ask(client);
		emit(client, (struct swn_client_event){.type = SWN_CLIENT_RESUMED,
						       .witness = client->witness});
		return;
	}
	if (err == EACCES || clock_ms() >= client->resume_ms ||
	    (client->resume_next > 0 && !resume_elsewhere(client))) {
		client->resume_ms = 0;
	}
	pause_for(client, RETRY_MIN_MS);
	emit(client, (struct swn_client_event){.type = SWN_CLIENT_FAILED,
					       .step = "resume",
					       .witness = client->witness,
					       .err = err,
					       .why = why,
					       .retry_ms = RETRY_MIN_MS});
	talloc_free(why);
}

/* ---- ask ---- */

/* Version 1 has no keep-alive: such a call may rightly take for ever. */
static unsigned int ask_timeout(const struct swn_client *client)
{
	uint32_t s = client->params.keep_alive_s;

	if (client->joined.version == SWN_VERSION_1) {
		return 0;
	}
	s = s < CALL_MAX_S ? s + KEEP_ALIVE_SLACK_S : CALL_MAX_S;
	return s * 1000;
}

static void ask(struct swn_client *client)
{
	struct tevent_req *subreq;
	uint8_t *stub = NULL;
	size_t len = 0;

	if (swn_push_handle(client, &client->joined.handle, &stub, &len) != 0) {
		pause_for(client, next_retry(client));
		return;
	}
	client->call_ms = clock_ms();
	subreq = rpc_client_call_send(client, client->ev, client->joined.rpc, SWN_ASYNC_NOTIFY,
				      stub, len, ask_timeout(client));
	talloc_free(stub);
	client->asking = subreq != NULL;
	run(client, subreq, ask_answered);
}

/* Ask again: at once, unless the server answers nothing over and over. */
static void ask_again(struct swn_client *client)
{
	if (clock_ms() - client->call_ms < EMPTY_ANSWER_MS) {
		pause_for(client, EMPTY_ANSWER_MS);
		return;
	}
	ask(client);
}

/* The registration is over: how soon to start again depends on how long it lasted. */
static unsigned int unjoin(struct swn_client *client)
{
	TALLOC_FREE(client->joined.rpc);
	if (clock_ms() - client->joined_ms >= SETTLED_MS) {
		client->retry_ms = RETRY_MIN_MS;
		return 0;
	}
	return next_retry(client);
}

static void lost(struct swn_client *client, int err, const char *why)
{
	unsigned int ms;

	client->former = client->joined;
	client->former.rpc = NULL;
	ms = unjoin(client);
	client->resumed = false;
	client->resume_ms = 0;
	if (may_resume(client, err)) {
		client->resume_ms = clock_ms() + RESUME_MS;
		client->resume_first = client->witness;
		client->resume_next = 0;
		ms = RETRY_MIN_MS;
	}
	pause_for(client, ms);
	emit(client,
	     (struct swn_client_event){
		     .type = SWN_CLIENT_LOST, .witness = client->witness, .err = err, .why = why});
}

/* Windows would move its SMB connection now: follow it. Whoever has moved does not care for what it left. */
static void follow(struct swn_client *client, const struct swn_notify *notify)
{
	if (notify->type == SWN_RESOURCE_CHANGE &&
	    !ipaddr_equal(&client->server, &client->registered)) {
		return;
	}
	switch (swn_consequence(notify, &client->server)) {
	case SWN_SERVER_SAME:
		return;
	case SWN_SERVER_LOST:
		client->server_lost = true;
		return;
	case SWN_SERVER_BACK:
	case SWN_SERVER_MOVED:
		client->server_lost = false;
		return;
	}
}

static void on_notify(struct swn_client *client, const struct swn_notify *notify)
{
	struct ipaddr server = client->server;

	ask(client);
	follow(client, notify);
	/* The event names the address that was registered, not the new one. */
	client->fn(client->private_data, &(struct swn_client_event){.type = SWN_CLIENT_NOTIFIED,
								    .server = server,
								    .witness = client->witness,
								    .notify = notify});
}

/* The witness has ended the registration; or, asked for it again, does not have it. */
static void not_found(struct swn_client *client)
{
	struct ipaddr asked = client->witness;

	if (!client->resumed || clock_ms() >= client->resume_ms || !resume_elsewhere(client)) {
		client->resumed = false;
		client->resume_ms = 0;
		start_over(client);
		return;
	}
	client->resumed = false;
	TALLOC_FREE(client->joined.rpc);
	pause_for(client, 0);
	emit(client,
	     (struct swn_client_event){.type = SWN_CLIENT_FAILED,
				       .step = "resume",
				       .witness = asked,
				       .err = EREMOTEIO,
				       .why = "this witness does not know the registration"});
}

static void on_answer(struct swn_client *client, const uint8_t *stub, size_t len)
{
	TALLOC_CTX *tmp = talloc_new(client);
	struct swn_notify *notify = NULL;
	uint32_t werror = 0;
	int err = swn_pull_notify_reply(tmp, stub, len, &notify, &werror);

	if (err == 0 && werror != SWN_ERROR_NOT_FOUND) {
		client->resumed = false;
	}
	if (err != 0) {
		lost(client, err == EBADMSG ? EPROTO : err,
		     "the answer to AsyncNotify cannot be decoded");
	} else if (werror == SWN_ERROR_NOT_FOUND) {
		not_found(client);
	} else if (werror == SWN_SUCCESS && notify != NULL) {
		on_notify(client, notify);
	} else if (werror == SWN_SUCCESS || werror == SWN_ERROR_TIMEOUT) {
		ask_again(client);
	} else {
		lost(client, werror == SWN_ERROR_ACCESS_DENIED ? EACCES : EREMOTEIO,
		     talloc_asprintf(tmp, "AsyncNotify: %s (%u)", swn_werror_name(werror), werror));
	}
	talloc_free(tmp);
}

static void ask_answered(struct tevent_req *subreq)
{
	struct swn_client *client = tevent_req_callback_data(subreq, struct swn_client);
	uint32_t fault = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, client, &fault, &stub, &len);

	TALLOC_FREE(client->subreq);
	client->asking = false;
	if (err == 0 && fault == 0) {
		on_answer(client, stub, len);
		talloc_free(stub);
		return;
	}
	if (err == 0) {
		char why[64];

		snprintf(why, sizeof(why), "AsyncNotify: fault 0x%08x", fault);
		lost(client, fault == RPC_FAULT_ACCESS_DENIED ? EACCES : EREMOTEIO, why);
		return;
	}
	lost(client, err, strerror(err));
}

/* ---- start over ---- */

/* As Windows does: unregister what was just reported not to exist, then start again. */
static void start_over(struct swn_client *client)
{
	run(client, swn_leave_send(client, client->ev, &client->joined, LEAVE_MS), leave_done);
	emit(client, (struct swn_client_event){.type = SWN_CLIENT_REREGISTERING,
					       .witness = client->witness,
					       .why = "the witness has ended the registration"});
}

static void leave_done(struct tevent_req *subreq)
{
	struct swn_client *client = tevent_req_callback_data(subreq, struct swn_client);
	unsigned int ms;

	(void)swn_leave_recv(subreq); /* an error is what is expected */
	TALLOC_FREE(client->subreq);
	ms = unjoin(client);
	client->next = client->num_candidates; /* the whole procedure, with a fresh list */
	if (ms > 0) {
		pause_for(client, ms);
		return;
	}
	start_list(client);
}

/* ---- life ---- */

static int copy_string(TALLOC_CTX *mem_ctx, const char **text)
{
	if (*text == NULL) {
		return 0;
	}
	*text = talloc_strdup(mem_ctx, *text);
	return *text == NULL ? ENOMEM : 0;
}

int swn_client_params_own(TALLOC_CTX *mem_ctx, struct swn_client_params *params)
{
	const char **const strings[] = {
		&params->net_name,  &params->share_name,  &params->client_name,   &params->target,
		&params->cred.user, &params->cred.domain, &params->cred.password,
	};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		int err = copy_string(mem_ctx, strings[i]);

		if (err != 0) {
			return err;
		}
	}
	return 0;
}

/* A request must not survive the connection it runs on, nor call back a client that is going. */
static int client_destructor(struct swn_client *client)
{
	TALLOC_FREE(client->subreq);
	return 0;
}

int swn_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct swn_client_params *params, swn_client_fn fn, void *private_data,
		      struct swn_client **out)
{
	struct swn_client *client;
	struct ipaddr literal;
	int err;

	/* MS-SWN 3.2.4.1: a client that uses an address instead of a name has no witness. */
	if (params->net_name == NULL || params->client_name == NULL ||
	    ipaddr_parse(params->net_name, &literal) == 0 || params->server.family == 0) {
		return EINVAL;
	}
	client = talloc_zero(mem_ctx, struct swn_client);
	if (client == NULL) {
		return ENOMEM;
	}
	client->ev = ev;
	client->params = *params;
	client->fn = fn;
	client->private_data = private_data;
	client->server = params->server;
	client->retry_ms = RETRY_MIN_MS;
	talloc_set_destructor(client, client_destructor);
	err = swn_client_params_own(client, &client->params) != 0
		      ? ENOMEM
		      : mono_alarm_create(client, ev, pause_over, client, &client->pause);
	if (err != 0) {
		talloc_free(client);
		return err;
	}
	pause_for(client, 0);
	*out = client;
	return 0;
}

struct swn_client_stop_state {
	struct rpc_client *rpc;
};

static void stop_done(struct tevent_req *subreq);

struct tevent_req *swn_client_stop_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					struct swn_client *client, unsigned int timeout_ms)
{
	struct swn_client_stop_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swn_client_stop_state);
	struct swn_joined joined = client->joined;
	struct tevent_req *subreq;

	if (req == NULL) {
		return NULL;
	}
	mono_alarm_clear(client->pause);
	if (joined.rpc == NULL) {
		TALLOC_FREE(client->subreq);
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	/* Without MPX nothing goes out before AsyncNotify is answered. */
	if (client->asking && !rpc_client_mpx(joined.rpc)) {
		(void)rpc_client_cancel(client->subreq);
	}
	TALLOC_FREE(client->subreq);
	client->joined.rpc = NULL;
	state->rpc = talloc_steal(state, joined.rpc);
	subreq = swn_leave_send(state, ev, &joined, timeout_ms);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, stop_done, req);
	return req;
}

static void stop_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	int err = swn_leave_recv(subreq);

	TALLOC_FREE(subreq);
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	tevent_req_done(req);
}

int swn_client_stop_recv(struct tevent_req *req)
{
	int err = req_errno(req);

	tevent_req_received(req);
	return err;
}
