/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of a kernel, made here byte by byte, good and bad. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>

#include "agents/netaddr.h"
#include "agents/netlink.h"
#include "agents/sock_diag.h"

/* A datagram under construction. */
struct datagram {
	uint8_t buf[2048] __attribute__((aligned(8)));
	size_t len;
	struct nlmsghdr *last;
};

static void *add_message(struct datagram *d, uint16_t type, uint16_t flags, size_t body)
{
	void *payload;

	d->last = mnl_nlmsg_put_header(d->buf + d->len);
	d->last->nlmsg_type = type;
	d->last->nlmsg_flags = flags;
	payload = mnl_nlmsg_put_extra_header(d->last, body);
	d->len += MNL_ALIGN(d->last->nlmsg_len);
	return payload;
}

static void add_attr(struct datagram *d, uint16_t type, const void *data, size_t len)
{
	d->len -= MNL_ALIGN(d->last->nlmsg_len);
	mnl_attr_put(d->last, type, len, data);
	d->len += MNL_ALIGN(d->last->nlmsg_len);
}

static void add_done(struct datagram *d, int err)
{
	memcpy(add_message(d, NLMSG_DONE, NLM_F_MULTI, sizeof(err)), &err, sizeof(err));
}

static void add_conn(struct datagram *d, uint8_t family, const char *text)
{
	struct inet_diag_msg *msg = add_message(d, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sizeof(*msg));
	struct tcpconn conn;
	const struct ipaddr *ends[2] = {&conn.local, &conn.remote};
	__be32 *raw[2] = {msg->id.idiag_src, msg->id.idiag_dst};

	assert_int_equal(tcpconn_parse(text, &conn), 0);
	msg->idiag_family = family;
	msg->id.idiag_sport = htons(conn.local_port);
	msg->id.idiag_dport = htons(conn.remote_port);
	for (int i = 0; i < 2; i++) {
		bool mapped = family == AF_INET6 && ends[i]->family == AF_INET;

		raw[i][2] = mapped ? htonl(0xffff) : 0;
		memcpy(raw[i] + (mapped ? 3 : 0), ends[i]->bytes,
		       ends[i]->family == AF_INET ? 4 : 16);
	}
}

static struct ipaddr ip(const char *text)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	return addr;
}

/* --- sock_diag --- */

struct diag {
	struct datagram d;
	struct ipaddr addrs[2];
	uint16_t ports[1];
	struct sock_diag_filter filter;
	struct sock_diag_list list;
	bool done;
};

static int diag_setup(void **state)
{
	struct diag *diag = talloc_zero(NULL, struct diag);

	diag->addrs[0] = ip("10.0.0.1");
	diag->addrs[1] = ip("2001:db8::1");
	diag->ports[0] = 445;
	diag->filter = (struct sock_diag_filter){diag->addrs, 2, diag->ports, 1};
	*state = diag;
	return 0;
}

static int diag_teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static int diag_parse(struct diag *diag)
{
	return sock_diag_parse(diag->d.buf, diag->d.len, &diag->filter, diag, &diag->list,
			       &diag->done);
}

static void connections_are_filtered(void **state)
{
	struct diag *diag = *state;
	static const char *const expected[] = {
		"10.0.0.1:445 10.0.0.9:50000",
		"[2001:db8::1]:445 [2001:db8::9]:50001",
		"10.0.0.1:445 10.0.0.9:50002",
	};

	add_conn(&diag->d, AF_INET, expected[0]);
	add_conn(&diag->d, AF_INET, "10.0.0.1:446 10.0.0.9:50000");
	add_conn(&diag->d, AF_INET, "10.0.0.2:445 10.0.0.9:50000");
	add_conn(&diag->d, AF_INET6, expected[1]);
	add_conn(&diag->d, AF_INET6, expected[2]); /* of a dual-stack socket */
	add_message(&diag->d, NLMSG_NOOP, 0, 0);
	assert_int_equal(diag_parse(diag), 0);
	assert_false(diag->done);
	assert_int_equal(diag->list.num, 3);
	for (size_t i = 0; i < 3; i++) {
		char text[TCPCONN_STRLEN];

		assert_string_equal(tcpconn_format(&diag->list.entries[i].conn, text), expected[i]);
	}
	assert_int_equal(diag->list.entries[2].family, AF_INET6);
	diag->d.len = 0;
	add_done(&diag->d, 0);
	assert_int_equal(diag_parse(diag), 0);
	assert_true(diag->done);
}

