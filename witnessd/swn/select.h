/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Choosing registrations by the patterns of witnessctl's commands: among our own and the copies of all other
 * witnessds.
 */
#ifndef WITNESSD_SWN_SELECT_H
#define WITNESSD_SWN_SELECT_H

#include <jansson.h>

#include "witnessd/swn/registry.h"
#include "witnessd/swn/service.h"

/* Shell patterns, see fnmatch(3); case matters in addresses only. NULL: any. All of them must match. */
struct swn_select {
	const char *registration;
	const char *net_name;
	const char *share_name; /* registrations without a share do not match */
	const char *ip_address; /* registered; in canonical text unless it is a pattern */
	const char *client_computer_name;
	const char *node;    /* the one that has the address now */
	const char *witness; /* the node whose witnessd has the registration */
	bool all;            /* all are meant, explicitly */
	bool local;          /* only those of this witness */
	bool rest;           /* show those, too, that do not match, as such; never parsed */
};

/* One that was found; everything is borrowed for the call. */
struct swn_found {
	struct swn_reg *reg; /* .service is set; not in a registry unless own */
	const char *witness; /* its node; NULL: not known yet */
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

/** Whether nothing is selected, not even all: for commands that require a selection. */
bool swn_select_is_empty(const struct swn_select *select);

/** Whether it has patterns, so that there may be some whom it does not mean. */
bool swn_select_has_patterns(const struct swn_select *select);

/**
 * Check that nodes and addresses that are given literally, not as patterns, belong to the cluster.
 * @return 0; ENODEV (no such node) or ENXIO (nobody's address) with *why a sentence
 */
int swn_select_check(TALLOC_CTX *mem_ctx, const struct swn_select *select,
		     const struct swn_service *service, char **why);

/** Whether a registration matches all of it. */
bool swn_select_matches(const struct swn_select *select, const struct swn_found *found);

/**
 * Call fn for each that matches, and with .rest for the others: ours, oldest first, then the others'. fn must not end
 * registrations.
 */
void swn_select_foreach(const struct swn_service *service, const struct swn_select *select,
			void (*fn)(void *private_data, const struct swn_found *found),
			void *private_data);

/**
 * The same in pieces, for many registrations. The list of handles is taken now; each is looked up when it is
 * its turn. Registrations that were added meanwhile, or that have ended, are left out. The service is borrowed;
 * strings of select are copied. @return 0 or ENOMEM
 */
struct swn_walk;
int swn_walk_create(TALLOC_CTX *mem_ctx, const struct swn_service *service,
		    const struct swn_select *select, struct swn_walk **out);

/** Look at the next max, and call fn for those that match. @return whether there are more to look at */
bool swn_walk_next(struct swn_walk *walk, size_t max,
		   void (*fn)(void *private_data, const struct swn_found *found),
		   void *private_data);

#endif
