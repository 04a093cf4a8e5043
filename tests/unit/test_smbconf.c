/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "witnessd/config.h"
#include "witnessd/util/shares.h"
#include "witnessd/util/smbconf.h"

static struct smbconf *parse(const char *text)
{
	struct smbconf *conf = NULL;

	assert_int_equal(smbconf_parse(NULL, text, strlen(text), &conf), 0);
	assert_non_null(conf);
	return conf;
}

/* The shares as one string, separated by |. */
static char *shares_of(const struct smbconf *conf)
{
	char *text = talloc_strdup(conf, "");

	for (size_t i = 0; i < conf->num_shares; i++) {
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? "|" : "", conf->shares[i]);
	}
	return text;
}

static void expect_shares(const char *text, const char *want)
{
	struct smbconf *conf = parse(text);

	assert_string_equal(shares_of(conf), want);
	talloc_free(conf);
}

static void empty_file_has_nothing(void **unused)
{
	struct smbconf *conf = parse("");

	assert_null(conf->netbios_name);
	assert_null(conf->workgroup);
	assert_null(conf->netbios_aliases[0]);
	assert_null(conf->dns_hostnames[0]);
	assert_int_equal(conf->num_shares, 0);
	assert_false(smbconf_has_share(conf, "data"));
	talloc_free(conf);
}

static void capabilities_are_those_of_the_share_or_of_global(void **unused)
{
	struct smbconf *conf = parse("[global]\nclustering = yes\n"
				     "smb3 share cap:CLUSTER = yes\n"
				     "[a]\nSMB3 Share Cap:Continuous Availability = 1\n"
				     "[b]\nsmb3 share cap:cluster = no\n"
				     "[c]\nclustering = no\nsmb3 share cap:CLUSTER = maybe\n"
				     "[a]\nsmb3 share cap:cluster = off\n");

	assert_true(conf->clustering);
	assert_int_equal(conf->num_shares, 3);
	assert_int_equal(conf->caps[0].cluster, SMBCONF_NO);
	assert_int_equal(conf->caps[0].continuous_availability, SMBCONF_YES);
	assert_int_equal(conf->caps[1].cluster, SMBCONF_NO);
	assert_int_equal(conf->caps[1].continuous_availability, SMBCONF_UNSET);
	assert_int_equal(conf->caps[2].cluster, SMBCONF_YES);
	talloc_free(conf);
}

static void names_are_read(void **unused)
{
	struct smbconf *conf = parse("[global]\n"
				     "\tNetBIOS  Name = FILES\r\n"
				     "work group = EXAMPLE\n"
				     "netbiosaliases = \"A B\" C,D;E %h\n"
				     "additional dns hostnames = f.example.com\tg.example.com\n"
				     "[data]\n"
				     "netbios name = NOT\n"
				     "[globals]\n"
				     "realm = X\n");

	assert_string_equal(conf->netbios_name, "FILES");
	assert_string_equal(conf->workgroup, "EXAMPLE");
	assert_string_equal(conf->netbios_aliases[0], "A B");
	assert_string_equal(conf->netbios_aliases[1], "C");
	assert_string_equal(conf->netbios_aliases[2], "D");
	assert_string_equal(conf->netbios_aliases[3], "E");
	assert_null(conf->netbios_aliases[4]);
	assert_string_equal(conf->dns_hostnames[0], "f.example.com");
	assert_string_equal(conf->dns_hostnames[1], "g.example.com");
	assert_null(conf->dns_hostnames[2]);
	talloc_free(conf);
}

static void keys_before_a_section_are_global(void **unused)
{
	struct smbconf *conf = parse("netbios name = EARLY\n[data]\npath = /x\n");

	assert_string_equal(conf->netbios_name, "EARLY");
	assert_string_equal(shares_of(conf), "data");
	talloc_free(conf);
}

static void macros_are_not_names(void **unused)
{
	struct smbconf *conf = parse("netbios name = %h\nworkgroup =\n");

	assert_null(conf->netbios_name);
	assert_null(conf->workgroup);
	talloc_free(conf);
}

