/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NTLM signatures: the known vectors, both directions, and everything that must not verify. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "witnessd/rpc/ntlm_seal.h"

#define HDR  24
#define BODY 16

/* A request without auth_value: header 24, stub 12, pad 4, sec_trailer 8 with the level's byte. */
static const uint8_t request[48] = {
	0x05, 0x00, 0x00, 0x03, 0x10, 0x00, 0x00, 0x00, 0x40, 0x00, 0x10, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
	0x00, 0x00, 0x00, 0x00, 0x0a, 0x06, 0x04, 0x00, 0x01, 0x00, 0x00, 0x00,
};
#define LEVEL_AT 41

static const uint8_t plaintext[] = "P\0l\0a\0i\0n\0t\0e\0x\0t";
#define PLAINTEXT_LEN 18

static void init(struct ntlm_seal *s, bool client_to_server, uint32_t seq)
{
	uint8_t key[NTLM_KEY_SIZE];

	memset(key, 0x55, sizeof(key));
	ntlm_seal_init(s, key, client_to_server, seq);
}

/* The first 16 bytes of RC4's stream for a key tell which key it is. */
static void assert_rc4_key(struct ntlm_seal *s, const uint8_t key[16])
{
	struct arcfour_ctx expected;
	uint8_t zero[16] = {0}, a[16], b[16];

	arcfour_set_key(&expected, 16, key);
	arcfour_crypt(&expected, 16, a, zero);
	arcfour_crypt(&s->rc4, 16, b, zero);
	assert_memory_equal(a, b, 16);
}

static void keys_of_both_directions(void **state)
{
	static const uint8_t c2s_sign[] = {0x47, 0x88, 0xdc, 0x86, 0x1b, 0x47, 0x82, 0xf3,
					   0x5d, 0x43, 0xfd, 0x98, 0xfe, 0x1a, 0x2d, 0x39};
	static const uint8_t c2s_seal[] = {0x59, 0xf6, 0x00, 0x97, 0x3c, 0xc4, 0x96, 0x0a,
					   0x25, 0x48, 0x0a, 0x7c, 0x19, 0x6e, 0x4c, 0x58};
	static const uint8_t s2c_sign[] = {0xd0, 0x4d, 0x6f, 0x10, 0x74, 0x10, 0x41, 0xd1,
					   0xd2, 0x46, 0xd6, 0x41, 0x88, 0xd7, 0xa8, 0xad};
	static const uint8_t s2c_seal[] = {0x93, 0x55, 0xf3, 0xa9, 0x57, 0xc1, 0x58, 0x3d,
					   0x25, 0xc4, 0xc2, 0xf1, 0x1e, 0x40, 0x39, 0x0e};
	struct ntlm_seal s;

	init(&s, true, 0);
	assert_memory_equal(s.sign_key, c2s_sign, 16);
	assert_rc4_key(&s, c2s_seal);
	init(&s, false, 0);
	assert_memory_equal(s.sign_key, s2c_sign, 16);
	assert_rc4_key(&s, s2c_seal);
}

static void sample_of_the_specification(void **state)
{
	static const uint8_t sealed[] = {0x54, 0xe5, 0x01, 0x65, 0xbf, 0x19, 0x36, 0xdc, 0x99,
					 0x60, 0x20, 0xc1, 0x81, 0x1b, 0x0f, 0x06, 0xfb, 0x5f};
	static const uint8_t sig[] = {0x01, 0x00, 0x00, 0x00, 0x7f, 0xb3, 0x8e, 0xc5,
				      0xc5, 0x5d, 0x49, 0x76, 0x00, 0x00, 0x00, 0x00};
	uint8_t msg[PLAINTEXT_LEN], got[NTLM_SIG_SIZE];
	struct ntlm_seal s;

	memcpy(msg, plaintext, sizeof(msg));
	init(&s, true, 0);
	ntlm_seal_seal(&s, msg, sizeof(msg), 0, sizeof(msg), got);
	assert_memory_equal(msg, sealed, sizeof(msg));
	assert_memory_equal(got, sig, sizeof(sig));
	init(&s, true, 0);
	assert_int_equal(ntlm_seal_unseal(&s, msg, sizeof(msg), 0, sizeof(msg), sig), 0);
	assert_memory_equal(msg, plaintext, sizeof(msg));
}

static void sealed_request(void **state)
{
	static const uint8_t body[] = {0x04, 0xe4, 0x6f, 0x66, 0xda, 0x1c, 0x59, 0xdb,
				       0xff, 0x69, 0x5e, 0xca, 0xe4, 0x1b, 0x77, 0x06};
	static const uint8_t sig[] = {0x01, 0x00, 0x00, 0x00, 0x04, 0x3b, 0x49, 0x9a,
				      0x0f, 0xcd, 0x79, 0xd5, 0x00, 0x00, 0x00, 0x00};
	uint8_t pdu[sizeof(request)], got[NTLM_SIG_SIZE];
	struct ntlm_seal s;

	memcpy(pdu, request, sizeof(pdu));
	init(&s, true, 0);
	ntlm_seal_seal(&s, pdu, sizeof(pdu), HDR, BODY, got);
	assert_memory_equal(pdu, request, HDR);
	assert_memory_equal(pdu + HDR, body, BODY);
	assert_memory_equal(pdu + HDR + BODY, request + HDR + BODY, 8);
	assert_memory_equal(got, sig, sizeof(sig));
	init(&s, true, 0);
	assert_int_equal(ntlm_seal_unseal(&s, pdu, sizeof(pdu), HDR, BODY, sig), 0);
	assert_memory_equal(pdu, request, sizeof(pdu));
}

