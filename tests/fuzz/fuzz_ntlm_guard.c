/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guard in front of gss-ntlmssp. The first byte is the authentication level, the rest a token.
 * What passes must have a session key of 16 bytes inside the token: the library copies it unseen.
 */
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/ntlm_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t get_le(const uint8_t *p, int bytes)
{
	uint32_t v = 0;

	while (bytes-- > 0) {
		v = v << 8 | p[bytes];
	}
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *msg;
	const char *why = NULL;
	size_t left, off;
	bool found;
	int err;

	if (size == 0) {
		return 0;
	}
	err = ntlm_guard_check(data + 1, size - 1, data[0], &found, &why);
	if (err != 0 && (why == NULL || !found)) {
		abort();
	}
	if (err != 0 || !found) {
		return 0;
	}
	msg = memmem(data + 1, size - 1, "NTLMSSP\0\3\0\0", 12);
	if (msg == NULL) {
		abort();
	}
	left = size - (size_t)(msg - data);
	off = get_le(msg + 56, 4);
	if (get_le(msg + 52, 2) != 16 || off > left || left - off < 16) {
		abort();
	}
	return 0;
}
