/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/netaddr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "agents/netlink.h"

#define DUMP_TRIES 5

struct netaddr {
	struct netlink *nl;
};

/* What to look for in a message, and where to store it. */
struct parse {
	const struct ipaddr *ip;
	struct netaddr_links *links;
};

/* --- addresses --- */

/* The attributes of an address that count here. */
struct addr_attrs {
	const struct nlattr *local, *address;
	uint32_t flags;
};

static int addr_attr(const struct nlattr *attr, void *private_data)
{
	struct addr_attrs *attrs = private_data;

	switch (mnl_attr_get_type(attr)) {
	case IFA_LOCAL:
		attrs->local = attr;
		break;
	case IFA_ADDRESS:
		attrs->address = attr;
		break;
	case IFA_FLAGS:
		if (mnl_attr_get_payload_len(attr) >= sizeof(uint32_t)) {
			attrs->flags = mnl_attr_get_u32(attr);
		}
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static bool is_ip(const struct ipaddr *ip, const struct nlattr *attr)
{
	size_t len = ip->family == AF_INET ? 4 : 16;

	return attr != NULL && mnl_attr_get_payload_len(attr) == len &&
	       memcmp(mnl_attr_get_payload(attr), ip->bytes, len) == 0;
}

static int take_addr(void *private_data, const struct nlmsghdr *nlh)
{
	const struct parse *p = private_data;
	struct netaddr_links *links = p->links;
	struct addr_attrs attrs = {.flags = 0};
	struct ifaddrmsg msg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(msg)) {
		return EBADMSG;
	}
	memcpy(&msg, mnl_nlmsg_get_payload(nlh), sizeof(msg));
	attrs.flags = msg.ifa_flags;
	if (msg.ifa_family != p->ip->family ||
	    mnl_attr_parse(nlh, sizeof(msg), addr_attr, &attrs) < 0) {
		return 0;
	}
	/* IFA_ADDRESS is the other end's on point-to-point links, where IFA_LOCAL is there, too. */
	if (!is_ip(p->ip, attrs.local != NULL ? attrs.local : attrs.address) ||
	    (attrs.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0) {
		return 0;
	}
	if (links->num < NETADDR_MAX_LINKS) {
		links->list[links->num++] = (struct netaddr_link){.index = msg.ifa_index};
	}
	return 0;
}

int netaddr_parse_addrs(const void *buf, size_t len, const struct ipaddr *ip,
			struct netaddr_links *links, bool *done)
{
	struct parse p = {.ip = ip, .links = links};

	return netlink_walk(buf, len, RTM_NEWADDR, take_addr, &p, done);
}

/* --- interfaces --- */

static int link_attr(const struct nlattr *attr, void *private_data)
{
	struct netaddr_link *link = private_data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == IFLA_ADDRESS && len <= sizeof(link->hw)) {
		memcpy(link->hw, mnl_attr_get_payload(attr), len);
		link->hw_len = len;
	}
	return MNL_CB_OK;
}

static int take_link(void *private_data, const struct nlmsghdr *nlh)
{
	const struct parse *p = private_data;
	struct ifinfomsg msg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(msg)) {
		return EBADMSG;
	}
	memcpy(&msg, mnl_nlmsg_get_payload(nlh), sizeof(msg));
	for (size_t i = 0; i < p->links->num; i++) {
		struct netaddr_link *link = &p->links->list[i];

		if (msg.ifi_index > 0 && link->index == (uint32_t)msg.ifi_index) {
			link->hardware = msg.ifi_type;
			link->neighbours = (msg.ifi_flags & IFF_UP) != 0 &&
					   (msg.ifi_flags & (IFF_NOARP | IFF_LOOPBACK)) == 0;
			mnl_attr_parse(nlh, sizeof(msg), link_attr, link);
		}
	}
	return 0;
}

int netaddr_parse_links(const void *buf, size_t len, struct netaddr_links *links, bool *done)
{
	struct parse p = {.links = links};

	return netlink_walk(buf, len, RTM_NEWLINK, take_link, &p, done);
}

/* --- asking --- */

int netaddr_open(TALLOC_CTX *mem_ctx, struct netaddr **out)
{
	struct netaddr *netaddr = talloc_zero(mem_ctx, struct netaddr);
	int err = netaddr == NULL ? ENOMEM : netlink_open(netaddr, NETLINK_ROUTE, &netaddr->nl);

	if (err != 0) {
		talloc_free(netaddr);
		return err;
	}
	*out = netaddr;
	return 0;
}

static int read_addrs(void *private_data, const void *buf, size_t len, bool *done)
{
	const struct parse *p = private_data;

	return netaddr_parse_addrs(buf, len, p->ip, p->links, done);
}

static int read_links(void *private_data, const void *buf, size_t len, bool *done)
{
	const struct parse *p = private_data;

	return netaddr_parse_links(buf, len, p->links, done);
}

static int ask(struct netaddr *netaddr, struct parse *p)
{
	struct ifaddrmsg addr = {.ifa_family = (uint8_t)p->ip->family};
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
	int err;

	p->links->num = 0;
	err = netlink_send(netaddr->nl, RTM_GETADDR, NLM_F_DUMP, &addr, sizeof(addr));
	if (err == 0) {
		err = netlink_receive(netaddr->nl, read_addrs, p);
	}
	if (err != 0 || p->links->num == 0) {
		return err;
	}
	err = netlink_send(netaddr->nl, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link));
	return err != 0 ? err : netlink_receive(netaddr->nl, read_links, p);
}

int netaddr_find(struct netaddr *netaddr, const struct ipaddr *ip, struct netaddr_links *links)
{
	struct parse p = {.ip = ip, .links = links};
	int err = EINTR;

	for (int i = 0; i < DUMP_TRIES && err == EINTR; i++) {
		err = ask(netaddr, &p);
	}
	return err;
}
