/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Security contexts of a connection and the legs of their negotiation (C706 13.2.4, MS-RPCE 3.3.1.5.2).
 * A leg may take a while (winbind), so nothing is read meanwhile: clients send their first request right
 * behind the last leg.
 */
#include "witnessd/rpc/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"

/* Contexts of a connection that are negotiated at the same time: clients do one after the other. */
#define NEGOTIATING_MAX 2

/* One leg while its step runs. */
struct auth_leg {
	struct rpc_conn *conn;
	struct conn_sec *sec;
	struct conn_ack *ack; /* NULL: an auth3, which is not answered */
	uint8_t ptype;
	uint32_t call_id;
	uint8_t *pdu; /* holds the token */
	size_t pdu_len;
	const uint8_t *token;
	size_t token_len;
};

static void leg_delayed(struct tevent_req *req);
static void leg_step(struct auth_leg *leg);
static void leg_done(struct tevent_req *req);

struct conn_sec *conn_find_sec(struct rpc_conn *conn, uint32_t id)
{
	struct conn_sec *sec;

	qb_list_for_each_entry (sec, &conn->secs, list) {
		if (sec->id == id) {
			return sec;
		}
	}
	return NULL;
}

void conn_send_ack(struct rpc_conn *conn, struct conn_ack *ack)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int err = pdu_push_bind_ack(conn, ack->ptype, ack->flags, ack->call_id, &ack->ack, &buf,
				    &len);

	talloc_free(ack);
	if (err != 0) {
		conn_drop(conn, strerror(err));
		return;
	}
	conn_queue(conn, buf, len);
	conn_flush(conn);
}

/* Tokens are as good as passwords to some: they do not stay in freed memory. */
static int leg_destructor(struct auth_leg *leg)
{
	if (leg->pdu != NULL) {
		explicit_bzero(leg->pdu, leg->pdu_len);
	}
	leg->conn->auth_held = 0;
	return 0;
}

/* When a negotiation that begins now has to be over. Before anybody has logged on, another try wins no time. */
static uint64_t negotiation_due(const struct rpc_conn *conn)
{
	unsigned int auth_ms = conn->server->limits.auth_ms;

	if (conn->state == CONN_WAIT_BIND) {
		return conn->accepted_ms + auth_ms;
	}
	if (!conn->authenticated && wheel_armed(&conn->setup_timer)) {
		return conn->setup_due_ms;
	}
	return clock_ms() + auth_ms;
}

/* What is negotiated has to be over in time; the first that began comes first. */
static void watch_negotiations(struct rpc_conn *conn)
{
	const struct conn_sec *sec;

	qb_list_for_each_entry (sec, &conn->secs, list) {
		if (sec->state == CONN_SEC_NEGOTIATING) {
			conn_arm_setup(conn, sec->due_ms);
			return;
		}
	}
	if (conn->authenticated) {
		wheel_cancel(&conn->setup_timer);
	}
}

/* Each half-open one holds what a mechanism has for it. */
static bool may_negotiate(const struct rpc_conn *conn)
{
	const struct conn_sec *sec;
	unsigned int num = 0;

	qb_list_for_each_entry (sec, &conn->secs, list) {
		num += sec->state == CONN_SEC_NEGOTIATING;
	}
	return num < NEGOTIATING_MAX && conn->num_secs < conn->server->limits.sec_contexts;
}

