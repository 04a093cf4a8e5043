/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/client_choice.h"

#include <stdio.h>
#include <string.h>

/* The address of an entry that fits a family; family 0 when the entry has none at all. */
static struct ipaddr entry_addr(const struct swn_interface *entry, uint32_t family)
{
	bool v6_first = family == AF_INET6;
	const struct ipaddr *first = v6_first ? &entry->ipv6 : &entry->ipv4;
	const struct ipaddr *second = v6_first ? &entry->ipv4 : &entry->ipv6;

	return first->family != 0 ? *first : *second;
}

static bool entry_has(const struct swn_interface *entry, const struct ipaddr *addr)
{
	return ipaddr_equal(&entry->ipv4, addr) || ipaddr_equal(&entry->ipv6, addr);
}

/* The group name of the SMB server's own entry, or NULL. */
static const char *group_of(const struct swn_interface_list *list, const struct ipaddr *server)
{
	for (size_t i = 0; i < list->num; i++) {
		if (entry_has(&list->entries[i], server)) {
			return list->entries[i].group_name;
		}
	}
	return NULL;
}

static bool is_usable(const struct swn_interface *entry, const struct ipaddr *server)
{
	return entry->witness && entry->state == SWN_INTERFACE_AVAILABLE &&
	       !entry_has(entry, server) && entry_addr(entry, server->family).family != 0;
}

static bool same_group(const struct swn_interface *entry, const char *group)
{
	return group != NULL && strcmp(entry->group_name, group) == 0;
}

size_t swn_choose(const struct swn_interface_list *list, const struct ipaddr *server,
		  struct swn_candidate out[SWN_CHOICE_MAX])
{
	const char *group = group_of(list, server);
	size_t num = 0;

	/* Other groups first; some servers give all their entries one group name. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < list->num && num < SWN_CHOICE_MAX; i++) {
			const struct swn_interface *entry = &list->entries[i];

			if (!is_usable(entry, server) || same_group(entry, group) != (pass == 1)) {
				continue;
			}
			out[num].addr = entry_addr(entry, server->family);
			snprintf(out[num].group, sizeof(out[num].group), "%s", entry->group_name);
			num++;
		}
	}
	return num;
}

size_t swn_known_addrs(const struct swn_interface_list *list, const struct ipaddr *server,
		       struct ipaddr out[SWN_CHOICE_MAX])
{
	size_t num = 0;

	for (size_t i = 0; i < list->num && num < SWN_CHOICE_MAX; i++) {
		struct ipaddr addr = entry_addr(&list->entries[i], server->family);

		if (addr.family != 0 && !entry_has(&list->entries[i], server)) {
			out[num++] = addr;
		}
	}
	return num;
}

static enum swn_consequence of_changes(const struct swn_notify *notify)
{
	const struct swn_resource_change *last;

	/* Names vary between servers, so a change is taken to mean the registered address. */
	if (notify->num_changes == 0) {
		return SWN_SERVER_SAME;
	}
	last = &notify->changes[notify->num_changes - 1];
	return last->state == SWN_RESOURCE_UNAVAILABLE ? SWN_SERVER_LOST : SWN_SERVER_BACK;
}

enum swn_consequence swn_consequence(const struct swn_notify *notify, struct ipaddr *server)
{
	if (notify->type == SWN_RESOURCE_CHANGE) {
		return of_changes(notify);
	}
	if (notify->type != SWN_CLIENT_MOVE && notify->type != SWN_SHARE_MOVE) {
		return SWN_SERVER_SAME;
	}
	for (size_t i = 0; i < notify->num_addrs; i++) {
		const struct swn_ipaddr *addr = &notify->addrs[i];

		/* Servers of version 1 say neither ONLINE nor OFFLINE. */
		if ((addr->flags & SWN_IPADDR_OFFLINE) == 0 && addr->ip.family != 0) {
			*server = addr->ip;
			return SWN_SERVER_MOVED;
		}
	}
	return SWN_SERVER_SAME;
}