static void the_list_is_bounded(void **state)
{
	struct diag *diag = *state;

	diag->list.max = 2;
	for (int i = 0; i < 3; i++) {
		add_conn(&diag->d, AF_INET, "10.0.0.1:445 10.0.0.9:50000");
	}
	assert_int_equal(diag_parse(diag), 0);
	assert_int_equal(diag->list.num, 2);
	assert_true(diag->list.cut);
}

static void the_kernels_errors_are_told(void **state)
{
	struct diag *diag = *state;
	struct nlmsgerr err = {.error = -EOPNOTSUPP};

	memcpy(add_message(&diag->d, NLMSG_ERROR, 0, sizeof(err)), &err, sizeof(err));
	assert_int_equal(diag_parse(diag), EOPNOTSUPP);
	assert_true(diag->done);
	diag->d.len = 0;
	diag->done = false;
	add_done(&diag->d, -ENOMEM);
	assert_int_equal(diag_parse(diag), ENOMEM);
	diag->d.len = 0;
	diag->done = false;
	add_conn(&diag->d, AF_INET, "10.0.0.1:445 10.0.0.9:50000");
	diag->d.last->nlmsg_flags |= NLM_F_DUMP_INTR;
	assert_int_equal(diag_parse(diag), EINTR);
	assert_false(diag->done);
	add_done(&diag->d, 0);
	assert_int_equal(diag_parse(diag), EINTR);
	assert_true(diag->done); /* nothing more is waited for */
}

/* Every length that a message may lie about, and every place where a datagram may end. */
static void garbage_is_refused(void **state)
{
	struct diag *diag = *state;
	struct nlmsgerr err = {.error = 5};
	size_t whole;

	add_conn(&diag->d, AF_INET, "10.0.0.1:445 10.0.0.9:50000");
	whole = diag->d.len;
	for (diag->d.len = 1; diag->d.len < whole; diag->d.len++) {
		assert_int_equal(diag_parse(diag), EBADMSG);
	}
	for (uint32_t len = 0; len < whole; len++) {
		diag->d.last->nlmsg_len = len;
		assert_int_not_equal(diag_parse(diag), 0);
	}
	diag->d.last->nlmsg_len = UINT32_MAX;
	assert_int_equal(diag_parse(diag), EBADMSG);
	assert_int_equal(diag->list.num, 0);

	diag->d.len = 0;
	add_conn(&diag->d, AF_UNIX, "10.0.0.1:445 10.0.0.9:50000");
	assert_int_equal(diag_parse(diag), EBADMSG);
	diag->d.len = 0;
	memcpy(add_message(&diag->d, NLMSG_ERROR, 0, sizeof(err)), &err, sizeof(err));
	assert_int_equal(diag_parse(diag), EBADMSG); /* not negative */
	diag->d.len = 0;
	diag->done = false;
	add_message(&diag->d, NLMSG_ERROR, 0, 2);
	assert_int_equal(diag_parse(diag), EBADMSG);
}

/* --- rtnetlink --- */

static void add_address(struct datagram *d, uint8_t family, const char *text, uint32_t index,
			uint32_t flags)
{
	struct ifaddrmsg *msg = add_message(d, RTM_NEWADDR, NLM_F_MULTI, sizeof(*msg));
	struct ipaddr addr = ip(text);

	msg->ifa_family = family;
	msg->ifa_index = index;
	msg->ifa_flags = (uint8_t)flags;
	add_attr(d, IFA_ADDRESS, addr.bytes, family == AF_INET ? 4 : 16);
	if (family == AF_INET) {
		add_attr(d, IFA_LOCAL, addr.bytes, 4);
	}
	add_attr(d, IFA_FLAGS, &flags, sizeof(flags));
}

