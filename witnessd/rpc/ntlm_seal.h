/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTLM signatures and sealing with extended session security, 128-bit keys and key exchange (MS-NLMP
 * 3.4.4.2 and 3.4.3), over DCE/RPC PDUs. The GSSAPI mechanism cannot do this: it signs only what
 * it encrypts, whereas DCE/RPC also signs the headers. Pure computation on the caller's memory.
 */
#ifndef WITNESSD_RPC_NTLM_SEAL_H
#define WITNESSD_RPC_NTLM_SEAL_H

#include <nettle/arcfour.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTLM_SIG_SIZE 16
#define NTLM_KEY_SIZE 16

/* One direction of one security context. */
struct ntlm_seal {
	uint8_t sign_key[NTLM_KEY_SIZE];
	struct arcfour_ctx rc4; /* keeps its state across messages */
	uint32_t seq;           /* of the next message */
};

/**
 * @param session_key      the exported session key
 * @param client_to_server which direction
 * @param first_seq        0, or 1 when SPNEGO has used 0 for its mechListMIC
 */
void ntlm_seal_init(struct ntlm_seal *s, const uint8_t session_key[NTLM_KEY_SIZE],
		    bool client_to_server, uint32_t first_seq);

/** Sign the whole message. */
void ntlm_seal_sign(struct ntlm_seal *s, const uint8_t *msg, size_t len,
		    uint8_t sig[NTLM_SIG_SIZE]);

/**
 * Sign the whole message and encrypt secret_len bytes of it from secret_off, which must lie inside.
 */
void ntlm_seal_seal(struct ntlm_seal *s, uint8_t *msg, size_t len, size_t secret_off,
		    size_t secret_len, uint8_t sig[NTLM_SIG_SIZE]);

/**
 * The reverse of the two above. The state advances in any case: after an error this direction is out of
 * sync and the connection has to be closed.
 * @return 0 or EBADMSG
 */
int ntlm_seal_verify(struct ntlm_seal *s, const uint8_t *msg, size_t len,
		     const uint8_t sig[NTLM_SIG_SIZE]);
int ntlm_seal_unseal(struct ntlm_seal *s, uint8_t *msg, size_t len, size_t secret_off,
		     size_t secret_len, const uint8_t sig[NTLM_SIG_SIZE]);

#endif