static void signed_request(void **state)
{
	static const uint8_t sig[] = {0x01, 0x00, 0x00, 0x00, 0xe8, 0x99, 0x32, 0x04,
				      0xe1, 0xe9, 0x91, 0xc5, 0x00, 0x00, 0x00, 0x00};
	uint8_t pdu[sizeof(request)], got[NTLM_SIG_SIZE];
	struct ntlm_seal s;

	memcpy(pdu, request, sizeof(pdu));
	pdu[LEVEL_AT] = 5;
	init(&s, true, 0);
	ntlm_seal_sign(&s, pdu, sizeof(pdu), got);
	assert_memory_equal(got, sig, sizeof(sig));
	init(&s, true, 0);
	assert_int_equal(ntlm_seal_verify(&s, pdu, sizeof(pdu), sig), 0);
	pdu[LEVEL_AT] = 6;
	init(&s, true, 0);
	assert_int_equal(ntlm_seal_verify(&s, pdu, sizeof(pdu), sig), EBADMSG);
}

static void many_messages_with_running_state(void **state)
{
	struct ntlm_seal out, in;
	uint8_t msg[100], sig[NTLM_SIG_SIZE];

	for (int direction = 0; direction < 2; direction++) {
		init(&out, direction == 0, 1);
		init(&in, direction == 0, 1);
		for (unsigned int i = 0; i < 300; i++) {
			memset(msg, (int)i, sizeof(msg));
			if (i % 3 == 0) {
				ntlm_seal_sign(&out, msg, sizeof(msg), sig);
				assert_int_equal(ntlm_seal_verify(&in, msg, sizeof(msg), sig), 0);
				continue;
			}
			ntlm_seal_seal(&out, msg, sizeof(msg), 24, i % 60, sig);
			assert_int_equal(ntlm_seal_unseal(&in, msg, sizeof(msg), 24, i % 60, sig),
					 0);
			assert_int_equal(msg[30], (uint8_t)i);
		}
		assert_int_equal(out.seq, 301);
	}
}

static void one_flipped_bit_anywhere_is_noticed(void **state)
{
	uint8_t pdu[sizeof(request)], sig[NTLM_SIG_SIZE];
	struct ntlm_seal s;

	for (size_t bit = 0; bit < (sizeof(pdu) + sizeof(sig)) * 8; bit++) {
		memcpy(pdu, request, sizeof(pdu));
		init(&s, true, 7);
		ntlm_seal_seal(&s, pdu, sizeof(pdu), HDR, BODY, sig);
		if (bit / 8 < sizeof(pdu)) {
			pdu[bit / 8] ^= (uint8_t)(1U << bit % 8);
		} else {
			sig[bit / 8 - sizeof(pdu)] ^= (uint8_t)(1U << bit % 8);
		}
		init(&s, true, 7);
		assert_int_equal(ntlm_seal_unseal(&s, pdu, sizeof(pdu), HDR, BODY, sig), EBADMSG);
	}
}

static void replay_gap_and_reflection_are_noticed(void **state)
{
	uint8_t sig[2][NTLM_SIG_SIZE];
	struct ntlm_seal out, in;

	init(&out, true, 0);
	ntlm_seal_sign(&out, request, sizeof(request), sig[0]);
	ntlm_seal_sign(&out, request, sizeof(request), sig[1]);

	init(&in, true, 0);
	assert_int_equal(ntlm_seal_verify(&in, request, sizeof(request), sig[0]), 0);
	assert_int_equal(ntlm_seal_verify(&in, request, sizeof(request), sig[0]), EBADMSG);
	init(&in, true, 0);
	assert_int_equal(ntlm_seal_verify(&in, request, sizeof(request), sig[1]), EBADMSG);
	init(&in, false, 0);
	assert_int_equal(ntlm_seal_verify(&in, request, sizeof(request), sig[0]), EBADMSG);
	init(&in, true, 1);
	assert_int_equal(ntlm_seal_verify(&in, request, sizeof(request), sig[0]), EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_both_directions),
		cmocka_unit_test(sample_of_the_specification),
		cmocka_unit_test(sealed_request),
		cmocka_unit_test(signed_request),
		cmocka_unit_test(many_messages_with_running_state),
		cmocka_unit_test(one_flipped_bit_anywhere_is_noticed),
		cmocka_unit_test(replay_gap_and_reflection_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
