/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packet filter does to a client that connects: rules of nft or iptables, judged for one packet. Not
 * a simulation: what cannot be known here (source address, interface, rate) is a "maybe".
 */
#ifndef WITNESSCTL_FW_H
#define WITNESSCTL_FW_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/hash.h"

/* The first packet of a TCP connection, from some host on the network. */
struct fw_packet {
	int family; /* AF_INET or AF_INET6 */
	uint16_t port;
};

enum fw_match { FW_NO, FW_MAYBE, FW_YES };

static inline enum fw_match fw_match_if(bool truth)
{
	return truth ? FW_YES : FW_NO;
}

static inline enum fw_match fw_match_not(enum fw_match match)
{
	return match == FW_YES ? FW_NO : match == FW_NO ? FW_YES : FW_MAYBE;
}

enum fw_action { FW_NEXT, FW_ACCEPT, FW_DROP, FW_RETURN, FW_JUMP, FW_GOTO };

/* Already held against the packet. */
struct fw_rule {
	enum fw_match match;
	bool about_port; /* it asks for the packet's port */
	enum fw_action action;
	const char *target; /* FW_JUMP, FW_GOTO: a chain of the same table */
	const char *text;   /* how an administrator finds it */
};

/* What comes of a packet in a chain. */
struct fw_outcome {
	enum fw_action action;    /* FW_NEXT: it has come to the end */
	bool perhaps_accepted;    /* by a rule that may match */
	const char *perhaps_drop; /* a rule about the port that may match */
	const char *drop;         /* FW_DROP: the rule */
};

struct fw_chain {
	UT_hash_handle hh;
	const char *key; /* table, newline, name */
	const char *table, *name;
	bool base; /* packets begin here */
	bool policy_drop;
	struct fw_rule *rules;
	size_t num_rules;
	enum { FW_NOT_WALKED, FW_WALKING, FW_WALKED } walk; /* fw_judge()'s */
	struct fw_outcome outcome;
};

struct fw_ruleset {
	struct fw_chain
		*chains; /* a hash, in order of their making: hosts of containers have thousands */
};

/** An empty one. @return NULL when memory is short */
struct fw_ruleset *fw_new(TALLOC_CTX *mem_ctx);
/** The chain of that name, made when it is not there. @return NULL when memory is short */
struct fw_chain *fw_chain(struct fw_ruleset *rules, const char *table, const char *name);
/** Append a rule; its strings become children of the ruleset. @return 0 or ENOMEM */
int fw_add(struct fw_ruleset *rules, struct fw_chain *chain, const struct fw_rule *rule);

/* Which tables are left out; fn NULL: none. family is "ip", "ip6", "inet" ... */
struct fw_filter {
	bool (*fn)(void *private_data, const char *family, const char *table);
	void *private_data;
};

/** Read what nft -j list ruleset prints. @return 0, EBADMSG or ENOMEM */
int fw_nft_read(struct fw_ruleset *rules, const char *json, const struct fw_packet *packet,
		const struct fw_filter *leave_out);

/**
 * Whether that has the table and tells all of its rules: what modules of iptables match is not told, and
 * tables of iptables-legacy are not there.
 */
bool fw_nft_tells_all(const char *json, const char *family, const char *table);

/** Read what iptables-save or ip6tables-save prints. @return 0 or ENOMEM */
int fw_iptables_read(struct fw_ruleset *rules, const char *text, const struct fw_packet *packet,
		     const struct fw_filter *leave_out);

enum fw_verdict {
	FW_OPEN,
	FW_PERHAPS, /* for some clients only: depends on what is not known */
	FW_CLOSED,
};

/** @param why the rule that decides against the packet, owned by rules; untouched for FW_OPEN */
enum fw_verdict fw_judge(struct fw_ruleset *rules, const char **why);

#endif
