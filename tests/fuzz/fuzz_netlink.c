/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tickle agent's readers of netlink answers; the first byte chooses which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/netaddr.h"
#include "agents/sock_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_conns(TALLOC_CTX *mem_ctx, const void *buf, size_t len)
{
	struct ipaddr any[2] = {{.family = AF_INET}, {.family = AF_INET6}};
	struct sock_diag_filter filter = {.addrs = any, .num_addrs = 2};
	struct sock_diag_list list = {.max = 4};
	bool done = false;

	if (sock_diag_parse(buf, len, &filter, mem_ctx, &list, &done) == 0 && list.num > 4) {
		abort();
	}
	for (size_t i = 0; i < list.num; i++) {
		char text[TCPCONN_STRLEN];
		struct tcpconn again;

		/* What is believed can be said, and understood. */
		if (tcpconn_parse(tcpconn_format(&list.entries[i].conn, text), &again) != 0 ||
		    memcmp(&again, &list.entries[i].conn, sizeof(again)) != 0) {
			abort();
		}
	}
}

static void check_links(const void *buf, size_t len, uint32_t family)
{
	struct netaddr_links links = {.num = 0};
	struct ipaddr zero = {.family = family};
	bool done = false;

	netaddr_parse_addrs(buf, len, &zero, &links, &done);
	if (links.num > NETADDR_MAX_LINKS) {
		abort();
	}
	links = (struct netaddr_links){.num = 2, .list = {{.index = 1}, {.index = 2}}};
	done = false;
	netaddr_parse_links(buf, len, &links, &done);
	for (size_t i = 0; i < links.num; i++) {
		if (links.list[i].hw_len > sizeof(links.list[i].hw)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	uint8_t *copy;

	if (size == 0) {
		talloc_free(mem_ctx);
		return 0;
	}
	/* Exactly as long as the input, and aligned, as a receive buffer is. */
	copy = malloc(size);
	if (copy != NULL) {
		memcpy(copy, data + 1, size - 1);
		if (data[0] % 3 == 0) {
			check_conns(mem_ctx, copy, size - 1);
		} else {
			check_links(copy, size - 1, data[0] % 3 == 1 ? AF_INET : AF_INET6);
		}
	}
	free(copy);
	talloc_free(mem_ctx);
	return 0;
}
