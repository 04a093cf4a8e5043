/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/ntlm_guard.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/dcerpc.h"

#define AUTH_FIXED 64 /* up to and including the flags: what every AUTHENTICATE has */
#define AUTH_FLAGS 60

/* A response: 16 bytes of proof, 28 bytes of client challenge before its first pair (2.2.2.7). */
#define NTLMV2_RESPONSE_MIN 44
#define SESSION_KEY_LEN     16

#define FLAG_UNICODE        0x00000001U
#define FLAG_SIGN           0x00000010U
#define FLAG_SEAL           0x00000020U
#define FLAG_ESS            0x00080000U
#define FLAG_128            0x20000000U
#define FLAG_KEY_EXCH       0x40000000U
#define FLAGS_SIGN          (FLAG_UNICODE | FLAG_SIGN | FLAG_ESS | FLAG_128 | FLAG_KEY_EXCH)

static const uint8_t signature[] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0, 3, 0, 0, 0};

enum field { LM_RESPONSE, NT_RESPONSE, DOMAIN, USER, WORKSTATION, SESSION_KEY };

/* Where the descriptors (u16 length, u16 room, u32 offset) of the fields are. */
static const struct {
	size_t at;
	const char *outside;
} fields[] = {
	[LM_RESPONSE] = {12, "the LM response of the NTLM message is outside of it"},
	[NT_RESPONSE] = {20, "the NT response of the NTLM message is outside of it"},
	[DOMAIN] = {28, "the domain name of the NTLM message is outside of it"},
	[USER] = {36, "the user name of the NTLM message is outside of it"},
	[WORKSTATION] = {44, "the workstation name of the NTLM message is outside of it"},
	[SESSION_KEY] = {52, "the session key of the NTLM message is outside of it"},
};

static uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_le32(const uint8_t *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static size_t field_len(const uint8_t *msg, enum field f)
{
	return get_le16(msg + fields[f].at);
}

static bool field_inside(const uint8_t *msg, size_t len, enum field f)
{
	size_t size = field_len(msg, f);
	size_t off = get_le32(msg + fields[f].at + 4);

	return size == 0 || (off <= len && size <= len - off);
}

static uint32_t flags_needed(uint8_t level)
{
	switch (level) {
	case RPC_LEVEL_NONE:
	case RPC_LEVEL_CONNECT:
		return 0;
	case RPC_LEVEL_PRIVACY:
		return FLAGS_SIGN | FLAG_SEAL;
	default:
		return FLAGS_SIGN;
	}
}

/* msg goes on to the end of the token: inside SPNEGO that is a little more than the message itself. */
static int check_message(const uint8_t *msg, size_t len, uint8_t level, const char **why)
{
	uint32_t need = flags_needed(level);

	if (len < AUTH_FIXED) {
		*why = "the NTLM message is cut off";
		return EBADMSG;
	}
	for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
		if (!field_inside(msg, len, (enum field)f)) {
			*why = fields[f].outside;
			return EBADMSG;
		}
	}
	/* Whatever these flags say: the library uses those of the first message. */
	if (field_len(msg, SESSION_KEY) != SESSION_KEY_LEN) {
		*why = "the NTLM session key is not 16 bytes long";
		return EBADMSG;
	}
	if (field_len(msg, USER) == 0) {
		*why = "anonymous NTLM logon";
		return EACCES;
	}
	if (field_len(msg, NT_RESPONSE) < NTLMV2_RESPONSE_MIN) {
		*why = "the NTLM response is not of version 2";
		return EACCES;
	}
	if ((get_le32(msg + AUTH_FLAGS) & need) != need) {
		*why = "the NTLM flags are weaker than the authentication level needs";
		return EACCES;
	}
	return 0;
}

int ntlm_guard_check(const uint8_t *token, size_t len, uint8_t level, bool *found, const char **why)
{
	const char *unused;
	const uint8_t *msg = NULL, *next;

	if (found != NULL) {
		*found = false;
	}
	if (why == NULL) {
		why = &unused;
	}
	if (token != NULL) {
		msg = memmem(token, len, signature, sizeof(signature));
	}
	if (msg == NULL) {
		return 0;
	}
	if (found != NULL) {
		*found = true;
	}
	len -= (size_t)(msg - token);
	next = memmem(msg + 1, len - 1, signature, sizeof(signature));
	if (next != NULL) {
		*why = "two NTLM messages in one token";
		return EBADMSG; /* a valid one could hide an invalid one */
	}
	return check_message(msg, len, level, why);
}
