/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guard in front of gss-ntlmssp: what passes, what does not, and that nothing hurts it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "witnessd/rpc/dcerpc.h"
#include "witnessd/rpc/ntlm_guard.h"

#define FIXED 64
#define FLAGS 0x62088235U /* as captured at level 5, and SEAL */

enum field { LM = 12, NT = 20, DOMAIN = 28, USER = 36, WORKSTATION = 44, KEY = 52 };

struct message {
	size_t len;
	uint8_t b[512];
};

static void put(uint8_t *p, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++) {
		p[i] = (uint8_t)(v >> (8 * i));
	}
}

static void set_field(struct message *m, enum field f, size_t len, size_t off)
{
	put(m->b + f, (uint32_t)len, 2);
	put(m->b + f + 2, (uint32_t)len, 2);
	put(m->b + f + 4, (uint32_t)off, 4);
}

static void add_field(struct message *m, enum field f, size_t len)
{
	set_field(m, f, len, m->len);
	memset(m->b + m->len, 'A', len);
	m->len += len;
}

/* A good one. */
static struct message authenticate(void)
{
	struct message m = {.len = FIXED};

	memcpy(m.b, "NTLMSSP\0\3\0\0", 12);
	add_field(&m, DOMAIN, 14);
	add_field(&m, USER, 10);
	add_field(&m, WORKSTATION, 8);
	add_field(&m, LM, 24);
	add_field(&m, NT, 120);
	add_field(&m, KEY, 16);
	put(m.b + 60, FLAGS, 4);
	return m;
}

/* On a heap of its own size, so that the sanitizers see every byte too many. */
static int check(const uint8_t *token, size_t len, uint8_t level)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	const char *why = NULL;
	bool found;
	int err;

	memcpy(copy, token, len);
	err = ntlm_guard_check(copy, len, level, &found, &why);
	assert_true(err == 0 || (found && why != NULL));
	free(copy);
	return err;
}

static int check_message(const struct message *m, uint8_t level)
{
	struct message spnego = {.len = 40 + m->len + 22};
	int err = check(m->b, m->len, level);

	memset(spnego.b, 0xa1, sizeof(spnego.b));
	memcpy(spnego.b + 40, m->b, m->len);
	assert_int_equal(check(spnego.b, spnego.len, level), err);
	return err;
}

static void good_messages_pass_at_every_level(void **state)
{
	struct message m = authenticate();

	for (uint8_t level = 1; level <= 6; level++) {
		assert_int_equal(check_message(&m, level), 0);
	}
}

static void tokens_without_authenticate_pass(void **state)
{
	struct message m = authenticate();
	bool found = true;

	assert_int_equal(ntlm_guard_check(NULL, 0, 5, &found, NULL), 0);
	assert_false(found);
	m.b[8] = 1;
	assert_int_equal(ntlm_guard_check(m.b, m.len, 5, &found, NULL), 0);
	assert_false(found);
	m.b[8] = 3;
	assert_int_equal(ntlm_guard_check(m.b, m.len, 5, &found, NULL), 0);
	assert_true(found);
}

static void the_session_key_is_16_bytes_at_every_level(void **state)
{
	for (uint32_t len = 0; len < 300; len++) {
		for (uint8_t level = 2; level <= 6; level++) {
			struct message m = authenticate();

			set_field(&m, KEY, len, FIXED);
			assert_int_equal(check(m.b, m.len, level), len == 16 ? 0 : EBADMSG);
		}
	}
}

static void fields_lie_inside_the_token(void **state)
{
	static const enum field fields[] = {LM, NT, DOMAIN, USER, WORKSTATION, KEY};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct message good = authenticate(), m;
		size_t len = good.b[fields[i]];

		m = good;
		set_field(&m, fields[i], len, m.len - len);
		assert_int_equal(check(m.b, m.len, 5), 0);
		m = good;
		set_field(&m, fields[i], len, m.len - len + 1);
		assert_int_equal(check(m.b, m.len, 5), EBADMSG);
		m = good;
		set_field(&m, fields[i], len, 0xffffffff);
		assert_int_equal(check(m.b, m.len, 5), EBADMSG);
		m = good;
		set_field(&m, fields[i], len, 0xfffffff0 - len);
		assert_int_equal(check_message(&m, 5), EBADMSG);
		m = good;
		set_field(&m, fields[i], 0xffff, FIXED);
		assert_int_equal(check_message(&m, 5), EBADMSG);
	}
}