static void an_address_is_found(void **state)
{
	struct datagram d = {.len = 0};
	struct netaddr_links links = {.num = 0};
	struct ipaddr addr = ip("10.0.0.1");
	bool done = false;

	add_address(&d, AF_INET, "10.0.0.2", 1, 0);
	add_address(&d, AF_INET, "10.0.0.1", 2, 0);
	add_address(&d, AF_INET, "10.0.0.1", 7, 0);
	assert_int_equal(netaddr_parse_addrs(d.buf, d.len, &addr, &links, &done), 0);
	assert_int_equal(links.num, 2);
	assert_int_equal(links.list[0].index, 2);
	assert_int_equal(links.list[1].index, 7);
}

static void the_other_end_of_a_link_is_not_ours(void **state)
{
	struct datagram d = {.len = 0};
	struct netaddr_links links = {.num = 0};
	struct ipaddr ours = ip("10.0.0.1"), theirs = ip("10.0.0.2");
	struct ifaddrmsg *msg = add_message(&d, RTM_NEWADDR, NLM_F_MULTI, sizeof(*msg));
	bool done = false;

	msg->ifa_family = AF_INET;
	msg->ifa_index = 3;
	add_attr(&d, IFA_ADDRESS, theirs.bytes, 4);
	add_attr(&d, IFA_LOCAL, ours.bytes, 4);
	assert_int_equal(netaddr_parse_addrs(d.buf, d.len, &theirs, &links, &done), 0);
	assert_int_equal(links.num, 0);
	assert_int_equal(netaddr_parse_addrs(d.buf, d.len, &ours, &links, &done), 0);
	assert_int_equal(links.num, 1);
}

static void an_address_that_may_be_double_is_not_there_yet(void **state)
{
	struct datagram d = {.len = 0};
	struct netaddr_links links = {.num = 0};
	struct ipaddr addr = ip("2001:db8::1");
	bool done = false;

	add_address(&d, AF_INET6, "2001:db8::1", 2, IFA_F_TENTATIVE);
	add_address(&d, AF_INET6, "2001:db8::1", 3, IFA_F_DADFAILED | IFA_F_PERMANENT);
	add_address(&d, AF_INET6, "2001:db8::1", 4, IFA_F_PERMANENT);
	assert_int_equal(netaddr_parse_addrs(d.buf, d.len, &addr, &links, &done), 0);
	assert_int_equal(links.num, 1);
	assert_int_equal(links.list[0].index, 4);
}

static void add_link(struct datagram *d, int index, unsigned int flags, const void *hw, size_t len)
{
	struct ifinfomsg *msg = add_message(d, RTM_NEWLINK, NLM_F_MULTI, sizeof(*msg));

	msg->ifi_index = index;
	msg->ifi_type = ARPHRD_ETHER;
	msg->ifi_flags = flags;
	add_attr(d, IFLA_ADDRESS, hw, len);
}

static void links_are_filled_in(void **state)
{
	const uint8_t hw[64] = {2, 0, 0, 1, 2, 3};
	struct datagram d = {.len = 0};
	struct netaddr_links links = {.num = 4};
	bool done = false;

	for (uint32_t i = 0; i < 4; i++) {
		links.list[i].index = i + 2;
	}
	add_link(&d, 1, IFF_UP, hw, 6);
	add_link(&d, 2, IFF_UP, hw, 6);
	add_link(&d, 3, IFF_UP | IFF_LOOPBACK, hw, 6);
	add_link(&d, 4, 0, hw, 6);
	add_link(&d, 5, IFF_UP, hw, sizeof(hw)); /* longer than any */
	add_done(&d, 0);
	assert_int_equal(netaddr_parse_links(d.buf, d.len, &links, &done), 0);
	assert_true(done);
	assert_true(links.list[0].neighbours);
	assert_int_equal(links.list[0].hw_len, 6);
	assert_memory_equal(links.list[0].hw, hw, 6);
	assert_int_equal(links.list[0].hardware, ARPHRD_ETHER);
	assert_false(links.list[1].neighbours);
	assert_false(links.list[2].neighbours);
	assert_int_equal(links.list[3].hw_len, 0);
}

