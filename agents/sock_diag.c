/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/sock_diag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>

#include "agents/netlink.h"

#define DUMP_TRIES 5 /* of a listing that changed under the kernel's hands */

struct sock_diag {
	struct netlink *nl;
};

/* The filter, and where matching entries go. */
struct parse {
	const struct sock_diag_filter *filter;
	TALLOC_CTX *mem_ctx;
	struct sock_diag_list *list;
};

/* --- reading --- */

static struct ipaddr address(uint8_t family, const __be32 raw[4])
{
	struct sockaddr_storage ss = {.ss_family = family};

	if (family == AF_INET) {
		memcpy(&((struct sockaddr_in *)&ss)->sin_addr, raw, 4);
	} else {
		memcpy(&((struct sockaddr_in6 *)&ss)->sin6_addr, raw, 16);
	}
	return ipaddr_from_sockaddr(&ss);
}

static bool wanted(const struct sock_diag_filter *filter, const struct tcpconn *conn)
{
	bool port = filter->num_ports == 0;

	for (size_t i = 0; i < filter->num_ports && !port; i++) {
		port = filter->ports[i] == conn->local_port;
	}
	for (size_t i = 0; i < filter->num_addrs && port; i++) {
		if (ipaddr_equal(&filter->addrs[i], &conn->local)) {
			return true;
		}
	}
	return false;
}

static int append(struct parse *p, const struct sock_diag_entry *entry)
{
	struct sock_diag_list *list = p->list;
	size_t room = talloc_array_length(list->entries);

	if (list->max != 0 && list->num >= list->max) {
		list->cut = true;
		return 0;
	}
	if (list->num == room) {
		struct sock_diag_entry *more =
			talloc_realloc(p->mem_ctx, list->entries, struct sock_diag_entry,
				       room == 0 ? 64 : room * 2);

		if (more == NULL) {
			return ENOMEM;
		}
		list->entries = more;
	}
	list->entries[list->num++] = *entry;
	return 0;
}

static int take_message(void *private_data, const struct nlmsghdr *nlh)
{
	struct parse *p = private_data;
	struct sock_diag_entry entry = {.family = 0};
	struct inet_diag_msg msg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(msg)) {
		return EBADMSG;
	}
	memcpy(&msg, mnl_nlmsg_get_payload(nlh), sizeof(msg));
	if (msg.idiag_family != AF_INET && msg.idiag_family != AF_INET6) {
		return EBADMSG;
	}
	entry.family = msg.idiag_family;
	entry.id = msg.id;
	entry.conn = (struct tcpconn){
		.local = address(msg.idiag_family, msg.id.idiag_src),
		.remote = address(msg.idiag_family, msg.id.idiag_dst),
		.local_port = ntohs(msg.id.idiag_sport),
		.remote_port = ntohs(msg.id.idiag_dport),
	};
	if (entry.conn.local_port == 0 || entry.conn.remote_port == 0 ||
	    entry.conn.local.family != entry.conn.remote.family) {
		return 0; /* nothing that could be tickled */
	}
	return wanted(p->filter, &entry.conn) ? append(p, &entry) : 0;
}

int sock_diag_parse(const void *buf, size_t len, const struct sock_diag_filter *filter,
		    TALLOC_CTX *mem_ctx, struct sock_diag_list *list, bool *done)
{
	struct parse p = {.filter = filter, .mem_ctx = mem_ctx, .list = list};

	return netlink_walk(buf, len, SOCK_DIAG_BY_FAMILY, take_message, &p, done);
}

/* --- asking --- */

int sock_diag_open(TALLOC_CTX *mem_ctx, struct sock_diag **out)
{
	struct sock_diag *diag = talloc_zero(mem_ctx, struct sock_diag);
	int err = diag == NULL ? ENOMEM : netlink_open(diag, NETLINK_SOCK_DIAG, &diag->nl);

	if (err != 0) {
		talloc_free(diag);
		return err;
	}
	*out = diag;
	return 0;
}

static int read_datagram(void *private_data, const void *buf, size_t len, bool *done)
{
	const struct parse *p = private_data;

	return sock_diag_parse(buf, len, p->filter, p->mem_ctx, p->list, done);
}

static int list_family(struct sock_diag *diag, uint8_t family, uint32_t states,
		       const struct sock_diag_filter *filter, TALLOC_CTX *mem_ctx,
		       struct sock_diag_list *list)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = states};
	struct parse p = {.filter = filter, .mem_ctx = mem_ctx, .list = list};
	size_t before = list->num;
	int err = EINTR;

	for (int i = 0; i < DUMP_TRIES && err == EINTR; i++) {
		list->num = before;
		err = netlink_send(diag->nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
		if (err == 0) {
			err = netlink_receive(diag->nl, read_datagram, &p);
		}
	}
	return err;
}

int sock_diag_list(struct sock_diag *diag, uint32_t states, const struct sock_diag_filter *filter,
		   TALLOC_CTX *mem_ctx, struct sock_diag_list *list)
{
	int err;

	*list = (struct sock_diag_list){.max = list->max};
	err = list_family(diag, AF_INET, states, filter, mem_ctx, list);
	/* A kernel without IPv6 has no connections of it. */
	if (err == 0) {
		err = list_family(diag, AF_INET6, states, filter, mem_ctx, list);
		err = err == ENOENT || err == EAFNOSUPPORT ? 0 : err;
	}
	if (err != 0) {
		TALLOC_FREE(list->entries);
		list->num = 0;
	}
	return err;
}

int sock_diag_destroy(struct sock_diag *diag, const struct sock_diag_entry *entry)
{
	struct inet_diag_req_v2 req = {.sdiag_family = entry->family,
				       .sdiag_protocol = IPPROTO_TCP,
				       .idiag_states = ~0U,
				       .id = entry->id};
	static const struct sock_diag_filter nothing = {.num_addrs = 0};
	struct sock_diag_list list = {.num = 0};
	struct parse p = {.filter = &nothing, .list = &list};
	int err = netlink_send(diag->nl, SOCK_DESTROY, NLM_F_ACK, &req, sizeof(req));

	return err != 0 ? err : netlink_receive(diag->nl, read_datagram, &p);
}
