/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `witnessctl static ...` does to a map in memory. */
#ifndef BACKENDS_STATIC_EDIT_H
#define BACKENDS_STATIC_EDIT_H

#include "backends/backend.h"
#include "witnessd/cluster/state.h"

#define STATIC_USAGE                                                                               \
	"expected show, node NAME online|offline|drain|undrain, address IP move NODE|down|up, "    \
	"quorum yes|no, move GROUP NODE, or intent GROUP|IP [NODE]"

/**
 * Carry out node, address, quorum or move. New strings are children of the map.
 * @param argv the words after "static"
 * @param why  a sentence, a child of mem_ctx
 * @return 0; EINVAL (not such a command, or not possible); ENODEV (no such node); ENXIO (no such address);
 *         ENOENT (no such group); or ENOMEM. The map may be partly changed then: discard it.
 */
int static_edit(TALLOC_CTX *mem_ctx, struct cluster_state *map, const char *const *argv,
		size_t argc, char **why);

/**
 * Parse intent GROUP|IP [NODE].
 * @param out strings are borrowed from map and argv
 * @return as static_edit()
 */
int static_intent(TALLOC_CTX *mem_ctx, const struct cluster_state *map, const char *const *argv,
		  size_t argc, struct backend_intent *out, char **why);

#endif
