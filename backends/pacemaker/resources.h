/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses in a CIB's configuration: which resource owns which, what moves together. Read from the XML,
 * because the scheduler library gives parameters only of resources that run somewhere, and an address that is
 * nowhere has to be known, too.
 */
#ifndef BACKENDS_PACEMAKER_RESOURCES_H
#define BACKENDS_PACEMAKER_RESOURCES_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <talloc.h>

#include "backends/pacemaker/agents.h"
#include "witnessd/util/hash.h"

/* A primitive that owns an address, or an instance of a clone whose instances own one each. */
struct address_rsc {
	const char *id; /* as in the operation history: "vip", "vip:1", "httpd-ip-192.0.2.7" */
	const char
		*group; /* id of the outermost group, clone or bundle with it in it, else its own */
	const struct address_agent *agent;
	size_t index;              /* 0 and up, in the order of the configuration */
	unsigned int instance;     /* to be added to the address; 0 but in unique clones */
	bool shared;               /* a cluster IP: the same address on several nodes at once */
	struct ipaddr *configured; /* every address it can have: several where rules choose one */
	size_t num_configured;
	UT_hash_handle hh;
};

struct address_rscs {
	struct address_rsc *by_id; /* uthash, in the order of the configuration */
	size_t num;
};

/**
 * Read a CIB. Primitives whose address cannot be parsed are left out.
 * @param cib the element <cib>; borrowed for the call
 * @return 0 or ENOMEM
 */
int address_rscs_load(TALLOC_CTX *mem_ctx, const xmlNode *cib, struct address_rscs **out);

/**
 * The entry of a resource, by the name that the scheduler library or the history uses. Instances of anonymous
 * clones ("vip:0") give the primitive's. @return NULL when it owns no address
 */
struct address_rsc *address_rscs_find(const struct address_rscs *rscs, const char *id);

/** Whether a primitive is of this agent of any OCF provider, itself or by its template. */
bool resource_is_ocf(const xmlNode *cib, const xmlNode *primitive, const char *type);

/**
 * A parameter of a primitive, its own or its template's. Values that depend on a rule count only if there is no
 * other, and of these the first.
 * @return NULL when there is none, or no memory
 */
const char *resource_param(const xmlNode *cib, const xmlNode *primitive, const char *name);

/**
 * A meta attribute of this element itself, by reference or not; sets with a rule are ignored.
 * @return NULL when there is none
 */
const char *resource_meta(const xmlNode *cib, const xmlNode *rsc, const char *name);

#endif