static void file_shares_are_known(void **unused)
{
	expect_shares("[Data]\npath=/a\n[ two   words ] rest\n[data]\ncomment = again\n[GLOBAL]\n"
		      "[homes]\n[Printers]\n[print$]\n[IPC$]\n[]\n[open\n[last]",
		      "Data|last|two words");
}

static void shares_that_are_off_are_left_out(void **unused)
{
	expect_shares("[a]\navailable = no\n[b]\nAvailable=YES\n[c]\nprint ok = true\n"
		      "[d]\nprintable = 0\n[e]\navailable = perhaps\n[f]\navailable = off\n"
		      "[f]\navailable = on\n[g]\npath = /g\n[G]\navailable = false\n",
		      "b|d|e|f");
	/* What [global] says holds for all, wherever it stands. */
	expect_shares("[a]\npath=/a\n[b]\navailable = yes\n[global]\navailable = no\n", "b");
	expect_shares("[global]\nprintable = yes\n[a]\npath=/a\n[b]\nprintable = no\n", "b");
}

/* As testparm of Samba 4.17 shows it. */
static void lines_as_samba_reads_them(void **unused)
{
	expect_shares("# comment \\\n[b]\npath=/tmp\n\t; other \\\n\t[c]\n", "b|c");
	expect_shares("[fo\\\nur]\npath = /x\n", "four");
	expect_shares("[d ;x]\n", "d ;x");
	expect_shares("[x]\nav\\\nailable = \\\n  no\n[y]\n", "y");
	expect_shares("[s]\ncomment = x ; y\\\n  [z]\n[q]\n", "q|s");
	expect_shares("[s]\nvalid users = \\ \n[q]\n", "s");
	expect_shares("[s]\navailable = no # not a comment\n", "s");
	expect_shares("garbage\n[s]\nmore garbage\n= 1\n", "s");
	expect_shares("[s]\\", "s");
	expect_shares("\\\n\\\n[s]\n", "s");
}

