/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration: values, messages, overrides, and that printing it gives it back. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "witnessd/config_private.h"

static int load(TALLOC_CTX *mem_ctx, const char *text, const char *const *overrides,
		struct config **config, char **why)
{
	*config = NULL;
	*why = NULL;
	return config_load_buffer(mem_ctx, "w.conf", text, strlen(text), overrides, config, why);
}

/* The text is refused, and the sentence contains both words. */
static void assert_refused(const char *text, const char *word, const char *other)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct config *config;
	char *why;

	assert_int_equal(load(mem_ctx, text, NULL, &config, &why), EINVAL);
	assert_null(config);
	assert_non_null(why);
	if (strstr(why, word) == NULL || strstr(why, other) == NULL) {
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", why, word, other);
	}
	talloc_free(mem_ctx);
}

static void every_default_is_valid(void **unused)
{
	struct config *config;
	char *why;

	assert_int_equal(load(NULL, "", NULL, &config, &why), 0);
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		assert_false(config_is_set(config, k->name));
		assert_non_null(k->help);
		assert_true(strlen(k->name) < 50); /* libinih's longest name */
	}
	assert_string_equal(config_string(config, "global.backend"), "static");
	assert_int_equal(config_number(config, "rpc.epmapper_port"), 135);
	assert_true(config_bool(config, "auth.kerberos"));
	talloc_free(config);
}

static void values_of_every_type_are_read(void **unused)
{
	static const char text[] = "# comment\n[global]\nbackend = ctdb\nlog_level=debug ; inline\n"
				   "[rpc]\nlisten = 127.0.0.1, ::1\n\t192.0.2.7\nport : 49200\n"
				   "epmapper = Off\n[auth]\nkeytab = /etc/k\n"
				   "[witness]\nnet_names = A b,,c\n";
	struct config *config;
	const char *const *list;
	size_t num;
	char *why;

	assert_int_equal(load(NULL, text, NULL, &config, &why), 0);
	assert_string_equal(config_string(config, "global.backend"), "ctdb");
	assert_string_equal(config_string(config, "global.log_level"), "debug");
	assert_int_equal(config_number(config, "rpc.port"), 49200);
	assert_false(config_bool(config, "rpc.epmapper"));
	assert_string_equal(config_string(config, "auth.keytab"), "/etc/k");
	list = config_list(config, "rpc.listen", &num);
	assert_int_equal(num, 3);
	assert_string_equal(list[2], "192.0.2.7");
	assert_null(list[3]);
	list = config_list(config, "witness.net_names", &num);
	assert_int_equal(num, 3);
	assert_string_equal(list[0], "A");
	assert_true(config_is_set(config, "rpc.listen"));
	assert_false(config_is_set(config, "rpc.max_calls"));
	talloc_free(config);
}

static void bad_files_are_refused_with_line_and_expectation(void **unused)
{
	assert_refused("[rpc]\n\nprot = 1\n", "w.conf:3: unknown key rpc.prot", "mean rpc.port?");
	assert_refused("[global]\nlisten = ::\n", "w.conf:2:", "mean rpc.listen?");
	assert_refused("[rpc]\nzzzzzzzz = ::\n", "unknown key rpc.zzzzzzzz", "witnessd.conf(5)");
	assert_refused("[rcp]\n", "w.conf:1: unknown section [rcp]", "expected");
	assert_refused("port = 1\n", "w.conf:1: unknown key port", "mean rpc.port?");
	assert_refused("[rpc]\nport = 12abc\n", "w.conf:2: rpc.port must be a whole number",
		       "0 to 65535, not \"12abc\"");
	assert_refused("[rpc]\nport = 65536\n", "w.conf:2", "0 to 65535");
	assert_refused("[rpc]\nport = -1\n", "w.conf:2", "0 to 65535");
	assert_refused("[rpc]\nport =\n", "w.conf:2", "0 to 65535");
	assert_refused("[rpc]\nport = 4294967297\n", "w.conf:2", "0 to 65535");
	assert_refused("[rpc]\nport = 99999999999999999999\n", "w.conf:2", "0 to 65535");
	assert_refused("[rpc]\nepmapper = maybe\n", "w.conf:2", "yes or no, not \"maybe\"");
	assert_refused("[global]\nlog_level = warn\n", "one of err|warning", "not \"warn\"");
	assert_refused("[global]\nlog_level = err|warning\n", "one of err|warning", "w.conf:2");
	assert_refused("[auth]\nkeytab = k\n", "absolute path", "w.conf:2");
	assert_refused("[rpc]\nlisten = 127.0.0.1 node1\n", "IPv4 and IPv6", "\"node1\"");
	assert_refused("[rpc]\nlisten = fe80::1%eth0\n", "IPv4 and IPv6", "fe80");
	assert_refused("[rpc]\nlisten = ,\n", "at least one", "w.conf:2");
	assert_refused("[rpc]\nport = 1\nport = 1\n", "w.conf:3: rpc.port is set already",
		       "line 2");
	assert_refused("[witness]\nnet_name_resources = FS1\n", "NAME:RESOURCE", "\"FS1\"");
	assert_refused("[witness]\nnet_name_resources = FS1:a :b\n", "w.conf:2:", "\":b\"");
	assert_refused("[witness]\nshare_resources = data:\n", "share_resources", "\"data:\"");
	assert_refused("[rpc]\nlisten = ::1\n[rpc]\nlisten = ::1\n", "w.conf:4", "line 2");
	assert_refused("[rpc\n", "w.conf:1", "expected [section] or key = value");
	assert_refused("[rpc]\nport\n", "w.conf:2", "expected [section] or key = value");
	assert_refused("[rpc]\nport = 1\n max_calls = 2\n", "w.conf:3", "begins with a blank");
	assert_refused("[rpc]\nlisten = ::\n port = 2\n", "w.conf:3", "has a =");
	assert_refused("[auth]\nnetbios_name = a\x01z\n", "control characters", "a\\x01z");
}

