/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Net names and shares that the configuration gives to addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"
#include "witnessd/cluster/naming.h"

/* 10.0.0.1 is resource vip1; 10.0.0.2 and fd00::2 are the group g2; 10.0.0.3 has a name from the backend. */
static struct cluster_state *snapshot(TALLOC_CTX *mem_ctx)
{
	struct cluster_state *state = fix_state(mem_ctx);

	fix_up(state, "10.0.0.1", "n1");
	fix_up(state, "10.0.0.2", "n2");
	fix_up(state, "fd00::2", "n2");
	fix_down(state, "10.0.0.3");
	state->addrs[0].resource = "vip1";
	state->addrs[1].group = "g2";
	state->addrs[2].group = "g2";
	fix_net_name(state, "10.0.0.3", "FOUND");
	return state;
}

static struct cluster_state *applied(TALLOC_CTX *mem_ctx, const char *net_names, const char *shares)
{
	const char *overrides[] = {
		talloc_asprintf(mem_ctx, "witness.net_name_resources=%s", net_names),
		talloc_asprintf(mem_ctx, "witness.share_resources=%s", shares), NULL};
	struct cluster_state *state = snapshot(mem_ctx);
	struct naming *naming;
	struct config *config;
	char *why = NULL;

	assert_int_equal(
		config_load(mem_ctx, "/nonexistent/w.conf", false, overrides, &config, &why), 0);
	assert_int_equal(naming_create(mem_ctx, config, &naming), 0);
	assert_int_equal(naming_apply(naming, state), 0);
	assert_int_equal(cluster_state_check(mem_ctx, state, &why), 0);
	return state;
}

/* The names of an address between blanks. */
static const char *names_of(struct cluster_state *state, size_t index)
{
	const char *const *names = state->addrs[index].net_names;
	char *text = talloc_strdup(state, "");

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? " " : "", names[i]);
	}
	return text;
}

static void nothing_is_set_by_default(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct cluster_state *state = applied(mem_ctx, "", ""), *before = snapshot(mem_ctx);

	assert_true(cluster_state_equal(state, before));
	talloc_free(mem_ctx);
}

static void resources_groups_and_addresses_are_named(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct cluster_state *state =
		applied(mem_ctx, "FS1:vip1 FS2:g2 files:10.0.0.1 files:FD00::2 fs1:10.0.0.1", "");

	assert_string_equal(names_of(state, 0), "FS1 files");
	assert_string_equal(names_of(state, 1), "FS2");
	assert_string_equal(names_of(state, 2), "FS2 files");
	assert_string_equal(names_of(state, 3), "FOUND");
	assert_int_equal(state->num_named, 4);
	talloc_free(mem_ctx);
}

static void what_is_set_wins(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct cluster_state *state = applied(mem_ctx, "SET:10.0.0.3,NONE:nowhere", "");

	assert_string_equal(names_of(state, 3), "SET");
	assert_string_equal(names_of(state, 0), "");
	talloc_free(mem_ctx);
}

static void shares_are_where_their_addresses_are(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct cluster_state *state =
		applied(mem_ctx, "", "data:g2 down:10.0.0.3 Data:10.0.0.3 none:nowhere");
	const struct cluster_share *share = cluster_state_share(state, "DATA");

	assert_string_equal(share->node, "n2");
	assert_string_equal(share->group, "g2");
	assert_int_equal(share->num_addrs, 3);
	assert_true(state->addrs[1].tied);
	assert_false(state->addrs[0].tied);
	share = cluster_state_share(state, "down");
	assert_null(share->node);
	assert_int_equal(share->num_addrs, 1);
	assert_null(cluster_state_share(state, "none"));
	talloc_free(mem_ctx);
}

static void shares_of_the_backend_stay(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	const char *const overrides[] = {"witness.share_resources=data:vip1", NULL};
	struct cluster_state *state = snapshot(mem_ctx);
	struct naming *naming;
	struct config *config;
	char *why = NULL;

	fix_share(state, "data", "n3");
	assert_int_equal(
		config_load(mem_ctx, "/nonexistent/w.conf", false, overrides, &config, &why), 0);
	assert_int_equal(naming_create(mem_ctx, config, &naming), 0);
	assert_int_equal(naming_apply(naming, state), 0);
	assert_int_equal(state->num_shares, 1);
	assert_string_equal(state->shares[0].node, "n3");
	talloc_free(mem_ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_set_by_default),
		cmocka_unit_test(resources_groups_and_addresses_are_named),
		cmocka_unit_test(what_is_set_wins),
		cmocka_unit_test(shares_are_where_their_addresses_are),
		cmocka_unit_test(shares_of_the_backend_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
