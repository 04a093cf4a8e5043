/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a configuration ties together: groups, clones, mandatory colocation and order. Answers what goes
 * along when a resource has to leave a node, or is stopped. It knows what must happen, not what the
 * scheduler will choose: scores short of infinity are passed over.
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
 * Read a CIB. References to what is not there are passed over, of an id that is there twice the first counts.
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

/** What it is directly in; RELATIONS_NONE: nothing. */
size_t relations_parent(const struct relations *relations, size_t rsc);

/** Whether it is a group, clone or bundle with something in it. */
bool relations_has_parts(const struct relations *relations, size_t rsc);

/** Whether it is, or is part of, something that can be on several nodes at once. */
bool relations_cloned(const struct relations *relations, size_t rsc);

/** The top-most element around it, or itself. */
size_t relations_top(const struct relations *relations, size_t rsc);

/**
 * Which resources are on one node whenever they run: those of a group, and what mandatory colocation ties,
 * also by the promoted role of a clone that has only one. Parts of clones are not tied to anything by it.
 * @param sets for each resource a number that only those tied to it have, too; a child of mem_ctx
 * @return 0 or ENOMEM
 */
int relations_sets(TALLOC_CTX *mem_ctx, const struct relations *relations, size_t **sets);

/** A set of resources with what happens to them; talloc_free() it. @return NULL when memory is short */
struct affected *affected_new(TALLOC_CTX *mem_ctx, const struct relations *relations);

/**
 * A resource leaves the node that it is on. Its whole group leaves, what is colocated with it, and what it is
 * colocated with unless that is a clone.
 * @param promoted only its promoted role leaves
 */
void affected_leave(struct affected *affected, size_t rsc, bool promoted);

/**
 * A resource is stopped. What comes after it in its group stops, what is colocated with it, and what is
 * ordered after it.
 * @param promoted it is only demoted
 */
void affected_stop(struct affected *affected, size_t rsc, bool promoted);

/** Whether the whole resource is affected. */
bool affected_has(const struct affected *affected, size_t rsc);

#endif
