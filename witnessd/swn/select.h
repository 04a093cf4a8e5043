/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registrations chosen by patterns, as witnessctl's commands take them: evaluated against our own and all
 * that the other witnessd's tell of theirs.
 */
#ifndef WITNESSD_SWN_SELECT_H
#define WITNESSD_SWN_SELECT_H

#include <jansson.h>

#include "witnessd/swn/registry.h"
#include "witnessd/swn/service.h"

/* Shell patterns, see fnmatch(3); without case but for addresses. NULL: any. All of them must match. */
struct swn_select {
	const char *registration;
	const char *net_name;
	const char *share_name; /* what has no share does not match */
	const char *ip_address; /* registered; in canonical text unless it is a pattern */
	const char *client_computer_name;
	const char *node;    /* that has the address now */
	const char *witness; /* node whose witnessd has the registration */
	bool all;            /* said that all are meant */
	bool local;          /* only those of this witness */
	bool rest;           /* show those, too, that do not match, as such; never parsed */
};

/* One that was found; everything is borrowed for the call. */
struct swn_found {
	struct swn_reg *reg; /* .service is set; not in a registry unless own */
	const char *witness; /* NULL: no name is known yet */
	const char *node;    /* NULL: nobody has its address */
	bool own, waiting, orphan;
	bool rest; /* it does not match, see struct swn_select */
};

/**
 * Read {"registration", "net_name", "share_name", "ip_address", "client_computer_name", "node", "witness":
 * text, "all", "local": bool}; json NULL is an empty one.
 * @param out strings are children of mem_ctx
 * @return 0, ENOMEM, or EINVAL with *why a sentence
 */
int swn_select_parse(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_select *out, char **why);

/** Whether it says nothing: for commands that want to be told that all are meant. */
bool swn_select_is_empty(const struct swn_select *select);

/** Whether it has patterns, so that there may be some whom it does not mean. */
bool swn_select_has_patterns(const struct swn_select *select);

/**
 * Whether nodes and addresses that are named, not matched by patterns, are the cluster's.
 * @return 0; ENODEV (no such node) or ENXIO (nobody's address) with *why a sentence
 */
int swn_select_check(TALLOC_CTX *mem_ctx, const struct swn_select *select,
		     const struct swn_service *service, char **why);

bool swn_select_matches(const struct swn_select *select, const struct swn_found *found);

/** fn for each that matches, and with .rest for the others: ours, oldest first, and then the others'. It must not end registrations. */
void swn_select_foreach(const struct swn_service *service, const struct swn_select *select,
			void (*fn)(void *private_data, const struct swn_found *found),
			void *private_data);

/**
 * The same piece by piece, for many registrations: what there is is noted at once, and looked at, as it is by
 * then, whenever the next ones are asked for. What has come meanwhile is left out, and what has gone. The
 * service is borrowed; strings of select are copied. @return 0 or ENOMEM
 */
struct swn_walk;
int swn_walk_create(TALLOC_CTX *mem_ctx, const struct swn_service *service,
		    const struct swn_select *select, struct swn_walk **out);

/** fn for each of the next max that matches. @return whether there are more to be looked at */
bool swn_walk_next(struct swn_walk *walk, size_t max,
		   void (*fn)(void *private_data, const struct swn_found *found),
		   void *private_data);

#endif
