/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether this node's own packet filter lets clients in: the other nodes see that by the check ports. */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "witnessctl/fw.h"

#define SBIN "PATH=$PATH:/usr/sbin:/sbin; "

/* What the tools print; NULL where there is no such tool. */
struct filters {
	char *nft, *iptables, *ip6tables;
};

/* @return 0 (also when the tool is not there), or an errno */
static int read_tool(struct doctor *doctor, const char *tool, const char *args, char **text)
{
	char command[256];
	int err;

	snprintf(command, sizeof(command),
		 SBIN "command -v %s >/dev/null || exit 127; exec %s %s 2>/dev/null", tool, tool,
		 args);
	err = doctor_output_of(doctor, command, text);
	return err == ENOENT ? 0 : err;
}

/*
 * Whether iptables has to be asked about a table: it is iptables-legacy's, or has matches of iptables' modules,
 * which nft -j does not tell. For the rest nft is right: iptables misreads rules that it has not made.
 */
static bool is_of_iptables(void *private_data, const char *family, const char *table)
{
	const struct filters *filters = private_data;
	const char *text = strcmp(family, "ip") == 0    ? filters->iptables
			   : strcmp(family, "ip6") == 0 ? filters->ip6tables
							: NULL;
	char line[64];

	snprintf(line, sizeof(line), "\n*%s\n", table);
	return text != NULL && strstr(text, line) != NULL &&
	       (filters->nft == NULL || !fw_nft_tells_all(filters->nft, family, table));
}

static bool is_of_nft(void *private_data, const char *family, const char *table)
{
	return !is_of_iptables(private_data, family, table);
}

/* @return 0 or an errno */
static int load(struct filters *filters, const struct fw_packet *packet, struct fw_ruleset *rules)
{
	const struct fw_filter not_iptables = {is_of_iptables, filters};
	const struct fw_filter not_nft = {is_of_nft, filters};
	const char *iptables = packet->family == AF_INET6 ? filters->ip6tables : filters->iptables;
	int err = 0;

	if (filters->nft != NULL) {
		err = fw_nft_read(rules, filters->nft, packet, &not_iptables);
	}
	if (err == 0 && iptables != NULL) {
		err = fw_iptables_read(rules, iptables, packet, &not_nft);
	}
	return err;
}

static void check_port(struct doctor *doctor, struct filters *filters, int family, uint16_t port)
{
	const struct fw_packet packet = {.family = family, .port = port};
	struct fw_ruleset *rules = fw_new(doctor);
	int err = rules != NULL ? load(filters, &packet, rules) : ENOMEM;
	const char *why = NULL;
	char subject[32], remedy[128];

	snprintf(subject, sizeof(subject), "TCP %u, %s", port,
		 family == AF_INET6 ? "IPv6" : "IPv4");
	snprintf(remedy, sizeof(remedy),
		 "let clients in: nft add rule ... tcp dport %u accept, or firewall-cmd "
		 "--permanent --add-port=%u/tcp",
		 port, port);
	if (err != 0) {
		doctor_tell(doctor, DOCTOR_WARN, subject, "look at nft list ruleset yourself",
			    "the rules of the packet filter make no sense here: %s", strerror(err));
		talloc_free(rules);
		return;
	}
	switch (fw_judge(rules, &why)) {
	case FW_CLOSED:
		doctor_tell(doctor, DOCTOR_FAIL, subject, remedy, "clients are dropped: %s", why);
		break;
	case FW_PERHAPS:
		doctor_tell(
			doctor, DOCTOR_WARN, subject, remedy,
			"only some clients are let in (by their address, interface or rate): %s",
			why);
		break;
	case FW_OPEN:
		doctor_tell(doctor, DOCTOR_OK, subject, NULL, "the packet filter lets clients in");
		break;
	}
	talloc_free(rules);
}

/* Whether some interface has an IPv6 address, or may have one. */
static bool has_ipv6(const struct doctor *doctor)
{
	const json_t *entry;
	size_t i;

	if (doctor->interfaces == NULL) {
		return strchr(doctor_config(doctor, "rpc.listen"), ':') != NULL;
	}
	json_array_foreach(doctor->interfaces, i, entry)
	{
		const char *ip = json_string_value(json_object_get(entry, "ip"));

		if (ip != NULL && strchr(ip, ':') != NULL) {
			return true;
		}
	}
	return false;
}

void doctor_check_firewall(struct doctor *doctor)
{
	struct filters filters = {NULL, NULL, NULL};
	uint16_t port = doctor_witness_port(doctor);
	int err = read_tool(doctor, "nft", "-j list ruleset", &filters.nft);

	err = err == 0 ? read_tool(doctor, "iptables-save", "", &filters.iptables) : err;
	err = err == 0 ? read_tool(doctor, "ip6tables-save", "", &filters.ip6tables) : err;
	if (err != 0) {
		doctor_tell(doctor, DOCTOR_WARN, NULL, "run witnessctl doctor as root",
			    "the rules of the packet filter cannot be read");
		return;
	}
	for (int v6 = 0; v6 <= (has_ipv6(doctor) ? 1 : 0); v6++) {
		check_port(doctor, &filters, v6 != 0 ? AF_INET6 : AF_INET, doctor_epm_port(doctor));
		if (port != 0) {
			check_port(doctor, &filters, v6 != 0 ? AF_INET6 : AF_INET, port);
		}
	}
}