static void more_links_than_there_is_room_for(void **state)
{
	struct netaddr_links links = {.num = 0};
	struct ipaddr addr = ip("10.0.0.1");
	bool done = false;

	for (uint32_t i = 0; i < NETADDR_MAX_LINKS + 3; i++) {
		struct datagram d = {.len = 0};

		add_address(&d, AF_INET, "10.0.0.1", i + 1, 0);
		assert_int_equal(netaddr_parse_addrs(d.buf, d.len, &addr, &links, &done), 0);
	}
	assert_int_equal(links.num, NETADDR_MAX_LINKS);
}

/* --- a real kernel --- */

static void this_host_has_its_loopback_address(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct ipaddr here = ip("127.0.0.1"), nowhere = ip("192.0.2.77");
	struct netaddr_links links;
	struct netaddr *netaddr;

	assert_int_equal(netaddr_open(mem_ctx, &netaddr), 0);
	assert_int_equal(netaddr_find(netaddr, &here, &links), 0);
	assert_int_equal(links.num, 1);
	assert_false(links.list[0].neighbours);
	assert_int_equal(netaddr_find(netaddr, &nowhere, &links), 0);
	assert_int_equal(links.num, 0);
	talloc_free(mem_ctx);
}

#define SOCKETS 100 /* do not fit into the first datagram of a listing */

struct listing {
	unsigned int datagrams, conns;
	int first; /* what is said of the first datagram */
	bool done;
};

static int count_conn(void *private_data, const struct nlmsghdr *nlh)
{
	((struct listing *)private_data)->conns++;
	return 0;
}

static int read_listing(void *private_data, const void *buf, size_t len, bool *done)
{
	struct listing *l = private_data;
	int err = netlink_walk(buf, len, SOCK_DIAG_BY_FAMILY, count_conn, l, done);

	l->done = *done;
	return l->datagrams++ == 0 ? l->first : err;
}

static int list_all(struct netlink *nl, struct listing *l)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U};

	assert_int_equal(netlink_send(nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req)), 0);
	return netlink_receive(nl, read_listing, l);
}

/* Else the kernel would be asked anew while it is listing, which it may refuse. */
static void a_listing_that_failed_is_read_to_its_end(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct listing failed = {.first = EINTR}, again = {.first = 0};
	struct netlink *nl;
	int fds[SOCKETS];

	for (int i = 0; i < SOCKETS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fds[i], (struct sockaddr *)&sin, sizeof(sin)), 0);
		assert_int_equal(listen(fds[i], 1), 0);
	}
	assert_int_equal(netlink_open(mem_ctx, NETLINK_SOCK_DIAG, &nl), 0);
	assert_int_equal(list_all(nl, &failed), EINTR);
	assert_true(failed.datagrams > 1);
	assert_true(failed.done);
	assert_int_equal(list_all(nl, &again), 0);
	assert_true(again.conns >= SOCKETS);
	for (int i = 0; i < SOCKETS; i++) {
		close(fds[i]);
	}
	talloc_free(mem_ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define DIAG(f) cmocka_unit_test_setup_teardown(f, diag_setup, diag_teardown)
		DIAG(connections_are_filtered),
		DIAG(the_list_is_bounded),
		DIAG(the_kernels_errors_are_told),
		DIAG(garbage_is_refused),
		cmocka_unit_test(an_address_is_found),
		cmocka_unit_test(the_other_end_of_a_link_is_not_ours),
		cmocka_unit_test(an_address_that_may_be_double_is_not_there_yet),
		cmocka_unit_test(links_are_filled_in),
		cmocka_unit_test(more_links_than_there_is_room_for),
		cmocka_unit_test(this_host_has_its_loopback_address),
		cmocka_unit_test(a_listing_that_failed_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