static void the_first_error_is_the_one_that_is_told(void **unused)
{
	assert_refused("[rpc]\nport = x\nmax_calls = y\n", "w.conf:2", "rpc.port");
	assert_refused("[rpc]\nnonsense\nport = x\n", "w.conf:2", "expected [section]");
}

/* A list in a line of so many bytes, with what ends it. @return of config_load_buffer() */
static int load_line(size_t len, const char *end)
{
	static const char head[] = "[witness]\n", key[] = "net_names = ";
	struct config *config = NULL;
	char text[300], *why = NULL;
	int ret, num;

	num = snprintf(text, sizeof(text), "%s%s%0100d %0*d%s", head, key, 0,
		       (int)(len - strlen(key) - 101), 0, end);
	ret = config_load_buffer(NULL, "w.conf", text, (size_t)num, NULL, &config, &why);
	assert_true(ret == 0 || strstr(why, "w.conf:2: the line is longer than 196 bytes") != NULL);
	talloc_free(config);
	talloc_free(why);
	return ret;
}

static void a_line_has_196_bytes_whatever_ends_it(void **unused)
{
	assert_int_equal(load_line(196, "\n"), 0);
	assert_int_equal(load_line(196, ""), 0);
	assert_int_equal(load_line(197, "\n"), EINVAL);
	assert_int_equal(load_line(197, ""), EINVAL);
}

static void long_lines_and_nul_bytes_are_refused(void **unused)
{
	static const char nul[] = "[rpc]\nport = 1\0 2\n";
	struct config *config = NULL;
	char line[600], *why = NULL;

	memset(line, 'n', sizeof(line) - 1);
	memcpy(line, "[witness]\nnet_names = ", 22);
	line[sizeof(line) - 1] = '\0';
	assert_refused(line, "w.conf:2", "longer than");
	assert_int_equal(
		config_load_buffer(NULL, "w.conf", nul, sizeof(nul) - 1, NULL, &config, &why),
		EINVAL);
	assert_non_null(strstr(why, "w.conf:2: a NUL byte"));
	talloc_free(why);
}

static void overrides_win_over_the_file(void **unused)
{
	static const char *const overrides[] = {"rpc.port=7", " rpc.port = 8 ",
						"witness.net_names=a b", NULL};
	struct config *config;
	char *why;

	assert_int_equal(load(NULL, "[rpc]\nport = 6\n", overrides, &config, &why), 0);
	assert_int_equal(config_number(config, "rpc.port"), 8);
	assert_string_equal(config_list(config, "witness.net_names", NULL)[1], "b");
	assert_true(config_is_set(config, "witness.net_names"));
	talloc_free(config);
}

