/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void note(void *private_data, const struct tcpconn *conn, bool is_new)
{
	char *text = private_data;

	sprintf(text + strlen(text), "%c%u ", is_new ? '+' : '-', conn->remote_port);
}

/* A listing of clients, by their ports. @return what was told */
static const char *list(struct tracker *tracker, const char *ports, char told[256])
{
	struct tcpconn conns[8];
	size_t num = 0;
	char words[64], *word, *rest = words;

	snprintf(words, sizeof(words), "%s", ports);
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		char text[64];

		snprintf(text, sizeof(text), "10.0.0.1:445 10.0.0.9:%s", word);
		assert_int_equal(tcpconn_parse(text, &conns[num++]), 0);
	}
	told[0] = '\0';
	assert_int_equal(tracker_update(tracker, conns, num, note, told), 0);
	return told;
}

static void differences_are_told(void **state)
{
	struct tracker *tracker = tracker_new(NULL);
	char told[256];

	assert_string_equal(list(tracker, "", told), "");
	assert_string_equal(list(tracker, "1 2 3", told), "+1 +2 +3 ");
	assert_string_equal(list(tracker, "3 2 1", told), "");
	assert_string_equal(list(tracker, "2 4 4", told), "+4 -1 -3 ");
	assert_string_equal(list(tracker, "", told), "-2 -4 ");
	assert_string_equal(list(tracker, "2", told), "+2 ");
	talloc_free(tracker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(differences_are_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
