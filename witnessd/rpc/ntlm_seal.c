/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/ntlm_seal.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <string.h>

#define MAC_SIZE 8

/* The terminating NUL belongs to what is hashed. */
static const char c2s_sign[] = "session key to client-to-server signing key magic constant";
static const char c2s_seal[] = "session key to client-to-server sealing key magic constant";
static const char s2c_sign[] = "session key to server-to-client signing key magic constant";
static const char s2c_seal[] = "session key to server-to-client sealing key magic constant";

static void derive(uint8_t out[NTLM_KEY_SIZE], const uint8_t session_key[NTLM_KEY_SIZE],
		   const char *magic)
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, NTLM_KEY_SIZE, session_key);
	md5_update(&md5, strlen(magic) + 1, (const uint8_t *)magic);
	md5_digest(&md5, NTLM_KEY_SIZE, out);
}

void ntlm_seal_init(struct ntlm_seal *s, const uint8_t session_key[NTLM_KEY_SIZE],
		    bool client_to_server, uint32_t first_seq)
{
	uint8_t seal_key[NTLM_KEY_SIZE];

	derive(s->sign_key, session_key, client_to_server ? c2s_sign : s2c_sign);
	derive(seal_key, session_key, client_to_server ? c2s_seal : s2c_seal);
	arcfour_set_key(&s->rc4, sizeof(seal_key), seal_key);
	explicit_bzero(seal_key, sizeof(seal_key));
	s->seq = first_seq;
}

static void put_le32(uint8_t out[4], uint32_t v)
{
	for (int i = 0; i < 4; i++) {
		out[i] = (uint8_t)(v >> (8 * i));
	}
}

/* HMAC-MD5 over sequence number and plaintext, cut to eight bytes. */
static void plain_mac(const struct ntlm_seal *s, const uint8_t *msg, size_t len,
		      uint8_t mac[MAC_SIZE])
{
	struct hmac_md5_ctx hmac;
	uint8_t seq[4];

	put_le32(seq, s->seq);
	hmac_md5_set_key(&hmac, sizeof(s->sign_key), s->sign_key);
	hmac_md5_update(&hmac, sizeof(seq), seq);
	hmac_md5_update(&hmac, len, msg);
	hmac_md5_digest(&hmac, MAC_SIZE, mac);
	explicit_bzero(&hmac, sizeof(hmac));
}

/* Version 1, the MAC encrypted with the running RC4 (key exchange is always negotiated), the number. */
static void finish(struct ntlm_seal *s, const uint8_t mac[MAC_SIZE], uint8_t sig[NTLM_SIG_SIZE])
{
	put_le32(sig, 1);
	arcfour_crypt(&s->rc4, MAC_SIZE, sig + 4, mac);
	put_le32(sig + 4 + MAC_SIZE, s->seq);
	s->seq++;
}

void ntlm_seal_sign(struct ntlm_seal *s, const uint8_t *msg, size_t len, uint8_t sig[NTLM_SIG_SIZE])
{
	ntlm_seal_seal(s, (uint8_t *)msg, len, 0, 0, sig);
}

void ntlm_seal_seal(struct ntlm_seal *s, uint8_t *msg, size_t len, size_t secret_off,
		    size_t secret_len, uint8_t sig[NTLM_SIG_SIZE])
{
	uint8_t mac[MAC_SIZE];

	plain_mac(s, msg, len, mac);
	arcfour_crypt(&s->rc4, secret_len, msg + secret_off, msg + secret_off);
	finish(s, mac, sig);
}

int ntlm_seal_verify(struct ntlm_seal *s, const uint8_t *msg, size_t len,
		     const uint8_t sig[NTLM_SIG_SIZE])
{
	return ntlm_seal_unseal(s, (uint8_t *)msg, len, 0, 0, sig);
}

int ntlm_seal_unseal(struct ntlm_seal *s, uint8_t *msg, size_t len, size_t secret_off,
		     size_t secret_len, const uint8_t sig[NTLM_SIG_SIZE])
{
	uint8_t mac[MAC_SIZE], expected[NTLM_SIG_SIZE];

	arcfour_crypt(&s->rc4, secret_len, msg + secret_off, msg + secret_off);
	plain_mac(s, msg, len, mac);
	finish(s, mac, expected);
	return memeql_sec(expected, sig, NTLM_SIG_SIZE) ? 0 : EBADMSG;
}
