/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks NTLM AUTHENTICATE messages (MS-NLMP 2.2.1.3) before gss-ntlmssp sees them. Its acceptor (1.2.0)
 * copies 16 bytes from the session key field without checking its length, which an authenticated peer
 * can turn into a NULL dereference; and it cannot be told to require NTLMv2 and the flags without which
 * its signatures protect little.
 */
#ifndef WITNESSD_RPC_NTLM_GUARD_H
#define WITNESSD_RPC_NTLM_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Check the AUTHENTICATE message in a token, which may stand alone or be wrapped in SPNEGO.
 * @param level rpc_auth_level that the context is for
 * @param found whether there is one; may be NULL
 * @param why   for an error a constant sentence; may be NULL
 * @return 0 (also when there is none); EBADMSG (its fields do not fit in the token, or there are two);
 *         EACCES (not NTLMv2, anonymous, or flags missing that the level needs)
 */
int ntlm_guard_check(const uint8_t *token, size_t len, uint8_t level, bool *found,
		     const char **why);

#endif