/* @return 0, ENOTSUP (type), EINVAL (level), EMFILE (too many contexts), ENOMEM */
static int new_sec(struct rpc_conn *conn, const struct pdu_auth *auth, struct conn_sec **out)
{
	struct conn_sec *sec;
	int ret;

	if (!may_negotiate(conn)) {
		conn_limit_note(conn, RPC_LIMIT_SEC_CONTEXTS);
		return EMFILE;
	}
	/* What is offered is asked of rpc_sec_acceptor(), which looks at the keytab first. */
	if (conn->server->auth == NULL) {
		return ENOTSUP;
	}
	switch (auth->level) {
	case RPC_LEVEL_CONNECT:
	case RPC_LEVEL_PACKET:
	case RPC_LEVEL_INTEGRITY:
	case RPC_LEVEL_PRIVACY:
		break;
	default: /* "call" makes no sense on TCP; the rest is no level */
		return EINVAL;
	}
	sec = talloc_zero(conn, struct conn_sec);
	if (sec == NULL) {
		return ENOMEM;
	}
	ret = rpc_sec_acceptor(sec, conn->server->auth, auth->type, auth->level, &sec->sec);
	if (ret != 0) {
		talloc_free(sec);
		return ret;
	}
	sec->id = auth->context_id;
	sec->type = auth->type;
	sec->level = auth->level;
	sec->due_ms = negotiation_due(conn);
	qb_list_add_tail(&sec->list, &conn->secs);
	conn->num_secs++;
	watch_negotiations(conn);
	*out = sec;
	return 0;
}

/* The client may have been right: it is not taken for one that guesses. */
static bool is_our_trouble(int err)
{
	return err == ENOMEM || err == EBUSY || err == EAGAIN || err == ETIMEDOUT;
}

static void leg_failed(struct auth_leg *leg, int err)
{
	struct rpc_conn *conn = leg->conn;
	char text[IPADDR_STRLEN];

	leg->sec->state = CONN_SEC_FAILED;
	if (err == EBUSY) {
		conn_limit_note(conn, RPC_LIMIT_AUTH_QUEUE);
	}
	conn->server->stats.auth_failures++;
	if (!is_our_trouble(err)) {
		rpc_network_failed(conn->server, &conn->remote);
	}
	if (rpc_server_may_log(conn->server)) {
		log_notice("rpc: connection %" PRIu64 " from %s: authentication failed: %s",
			   conn->id, ipaddr_format(&conn->remote, text),
			   log_escape(leg, rpc_sec_error(leg->sec->sec)));
	}
	switch (leg->ptype) {
	case RPC_BIND:
		conn_nak_close(conn, leg->call_id, rpc_sec_nak_reason(err));
		break;
	case RPC_ALTER_CONTEXT:
		conn_fault_close(conn, CONN_FLAGS_UNDONE, leg->call_id, 0,
				 err == EACCES ? RPC_FAULT_ACCESS_DENIED : RPC_FAULT_SEC_PKG_ERROR);
		break;
	default: /* an auth3 has no answer: the next request gets it */
		watch_negotiations(conn);
		conn_enter(conn, CONN_READY);
		break;
	}
}

/* @return 0, or why the connection cannot stay: EDQUOT or ENOMEM */
static int sec_done(struct rpc_conn *conn, struct conn_sec *sec, TALLOC_CTX *mem_ctx)
{
	const char *principal = rpc_sec_principal(sec->sec);
	char text[IPADDR_STRLEN];
	int ret = conn_authenticated(conn, principal != NULL ? principal : "-");

	if (ret != 0) {
		if (ret == EDQUOT) {
			conn_limit_note(conn, RPC_LIMIT_CONNECTIONS_PRINCIPAL);
		}
		if (rpc_server_may_log(conn->server)) {
			log_notice("rpc: connection %" PRIu64 " of %s from %s is refused: %s",
				   conn->id, log_escape(mem_ctx, principal),
				   ipaddr_format(&conn->remote, text),
				   ret == EDQUOT ? "too many are open" : strerror(ret));
		}
		return ret;
	}
	sec->state = CONN_SEC_DONE;
	watch_negotiations(conn);
	log_info("rpc: connection %" PRIu64 ": %s from %s authenticated (%s, level %u)", conn->id,
		 log_escape(mem_ctx, principal), ipaddr_format(&conn->remote, text),
		 rpc_sec_mech(sec->sec), (unsigned int)sec->level);
	return 0;
}