static void only_version_2_and_only_named_users(void **state)
{
	struct message m = authenticate();

	set_field(&m, NT, 24, FIXED);
	assert_int_equal(check_message(&m, 5), EACCES);
	assert_int_equal(check_message(&m, 2), EACCES);
	set_field(&m, NT, 43, FIXED);
	assert_int_equal(check_message(&m, 5), EACCES);
	set_field(&m, NT, 44, FIXED);
	assert_int_equal(check_message(&m, 5), 0);
	m = authenticate();
	set_field(&m, USER, 0, 0);
	assert_int_equal(check_message(&m, 2), EACCES);
	m = authenticate();
	set_field(&m, WORKSTATION, 0, 0xffffffff); /* empty: its place does not matter */
	assert_int_equal(check_message(&m, 6), 0);
}

static void each_level_needs_its_flags(void **state)
{
	static const struct {
		uint32_t flag;
		uint8_t from;
	} rows[] = {{0x1, 4}, {0x10, 4}, {0x20, 6}, {0x80000, 4}, {0x20000000, 4}, {0x40000000, 4}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = authenticate();

		put(m.b + 60, FLAGS & ~rows[i].flag, 4);
		for (uint8_t level = 2; level <= 6; level++) {
			if (level == 3) {
				continue;
			}
			assert_int_equal(check_message(&m, level),
					 level >= rows[i].from ? EACCES : 0);
		}
	}
}

static void a_second_message_is_refused(void **state)
{
	struct message m = authenticate();
	uint8_t two[2 * sizeof(m.b)];

	memcpy(two, m.b, m.len);
	memcpy(two + m.len, m.b, m.len);
	assert_int_equal(check(two, 2 * m.len, 5), EBADMSG);
	memcpy(two + m.len, m.b, 12);
	assert_int_equal(check(two, m.len + 12, 5), EBADMSG);
	assert_int_equal(check(two, m.len + 11, 5), 0);
}

static void every_prefix_is_refused_or_has_no_message(void **state)
{
	struct message m = authenticate();

	for (size_t len = 0; len < m.len; len++) {
		assert_int_equal(check(m.b, len, 5), len < 12 ? 0 : EBADMSG);
	}
}

/* Whatever passes must hold what the library relies upon. */
static void assert_safe(const struct message *m)
{
	uint32_t off = m->b[KEY + 4] | m->b[KEY + 5] << 8 | m->b[KEY + 6] << 16 |
		       (uint32_t)m->b[KEY + 7] << 24;

	assert_int_equal(m->b[KEY] | m->b[KEY + 1] << 8, 16);
	assert_true(off <= m->len - 16);
}

static void random_mutations(void **state)
{
	unsigned int seed = 1, passed = 0;

	for (int round = 0; round < 200000; round++) {
		struct message m = authenticate();
		int changes = 1 + rand_r(&seed) % 4;
		bool found = false;

		while (changes-- > 0) {
			m.b[(size_t)rand_r(&seed) % m.len] = (uint8_t)rand_r(&seed);
		}
		if (rand_r(&seed) % 4 == 0) {
			m.len = (size_t)rand_r(&seed) % m.len;
		}
		if (check(m.b, m.len, (uint8_t)(2 + rand_r(&seed) % 5)) == 0) {
			ntlm_guard_check(m.b, m.len, 2, &found, NULL);
			if (found) {
				passed++;
				assert_safe(&m);
			}
		}
	}
	assert_true(passed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_messages_pass_at_every_level),
		cmocka_unit_test(tokens_without_authenticate_pass),
		cmocka_unit_test(the_session_key_is_16_bytes_at_every_level),
		cmocka_unit_test(fields_lie_inside_the_token),
		cmocka_unit_test(only_version_2_and_only_named_users),
		cmocka_unit_test(each_level_needs_its_flags),
		cmocka_unit_test(a_second_message_is_refused),
		cmocka_unit_test(every_prefix_is_refused_or_has_no_message),
		cmocka_unit_test(random_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
