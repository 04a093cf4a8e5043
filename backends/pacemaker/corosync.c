/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/corosync.h"

#include <corosync/cmap.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCAL_ID_KEY "runtime.votequorum.this_node_id"
#define MAX_NODES    1024U /* a corosync.conf with more would not start */

const char *corosync_error(cs_error_t rc)
{
	switch (rc) {
	case CS_ERR_ACCESS:
		return "access denied";
	case CS_ERR_TRY_AGAIN:
		return "not ready";
	case CS_ERR_LIBRARY:
		return "no connection";
	case CS_ERR_TIMEOUT:
		return "no answer";
	default:
		return "failed";
	}
}

uint32_t corosync_local_id(void)
{
	cmap_handle_t cmap;
	uint32_t id = 0;

	if (cmap_initialize(&cmap) != CS_OK) {
		return 0;
	}
	if (cmap_get_uint32(cmap, LOCAL_ID_KEY, &id) != CS_OK) {
		id = 0;
	}
	cmap_finalize(cmap);
	return id;
}

/* Where in the nodelist a node is; MAX_NODES when it is not there. */
static unsigned int position_of(cmap_handle_t cmap, uint32_t id)
{
	for (unsigned int pos = 0; pos < MAX_NODES; pos++) {
		char key[64];
		uint32_t found;

		snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", pos);
		if (cmap_get_uint32(cmap, key, &found) != CS_OK) {
			break;
		}
		if (found == id) {
			return pos;
		}
	}
	return MAX_NODES;
}

char *corosync_node_name(TALLOC_CTX *mem_ctx, uint32_t id)
{
	char key[64], *text = NULL, *name = NULL;
	cmap_handle_t cmap;
	unsigned int pos;

	if (cmap_initialize(&cmap) != CS_OK) {
		return NULL;
	}
	pos = position_of(cmap, id);
	if (pos < MAX_NODES) {
		snprintf(key, sizeof(key), "nodelist.node.%u.name", pos);
		if (cmap_get_string(cmap, key, &text) == CS_OK && text != NULL && text[0] != '\0') {
			name = talloc_strdup(mem_ctx, text);
		}
		free(text);
	}
	cmap_finalize(cmap);
	return name;
}