/* The principal is who it says, and has enough. An auth3 has no answer. */
static void leg_unwanted(struct auth_leg *leg)
{
	struct rpc_conn *conn = leg->conn;

	conn->server->stats.refused++;
	if (leg->ptype == RPC_BIND) {
		conn_nak_close(conn, leg->call_id, RPC_NAK_LOCAL_LIMIT_EXCEEDED);
	} else if (leg->ptype == RPC_ALTER_CONTEXT) {
		conn_fault_close(conn, CONN_FLAGS_UNDONE, leg->call_id, 0,
				 RPC_FAULT_SERVER_TOO_BUSY);
	} else {
		conn_close(conn, "its principal has too many connections");
	}
}

/* The leg goes on when conn->step is done, and goes with it. */
static void leg_wait(struct auth_leg *leg, tevent_req_fn fn)
{
	struct rpc_conn *conn = leg->conn;

	if (conn->step == NULL) {
		talloc_free(leg);
		conn_drop(conn, "memory is short");
		return;
	}
	(void)talloc_steal(conn->step, leg);
	tevent_req_set_callback(conn->step, fn, leg);
}

static void start_leg(struct rpc_conn *conn, struct conn_sec *sec, struct conn_ack *ack,
		      const struct pdu_auth *auth, uint8_t ptype, uint32_t call_id, uint8_t *pdu)
{
	struct auth_leg *leg = talloc_zero(conn, struct auth_leg);
	unsigned int delay_ms;

	if (leg == NULL) {
		talloc_free(ack);
		conn_drop(conn, "memory is short");
		return;
	}
	leg->conn = conn;
	leg->sec = sec;
	leg->ack = talloc_steal(leg, ack);
	leg->ptype = ptype;
	leg->call_id = call_id;
	leg->pdu = talloc_steal(leg, pdu);
	leg->pdu_len = talloc_get_size(pdu);
	conn->auth_held = CONN_MEMORY(sizeof(*leg)) + CONN_MEMORY(leg->pdu_len);
	talloc_set_destructor(leg, leg_destructor);
	if (++sec->legs > conn->server->limits.auth_legs) {
		conn_limit_note(conn, RPC_LIMIT_AUTH_LEGS);
		leg_failed(leg, EPROTO);
		talloc_free(leg);
		return;
	}
	leg->token = auth->value;
	leg->token_len = auth->value_len;
	conn_pause(conn, CONN_PAUSE_AUTH);
	delay_ms = rpc_network_delay_ms(conn->server, &conn->remote);
	if (delay_ms == 0) {
		leg_step(leg);
		return;
	}
	conn_limit_note(conn, RPC_LIMIT_AUTH_FAILURES);
	conn->step = wheel_wait_send(conn, conn->server->wheel, delay_ms);
	leg_wait(leg, leg_delayed);
}

static void leg_delayed(struct tevent_req *req)
{
	struct auth_leg *leg = tevent_req_callback_data(req, struct auth_leg);
	struct rpc_conn *conn = leg->conn;

	(void)talloc_steal(conn, leg);
	TALLOC_FREE(conn->step);
	if (conn->state == CONN_CLOSING) {
		talloc_free(leg);
		return;
	}
	leg_step(leg);
}

static void leg_step(struct auth_leg *leg)
{
	struct rpc_conn *conn = leg->conn;

	conn->step = rpc_sec_step_send(conn, conn->server->ev, leg->sec->sec, leg->token,
				       leg->token_len);
	leg_wait(leg, leg_done);
}

/* @param token for the client, or NULL */
static void leg_succeeded(struct auth_leg *leg, bool done, const uint8_t *token, size_t token_len)
{
	struct rpc_conn *conn = leg->conn;
	struct conn_sec *sec = leg->sec;

	if (done && sec_done(conn, sec, leg) != 0) {
		leg_unwanted(leg);
		return;
	}
	if (!done && conn->state == CONN_WAIT_BIND) {
		conn_enter(conn, CONN_AUTH);
	}
	if (leg->ack == NULL) {
		return;
	}
	leg->ack->ack.auth = (struct pdu_auth){
		.type = sec->type,
		.level = sec->level,
		.context_id = sec->id,
		.value = token,
		.value_len = token_len,
	};
	conn_send_ack(conn, leg->ack);
}

