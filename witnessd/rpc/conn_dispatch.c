/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checking headers, dispatching PDUs to their handlers, and the PDUs that refuse: fault and bind_nak. */
#include "witnessd/rpc/conn.h"

#include <inttypes.h>

#include "witnessd/util/log.h"

#define TOKEN_AUTH3_MAX 4096 /* as Samba has it */

static void queue_and_flush(struct rpc_conn *conn, int err, uint8_t *buf, size_t len)
{
	if (err != 0) {
		conn_drop(conn, "memory is short");
		return;
	}
	conn_queue(conn, buf, len);
	conn_flush(conn);
}

void conn_fault(struct rpc_conn *conn, uint8_t flags, uint32_t call_id, uint16_t context_id,
		uint32_t status)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int err;

	if (conn->state == CONN_CLOSING) {
		return;
	}
	err = pdu_push_fault(conn, flags, call_id, context_id, status, &buf, &len);
	conn->server->stats.faults++;
	log_debug("rpc: connection %" PRIu64 ": call %" PRIu32 ": fault 0x%08" PRIx32, conn->id,
		  call_id, status);
	queue_and_flush(conn, err, buf, len);
}

void conn_fault_close(struct rpc_conn *conn, uint8_t flags, uint32_t call_id, uint16_t context_id,
		      uint32_t status)
{
	conn_fault(conn, flags, call_id, context_id, status);
	conn_close(conn, "it broke the protocol or was refused");
}

void conn_nak_close(struct rpc_conn *conn, uint32_t call_id, uint16_t reason)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int err;

	if (conn->state == CONN_CLOSING) {
		return;
	}
	err = pdu_push_bind_nak(conn, call_id, reason, &buf, &len);
	conn->server->stats.naks++;
	log_debug("rpc: connection %" PRIu64 ": bind_nak %u", conn->id, (unsigned int)reason);
	queue_and_flush(conn, err, buf, len);
	conn_close(conn, "its bind was refused");
}

/* The reactions of the table that need nothing but the header. @return whether it was one of them */
static bool react(struct rpc_conn *conn, enum conn_action action, const struct pdu_hdr *hdr)
{
	switch (action) {
	case CONN_DROP:
		conn_close(conn, "what it sent is not DCE/RPC");
		return true;
	case CONN_NAK_VERSION:
		conn_nak_close(conn, hdr->call_id, RPC_NAK_PROTOCOL_VERSION_NOT_SUPPORTED);
		return true;
	case CONN_NAK_PLAIN:
		conn_nak_close(conn, hdr->call_id, RPC_NAK_NOT_SPECIFIED);
		return true;
	case CONN_FAULT_PROTO:
		conn_fault_close(conn, CONN_FLAGS_UNDONE, hdr->call_id, 0, RPC_FAULT_PROTO_ERROR);
		return true;
	default:
		return false;
	}
}

/* The maximum size of this PDU type: tokens with a large PAC make long binds. */
static size_t max_length(uint8_t ptype)
{
	switch (ptype) {
	case RPC_BIND:
	case RPC_ALTER_CONTEXT:
		return UINT16_MAX;
	case RPC_AUTH3:
		return PDU_HDR_LEN + 4 + PDU_SEC_TRAILER_LEN + TOKEN_AUTH3_MAX;
	default:
		return RPC_FRAG_MAX; /* whatever was negotiated */
	}
}

/* Version 5.0, integers big- or little-endian, ASCII, IEEE, and an auth part that can be there. */
static bool header_valid(const struct pdu_hdr *hdr)
{
	if (hdr->rpc_vers != 5 || hdr->rpc_vers_minor != 0) {
		return false;
	}
	if ((hdr->drep[0] != 0x10 && hdr->drep[0] != 0x00) || hdr->drep[1] != 0) {
		return false;
	}
	return hdr->auth_length == 0 ||
	       (size_t)hdr->auth_length + PDU_SEC_TRAILER_LEN + PDU_HDR_LEN <= hdr->frag_length;
}

bool conn_check_header(struct rpc_conn *conn, const struct pdu_hdr *hdr)
{
	enum conn_action action = conn_action(conn->state, hdr->ptype);

	if (action == CONN_DROP || hdr->frag_length < PDU_HDR_LEN) {
		(void)react(conn, CONN_DROP, hdr);
		return false;
	}
	if (!header_valid(hdr)) {
		(void)react(conn, conn_bad_header(conn->state), hdr);
		return false;
	}
	if (react(conn, action, hdr)) {
		return false;
	}
	if (hdr->frag_length > max_length(hdr->ptype)) {
		conn_fault_close(conn, CONN_FLAGS_SINGLE, hdr->call_id, 0, RPC_FAULT_PROTO_ERROR);
		return false;
	}
	return true;
}

void conn_handle_pdu(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	TALLOC_CTX *frame = talloc_new(conn);

	if (frame == NULL) {
		talloc_free(pdu);
		conn_drop(conn, "memory is short");
		return;
	}
	(void)talloc_steal(frame, pdu);
	switch (conn_action(conn->state, hdr->ptype)) {
	case CONN_DO_BIND:
		conn_on_bind(conn, hdr, pdu);
		break;
	case CONN_DO_ALTER:
		conn_on_alter(conn, hdr, pdu);
		break;
	case CONN_DO_AUTH3:
		conn_on_auth3(conn, hdr, pdu);
		break;
	case CONN_DO_REQUEST:
		conn_on_request(conn, hdr, pdu);
		break;
	case CONN_DO_CANCEL:
		conn_on_cancel(conn, hdr->call_id);
		break;
	case CONN_DO_ORPHANED:
		conn_on_orphaned(conn, hdr->call_id);
		break;
	default: /* conn_check_header() has reacted */
		break;
	}
	talloc_free(frame);
}