static void bad_overrides_are_refused(void **unused)
{
	static const struct {
		const char *override, *word;
	} rows[] = {
		{"rpc.port", "expected section.key=value"},
		{"port=1", "expected section.key=value"},
		{"rpc.prot=1", "unknown key (did you mean rpc.port?)"},
		{"rpc.port=x", "option -o rpc.port: must be a whole number"},
		{"=", "expected section.key=value"},
		{"", "expected section.key=value"},
		{"auth.netbios_name=a\nb", "control characters"},
		{"witness.net_names=a b=c", "words with a ="},
		{"auth.netbios_name=a ;b", "begins with ;"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const overrides[] = {rows[i].override, NULL};
		struct config *config;
		char *why;

		assert_int_equal(load(NULL, "", overrides, &config, &why), EINVAL);
		assert_non_null(why);
		if (strstr(why, rows[i].word) == NULL) {
			fail_msg("\"%s\" lacks \"%s\"", why, rows[i].word);
		}
		talloc_free(why);
	}
}

static void what_is_printed_can_be_loaded(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char *names = talloc_strdup(mem_ctx, "witness.net_names=first");
	const char *overrides[] = {NULL, "rpc.listen=::1 127.0.0.1", "auth.ntlm=off",
				   "witness.net_name_resources=A:vip1,B:2001:db8::1", NULL};
	struct config *config, *again = NULL;
	const char *resource;
	char *why, *text = NULL;
	size_t len, num;
	FILE *out;

	for (int i = 0; i < 200; i++) {
		names = talloc_asprintf_append(names, " name-%d.example.com", i);
	}
	overrides[0] = names;
	assert_int_equal(load(mem_ctx, "", overrides, &config, &why), 0);
	out = open_memstream(&text, &len);
	assert_non_null(out);
	config_print(config, out);
	fclose(out);
	assert_int_equal(config_load_buffer(mem_ctx, "p", text, len, NULL, &again, &why), 0);
	config_list(again, "witness.net_names", &num);
	assert_int_equal(num, 201);
	assert_string_equal(config_list(again, "rpc.listen", NULL)[1], "127.0.0.1");
	assert_false(config_bool(again, "auth.ntlm"));
	config_list(again, "witness.net_name_resources", &num);
	assert_int_equal(num, 2);
	assert_int_equal(config_map_split(config_list(again, "witness.net_name_resources", NULL)[1],
					  &resource),
			 1);
	assert_string_equal(resource, "2001:db8::1");
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		assert_true(config_is_set(again, k->name));
	}
	free(text);
	talloc_free(mem_ctx);
}

static void files_are_read_and_missing_ones_may_be_allowed(void **unused)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);
	struct config *config = NULL;
	char *why = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "[rpc]\nport = 77\n", 16), 16);
	close(fd);
	assert_int_equal(config_load(NULL, path, true, NULL, &config, &why), 0);
	assert_int_equal(config_number(config, "rpc.port"), 77);
	TALLOC_FREE(config);
	assert_int_equal(truncate(path, 2 * 1024 * 1024), 0);
	assert_int_equal(config_load(NULL, path, true, NULL, &config, &why), EFBIG);
	assert_non_null(strstr(why, "larger than"));
	TALLOC_FREE(why);
	unlink(path);
	assert_int_equal(config_load(NULL, path, true, NULL, &config, &why), ENOENT);
	assert_non_null(strstr(why, path));
	TALLOC_FREE(why);
	assert_null(config);
	assert_int_equal(config_load(NULL, path, false, NULL, &config, &why), 0);
	talloc_free(config);
	assert_int_equal(config_load(NULL, "/dev/null", true, NULL, &config, &why), 0);
	TALLOC_FREE(config);
	assert_int_equal(config_load(NULL, "/tmp", false, NULL, &config, &why), EISDIR);
	TALLOC_FREE(why);
	assert_int_equal(config_load(NULL, "/dev/zero", false, NULL, &config, &why), EFBIG);
	TALLOC_FREE(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_valid),
		cmocka_unit_test(values_of_every_type_are_read),
		cmocka_unit_test(bad_files_are_refused_with_line_and_expectation),
		cmocka_unit_test(the_first_error_is_the_one_that_is_told),
		cmocka_unit_test(a_line_has_196_bytes_whatever_ends_it),
		cmocka_unit_test(long_lines_and_nul_bytes_are_refused),
		cmocka_unit_test(overrides_win_over_the_file),
		cmocka_unit_test(bad_overrides_are_refused),
		cmocka_unit_test(what_is_printed_can_be_loaded),
		cmocka_unit_test(files_are_read_and_missing_ones_may_be_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