static void leg_done(struct tevent_req *req)
{
	struct auth_leg *leg = tevent_req_callback_data(req, struct auth_leg);
	struct rpc_conn *conn = leg->conn;
	uint8_t *token = NULL;
	size_t token_len = 0;
	bool done = false;
	int ret = rpc_sec_step_recv(req, leg, &token, &token_len, &done);

	(void)talloc_steal(conn, leg);
	TALLOC_FREE(conn->step);
	conn->active_ms = clock_ms(); /* from now on we wait for the client again */
	if (conn->state == CONN_CLOSING) {
		talloc_free(leg);
		return;
	}
	/* Nobody would get a further token behind an auth3. */
	if (ret == 0 && leg->ptype == RPC_AUTH3 && !done) {
		ret = EPROTO;
	}
	if (ret != 0) {
		leg_failed(leg, ret);
	} else {
		leg_succeeded(leg, done, token, token_len);
	}
	talloc_free(leg);
	conn_account(conn);
	conn_unpause(conn, CONN_PAUSE_AUTH);
}

void conn_auth_bind(struct rpc_conn *conn, struct conn_ack *ack, const struct pdu_auth *auth,
		    uint8_t *pdu)
{
	struct conn_sec *sec;
	int ret = new_sec(conn, auth, &sec);

	if (ret == 0) {
		start_leg(conn, sec, ack, auth, RPC_BIND, ack->call_id, pdu);
		return;
	}
	conn_nak_close(conn, ack->call_id, rpc_sec_nak_reason(ret));
	talloc_free(ack);
}

/* @return 0 or the fault for a further leg that does not fit to its negotiation */
static uint32_t check_leg(const struct conn_sec *sec, const struct pdu_auth *auth)
{
	if (sec->state != CONN_SEC_NEGOTIATING || sec->level != auth->level ||
	    auth->type == RPC_AUTH_NONE) {
		return RPC_FAULT_ACCESS_DENIED;
	}
	return sec->type != auth->type ? RPC_FAULT_SEC_PKG_ERROR : 0;
}

void conn_auth_alter(struct rpc_conn *conn, struct conn_ack *ack, const struct pdu_auth *auth,
		     uint8_t *pdu)
{
	struct conn_sec *sec = conn_find_sec(conn, auth->context_id);
	uint32_t fault;
	int ret;

	if (sec != NULL) {
		fault = check_leg(sec, auth);
	} else {
		ret = new_sec(conn, auth, &sec);
		fault = ret == 0        ? 0
			: ret == EMFILE ? RPC_FAULT_PROTO_ERROR
			: ret == ENOMEM ? RPC_FAULT_OUT_OF_RESOURCES
					: RPC_FAULT_ACCESS_DENIED;
	}
	if (fault != 0) {
		conn_fault_close(conn, CONN_FLAGS_UNDONE, ack->call_id, 0, fault);
		talloc_free(ack);
		return;
	}
	start_leg(conn, sec, ack, auth, RPC_ALTER_CONTEXT, ack->call_id, pdu);
}

void conn_on_auth3(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	struct pdu_auth auth = {0};
	struct conn_sec *sec = NULL;
	uint32_t fault = RPC_FAULT_PROTO_ERROR;

	if (pdu_pull_auth(pdu, hdr, PDU_AUTH3_FIXED, &auth) == 0 && auth.present &&
	    conn->incomplete == NULL) {
		sec = conn_find_sec(conn, auth.context_id);
	}
	if (sec != NULL && sec->state == CONN_SEC_NEGOTIATING) {
		fault = check_leg(sec, &auth);
	}
	if (fault != 0) {
		conn_fault_close(conn, CONN_FLAGS_UNDONE, hdr->call_id, 0, fault);
		return;
	}
	start_leg(conn, sec, NULL, &auth, RPC_AUTH3, hdr->call_id, pdu);
}
