/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a configuration ties together: groups, clones, mandatory colocation and order. Tells what else is affected
 * when a resource has to leave a node, or is stopped. Only what must happen, not what the scheduler
 * may choose: scores short of infinity are ignored.
 */
#ifndef BACKENDS_PACEMAKER_RELATIONS_H
#define BACKENDS_PACEMAKER_RELATIONS_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#define RELATIONS_NONE ((size_t)-1)

struct relations;

/**
 * Read a CIB. References to missing elements are ignored; of a duplicate id the first counts.
 * @param cib the element <cib>; borrowed, outlives the relations
 * @return 0 or ENOMEM
 */
int relations_load(TALLOC_CTX *mem_ctx, const xmlNode *cib, struct relations **out);

/** Resources have numbers from 0 up, in the order of the configuration. */
size_t relations_num(const struct relations *relations);

/** By id, also as the history names an instance ("vip:1"). @return RELATIONS_NONE for unknown ones */
size_t relations_find(const struct relations *relations, const char *id);

/** Its <primitive>, <group>, <clone>, <master> or <bundle>. */
const xmlNode *relations_element(const struct relations *relations, size_t rsc);

/** The resource that directly contains it; RELATIONS_NONE: none. */
size_t relations_parent(const struct relations *relations, size_t rsc);

/** Whether it is a group, clone or bundle with something in it. */
bool relations_has_parts(const struct relations *relations, size_t rsc);

/** Whether it is, or is part of, something that can be on several nodes at once. */
bool relations_cloned(const struct relations *relations, size_t rsc);

/** The outermost resource that contains it, or itself. */
size_t relations_top(const struct relations *relations, size_t rsc);

/**
 * Which resources always run on the same node: those of a group, and those tied by mandatory colocation, also to
 * the promoted role of a clone with only one. Parts of clones are not tied by colocation.
 * @param sets for each resource the number of its set; a child of mem_ctx
 * @return 0 or ENOMEM
 */
int relations_sets(TALLOC_CTX *mem_ctx, const struct relations *relations, size_t **sets);

/** An empty set of affected resources; talloc_free() it. @return NULL when memory is short */
struct affected *affected_new(TALLOC_CTX *mem_ctx, const struct relations *relations);

/**
 * A resource leaves the node that it is on. With it go its whole group, what is colocated with it, and what it
 * is colocated with unless that is a clone.
 * @param promoted only its promoted role leaves
 */
void affected_leave(struct affected *affected, size_t rsc, bool promoted);

/**
 * A resource is stopped. With it stop what follows it in its group, what is colocated with it, and what is
 * ordered after it.
 * @param promoted it is only demoted
 */
void affected_stop(struct affected *affected, size_t rsc, bool promoted);

/** Whether the whole resource is affected. */
bool affected_has(const struct affected *affected, size_t rsc);

#endif