static void paths_of_shares_are_read(void **unused)
{
	static const struct {
		const char *text, *path;
	} rows[] = {
		{"[a]\npath = /srv/a\n", "/srv/a"},
		{"[a]\nDirectory=/srv/with blanks\n", "/srv/with blanks"},
		{"[a]\npath = \"/srv/q\"\n", "/srv/q"},
		{"[a]\npath = /srv/%U\n", NULL},
		{"[a]\npath = srv\n", NULL},
		{"[a]\npath =\n", NULL},
		{"[a]\npath = \"\n", NULL},
		{"[a]\ncomment = none\n", NULL},
		{"path = /srv\n[a]\n", "/srv"},
		{"path = /srv\n[a]\npath = %H\n", NULL},
		{"[a]\npath = /1\n[b]\npath = /2\n[A]\npath = /3\n", "/3"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smbconf *conf = parse(rows[i].text);

		assert_true(conf->num_shares > 0);
		if (rows[i].path == NULL) {
			assert_null(conf->paths[0]);
		} else {
			assert_non_null(conf->paths[0]);
			assert_string_equal(conf->paths[0], rows[i].path);
		}
		talloc_free(conf);
	}
}

static void lookups_ignore_case(void **unused)
{
	struct smbconf *conf = parse("[m]\n[Zeta]\n[alpha]\n[b c]\n");

	assert_true(smbconf_has_share(conf, "ALPHA"));
	assert_true(smbconf_has_share(conf, "B C"));
	assert_true(smbconf_has_share(conf, "m"));
	assert_true(smbconf_has_share(conf, "zETA"));
	assert_false(smbconf_has_share(conf, "alph"));
	assert_false(smbconf_has_share(conf, "alphabet"));
	assert_false(smbconf_has_share(conf, ""));
	talloc_free(conf);
}

static void size_is_bounded(void **unused)
{
	char *text = talloc_zero_array(NULL, char, SMBCONF_MAX_BYTES + 1);
	struct smbconf *conf = NULL;

	assert_int_equal(smbconf_parse(NULL, text, SMBCONF_MAX_BYTES + 1, &conf), EFBIG);
	assert_null(conf);
	for (size_t i = 0; i + 3 < SMBCONF_MAX_BYTES; i += 4) {
		/* A quarter of a million sections with 62 * 62 names. */
		static const char c[] =
			"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

		text[i] = '[';
		text[i + 1] = c[i / 4 % 62];
		text[i + 2] = c[i / 4 / 62 % 62];
		text[i + 3] = ']';
		if (i % 8 == 4) {
			text[i + 3] = '\n';
		}
	}
	assert_int_equal(smbconf_parse(NULL, text, SMBCONF_MAX_BYTES, &conf), 0);
	talloc_free(conf);
	talloc_free(text);
	text = talloc_strdup(NULL, "");
	for (int i = 0; i < SMBCONF_MAX_SHARES + 10; i++) {
		text = talloc_asprintf_append_buffer(text, "[s%d]\n", i);
	}
	conf = parse(text);
	assert_int_equal(conf->num_shares, SMBCONF_MAX_SHARES);
	talloc_free(conf);
	talloc_free(text);
}

/* --- files --- */

struct fixture {
	char *dir, *main, *other;
	struct config *config;
	struct shares *shares;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	const char *tmp = getenv("TMPDIR");

	f->dir = talloc_asprintf(f, "%s/witnessd-smbconf-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->main = talloc_asprintf(f, "%s/smb.conf", f->dir);
	f->other = talloc_asprintf(f, "%s/other.conf", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->main);
	unlink(f->other);
	assert_int_equal(rmdir(f->dir), 0);
	talloc_free(f);
	return 0;
}

/* Replace a file, so that its inode changes whatever the clock's grain is. */
static void put(const char *path, const char *text)
{
	char *temporary = talloc_asprintf(NULL, "%s.new", path);
	FILE *file = fopen(temporary, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(temporary, path), 0);
	talloc_free(temporary);
}

static void includes_are_followed(void **state)
{
	struct fixture *f = *state;
	struct smbconf *conf = NULL;

	put(f->main, talloc_asprintf(f,
				     "[global]\ninclude = %s\nworkgroup = W\n[b]\npath=/b\n"
				     "include = /etc/samba/%%m.conf\ninclude = registry\n"
				     "include = %s/missing\n[d]\n",
				     f->other, f->dir));
	put(f->other, "netbios name = INCLUDED\n[a]\n");
	assert_int_equal(smbconf_load(f, f->main, &conf), 0);
	assert_string_equal(conf->netbios_name, "INCLUDED");
	/* The section that the included file ended with goes on, as with Samba. */
	assert_null(conf->workgroup);
	assert_string_equal(shares_of(conf), "a|b|d");
}

static void endless_includes_end(void **state)
{
	struct fixture *f = *state;
	struct smbconf *conf = NULL;

	put(f->main,
	    talloc_asprintf(f, "[a]\ninclude = %s\ninclude = %s\n[b]\n", f->main, f->main));
	assert_int_equal(smbconf_load(f, f->main, &conf), 0);
	assert_string_equal(shares_of(conf), "a|b");
	assert_true(conf->num_files <= SMBCONF_MAX_FILES);
}

static void changes_are_seen(void **state)
{
	struct fixture *f = *state;
	struct smbconf *conf = NULL;

	put(f->main, talloc_asprintf(f, "[a]\ninclude = %s\n", f->other));
	assert_int_equal(smbconf_load(f, f->main, &conf), 0);
	assert_false(smbconf_changed(conf));
	put(f->other, "[b]\n"); /* an included file appears */
	assert_true(smbconf_changed(conf));
	assert_int_equal(smbconf_load(f, f->main, &conf), 0);
	assert_false(smbconf_changed(conf));
	put(f->other, "[c]\n");
	assert_true(smbconf_changed(conf));
	assert_int_equal(smbconf_load(f, f->main, &conf), 0);
	assert_int_equal(unlink(f->other), 0);
	assert_true(smbconf_changed(conf));
}

static void what_is_no_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct smbconf *conf = NULL;

	assert_int_equal(smbconf_load(f, f->main, &conf), ENOENT);
	assert_int_equal(smbconf_load(f, f->dir, &conf), EINVAL);
	assert_int_equal(mkfifo(f->main, 0600), 0);
	assert_int_equal(smbconf_load(f, f->main, &conf), EINVAL);
	assert_int_equal(unlink(f->main), 0);
	put(f->main, "");
	assert_int_equal(truncate(f->main, SMBCONF_MAX_BYTES + 1), 0);
	assert_int_equal(smbconf_load(f, f->main, &conf), EFBIG);
	assert_null(conf);
}

/* --- shares --- */

static void create_shares(struct fixture *f, const char *configured, const char *smb_conf)
{
	const char *overrides[] = {talloc_asprintf(f, "witness.shares=%s", configured),
				   talloc_asprintf(f, "witness.smb_conf=%s", smb_conf), NULL};
	char *why = NULL;

	assert_int_equal(
		config_load(f, "/nonexistent/witnessd.conf", false, overrides, &f->config, &why),
		0);
	assert_int_equal(shares_create(f, config_list(f->config, "witness.shares", NULL),
				       config_string(f->config, "witness.smb_conf"), &f->shares),
			 0);
}

static void shares_come_from_both_places(void **state)
{
	struct fixture *f = *state;
	bool any = false;

	put(f->main, "[data]\n");
	create_shares(f, "extra", f->main);
	assert_true(shares_known(f->shares, "DATA", &any));
	assert_true(any);
	assert_true(shares_known(f->shares, "Extra", NULL));
	any = false;
	assert_false(shares_known(f->shares, "other", &any));
	assert_true(any);
}

static void no_share_at_all_is_told(void **state)
{
	struct fixture *f = *state;
	bool any = true;

	create_shares(f, "", "");
	assert_false(shares_known(f->shares, "data", &any));
	assert_false(any);
	create_shares(f, "one", "");
	assert_false(shares_known(f->shares, "data", &any));
	assert_true(any);
	assert_int_equal(shares_smbconf(f->shares)->num_shares, 0);
}

static void smb_conf_is_read_again_when_it_changes(void **state)
{
	struct fixture *f = *state;
	bool any = true;

	create_shares(f, "", f->main); /* not there yet */
	assert_false(shares_known(f->shares, "data", &any));
	assert_false(any);
	put(f->main, "netbios name = A\n[data]\n");
	assert_true(shares_known(f->shares, "data", &any));
	assert_true(any);
	assert_string_equal(shares_smbconf(f->shares)->netbios_name, "A");
	put(f->main, "netbios name = B\n[other]\n");
	assert_string_equal(shares_smbconf(f->shares)->netbios_name, "B");
	assert_false(shares_known(f->shares, "data", NULL));
	/* Gone, perhaps for a moment: what was known stays. */
	assert_int_equal(unlink(f->main), 0);
	assert_true(shares_known(f->shares, "other", NULL));
	put(f->main, "[data]\n");
	assert_true(shares_known(f->shares, "data", NULL));
	assert_false(shares_known(f->shares, "other", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_file_has_nothing),
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(capabilities_are_those_of_the_share_or_of_global),
		cmocka_unit_test(keys_before_a_section_are_global),
		cmocka_unit_test(macros_are_not_names),
		cmocka_unit_test(file_shares_are_known),
		cmocka_unit_test(shares_that_are_off_are_left_out),
		cmocka_unit_test(lines_as_samba_reads_them),
		cmocka_unit_test(paths_of_shares_are_read),
		cmocka_unit_test(lookups_ignore_case),
		cmocka_unit_test(size_is_bounded),
		TEST(includes_are_followed),
		TEST(endless_includes_end),
		TEST(changes_are_seen),
		TEST(what_is_no_file_is_refused),
		TEST(shares_come_from_both_places),
		TEST(no_share_at_all_is_told),
		TEST(smb_conf_is_read_again_when_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
