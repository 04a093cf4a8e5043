/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Security contexts of DCE/RPC on GSSAPI: SPNEGO, Kerberos and NTLM, for acceptors and initiators
 * (MS-RPCE 2.2.2.11 and 3.3.1.5.2; MS-NLMP 3.4 for the NTLM signatures).
 *
 * Steps of a negotiation may block (winbind, KDC, DNS), so they run on a small pool of threads and
 * complete on the event loop. Protecting and unprotecting PDUs never blocks.
 */
#ifndef WITNESSD_RPC_AUTH_H
#define WITNESSD_RPC_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "witnessd/rpc/dcerpc.h"

/* The acceptor's credentials and the thread pool: one per process. */
struct rpc_auth;

struct rpc_auth_config {
	const char *keytab; /* NULL: the library's default keytab */
	bool krb5;          /* try to offer Kerberos */
	bool ntlm;          /* try to offer NTLM */
	/*
	 * For gss-ntlmssp's environment; NULL leaves it alone. In the user file (NTLM_USER_FILE) prefer
	 * lines with a hash (smbpasswd style) to lines with a password: gss-ntlmssp 1.2.0 leaks 6 KB each
	 * time it hashes a password, which any wrong guess of a client makes it do.
	 */
	const char *ntlm_user_file;
	const char *netbios_name; /* for the NTLM challenge */
	const char *netbios_domain;
	unsigned int threads; /* maximum; 0 = 8 */
};

/**
 * Acquire acceptor credentials, each kind separately: what is missing (no keytab, no gss-ntlmssp) is
 * logged with the reason and not offered. Blocks on local files: call it before the loop runs.
 * A process that is only a client passes config NULL and offers nothing. Otherwise gss-ntlmssp's
 * environment is set, so there must be no other threads yet. When the keytab changes later on, or
 * appears, the next acceptor notices and the credentials are acquired again on a thread; when it has no
 * key any more Kerberos is still offered, and fails until it has one.
 * @return 0 (possibly with nothing to offer), ENOMEM, or the errno of timerfd_create(2)
 */
int rpc_auth_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		    const struct rpc_auth_config *config, struct rpc_auth **out);

/** The file of a keytab as configured ("": the default one). @return a child of mem_ctx; NULL: no file */
char *rpc_auth_keytab_file(TALLOC_CTX *mem_ctx, const char *keytab);

/** Whether acceptors of this type can be made. */
bool rpc_auth_offers(const struct rpc_auth *auth, uint8_t type);

/* One security context; a talloc chunk whose destructor deletes the GSS context. */
struct rpc_sec;

/**
 * A new acceptor. Refusing RPC_LEVEL_CALL is up to the caller.
 * @return 0, ENOTSUP (type not offered), EINVAL (level), ENOMEM
 */
int rpc_sec_acceptor(TALLOC_CTX *mem_ctx, struct rpc_auth *auth, uint8_t type, uint8_t level,
		     struct rpc_sec **out);

/* Who an initiator is. */
struct rpc_cred {
	const char *user;     /* NULL: whoever the default credential cache or client keytab has */
	const char *domain;   /* NTLM domain or Kerberos realm; may be NULL */
	const char *password; /* NULL: the cache or the client keytab has a key for user */
	bool no_krb5;         /* SPNEGO offers only NTLM; MIT still asks a KDC for a ticket */
	bool no_ntlm;         /* SPNEGO offers only Kerberos */
};

/**
 * An initiator. cred's strings are copied. Acquiring the credentials happens in the first step.
 * @param target host based service "cifs@host.example"
 * @return 0, ENOTSUP (type), EINVAL (level), ENOMEM
 */
int rpc_sec_initiator(TALLOC_CTX *mem_ctx, struct rpc_auth *auth, const struct rpc_cred *cred,
		      uint8_t type, uint8_t level, const char *target, struct rpc_sec **out);

/**
 * Feed one token from the peer (NULL, 0 for an initiator's first step). Only one step at a time per context.
 * Freeing the request abandons the step: the context is deleted when the thread has finished.
 * NTLM AUTHENTICATE tokens are checked first, raw or inside SPNEGO: the length of the session key
 * field and its bounds (a NULL dereference in gss-ntlmssp otherwise), NTLMv2 only, and the flags that
 * the level needs.
 */
struct tevent_req *rpc_sec_step_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				     struct rpc_sec *sec, const uint8_t *token, size_t token_len);

/**
 * @param out  token for the peer, a child of mem_ctx; NULL and 0 when there is none
 * @param done whether the context is complete (an acceptor's flags and level have been checked then)
 * @return 0; EACCES (the credentials are wrong, or the context is weaker than the level needs);
 *         EBADMSG (not a token); ENOTSUP (no common mechanism); ENOENT (initiator: no credentials);
 *         ETIMEDOUT (30 seconds); EBUSY or EAGAIN (overloaded at the moment); ECANCELED (sec was
 *         freed); EPROTO (others, including a step after completion). After an error the context is dead.
 *
 * An initiator may be done and still have a token to send: SPNEGO's goes in an alter_context, and when
 * the answer to it brings another token, that one is dropped, not fed.
 */
int rpc_sec_step_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, uint8_t **out, size_t *out_len,
		      bool *done);

/**
 * What a bind_nak says when rpc_sec_acceptor() or the first step failed with err: 8 (type not served)
 * for ENOTSUP, 0 for EINVAL (no such level), 1 when it may work later, else 9.
 */
enum rpc_nak_reason rpc_sec_nak_reason(int err);

/** The last error as text, from GSSAPI where it has one; for logs. Never NULL, owned by sec. */
const char *rpc_sec_error(const struct rpc_sec *sec);

/** Whether the negotiation is complete. */
bool rpc_sec_done(const struct rpc_sec *sec);
/** "krb5" or "ntlm" once complete, else "". */
const char *rpc_sec_mech(const struct rpc_sec *sec);
/** The peer's name on a complete acceptor, owned by sec; NULL before. */
const char *rpc_sec_principal(const struct rpc_sec *sec);
/** Bytes of auth_value in each protected PDU of a complete context; 0 below RPC_LEVEL_PACKET. */
size_t rpc_sec_sig_size(const struct rpc_sec *sec);

/*
 * A PDU as the two functions below see it: header (24, or 40 with an object UUID), body (stub,
 * verification trailer, padding), the 8 bytes of the sec_trailer, auth_value. frag_length and auth_length
 * in the header have their final values before protecting.
 */
struct rpc_sec_pdu {
	uint8_t *pdu;     /* changed in place */
	size_t hdr_len;   /* where the body begins */
	size_t body_len;  /* stub + verification trailer + padding */
	size_t auth_len;  /* of auth_value = auth_length */
	bool header_sign; /* negotiated on this connection */
};

/**
 * Sign (levels 4, 5) or seal (6) a PDU in place and write its auth_value. Call once for each
 * PDU, in the order in which they are sent: sequence numbers are implicit.
 * @return 0, EINVAL when auth_len is not rpc_sec_sig_size(), EPROTO when GSSAPI fails (close then)
 */
int rpc_sec_protect(struct rpc_sec *sec, const struct rpc_sec_pdu *p);

/**
 * Verify or unseal a received PDU in place, in the order of arrival.
 * @return 0; EBADMSG for a wrong signature, replay or gap (fault sec_pkg_error and close)
 */
int rpc_sec_unprotect(struct rpc_sec *sec, const struct rpc_sec_pdu *p);

#endif
