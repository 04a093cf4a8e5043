/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The small texts inside of everything: addresses, UUIDs, connections, names, log levels; the first byte
 * chooses. What is taken must read the same when it is written again.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "witnessd/util/guid.h"
#include "witnessd/util/log.h"
#include "witnessd/util/netname.h"
#include "witnessd/util/tcpconn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void try_ip(const char *text)
{
	char again[IPADDR_STRLEN];
	struct ipaddr ip, same;

	if (ipaddr_parse(text, &ip) == 0) {
		must(ip.family != 0 && ipaddr_parse(ipaddr_format(&ip, again), &same) == 0);
		must(ipaddr_equal(&ip, &same));
	}
}

static void try_guid(const char *text)
{
	char again[GUID_STRLEN];
	struct guid guid;

	must(guid_parse(text, &guid) != 0 || strcasecmp(guid_format(&guid, again), text) == 0);
}

static void try_conn(const char *text)
{
	char again[TCPCONN_STRLEN];
	struct tcpconn conn, same;

	if (tcpconn_parse(text, &conn) == 0) {
		must(tcpconn_parse(tcpconn_format(&conn, again), &same) == 0);
		must(memcmp(&conn, &same, sizeof(conn)) == 0);
	}
}

static void try_packed_conn(const uint8_t *data, size_t size)
{
	uint8_t again[TCPCONN_PACKED_MAX];
	struct tcpconn conn;

	if (tcpconn_unpack(data, size, &conn) == 0) {
		must(tcpconn_pack(&conn, again) == size && memcmp(again, data, size) == 0);
	}
}

/* Two names with a newline between. */
static void try_names(char *text)
{
	char *second = strchr(text, '\n');

	must(netname_equal(text, text) || text[0] == '\0' || text[0] == '.');
	if (second != NULL) {
		*second++ = '\0';
		must(netname_equal(text, second) == netname_equal(second, text));
	}
}

static void try_log(TALLOC_CTX *mem_ctx, const char *text)
{
	const char *escaped = log_escape(mem_ctx, text);
	int level;

	(void)log_parse_level(text, &level);
	must(strlen(escaped) < 1100);
	for (const char *p = escaped; *p != '\0'; p++) {
		must(*p >= 0x20 && *p <= 0x7e && *p != '"');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx;
	char *text;

	if (size == 0) {
		return 0;
	}
	mem_ctx = talloc_new(NULL);
	text = talloc_strndup(mem_ctx, (const char *)data + 1, size - 1);
	must(text != NULL);
	switch (data[0]) {
	case 'a':
		try_ip(text);
		break;
	case 'g':
		try_guid(text);
		break;
	case 'c':
		try_conn(text);
		break;
	case 'p':
		try_packed_conn(data + 1, size - 1);
		break;
	case 'n':
		try_names(text);
		break;
	default:
		try_log(mem_ctx, text);
		break;
	}
	talloc_free(mem_ctx);
	return 0;
}
