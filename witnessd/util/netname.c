/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/netname.h"

#include <string.h>
#include <strings.h>

#include "witnessd/util/ipaddr.h"

static size_t without_dot(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

static bool equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len > 0 && a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool is_address(const char *name)
{
	struct ipaddr ip;

	return ipaddr_parse(name, &ip) == 0;
}

bool netname_equal(const char *a, const char *b)
{
	if (equal(a, without_dot(a), b, without_dot(b))) {
		return true;
	}
	return !is_address(a) && !is_address(b) && equal(a, strcspn(a, "."), b, strcspn(b, "."));
}

bool netname_matches(const char *const *names, const char *asked)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (netname_equal(names[i], asked)) {
			return true;
		}
	}
	return false;
}
