/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One query for the interfaces of a cluster. */
#include "libswnclient/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/client_ops.h"
#include "witnessd/util/req.h"

struct swnc_interfaces_state {
	struct swn_client_params params;
	struct swnc_interfaces *list;
	char *why;
};

static void listed(struct tevent_req *subreq);

/* @return 0 with the query running, or an errno */
static int ask(struct tevent_req *req, struct tevent_context *ev, const struct swnc_config *config)
{
	struct swnc_interfaces_state *state = tevent_req_data(req, struct swnc_interfaces_state);
	struct tevent_req *subreq;
	int err = swn_config_params(state, config, &state->params);

	if (err == 0) {
		err = rpc_auth_create(state, ev, NULL, &state->params.auth);
	}
	if (err != 0) {
		return err;
	}
	/* The caller may free the configuration meanwhile. */
	err = swn_client_params_own(state, &state->params);
	if (err != 0) {
		return err;
	}
	subreq = swn_list_send(state, ev, &state->params, &state->params.server);
	if (subreq == NULL) {
		return ENOMEM;
	}
	tevent_req_set_callback(subreq, listed, req);
	return 0;
}

struct tevent_req *swnc_interfaces_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					const struct swnc_config *config)
{
	struct swnc_interfaces_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct swnc_interfaces_state);

	if (req == NULL) {
		return NULL;
	}
	if (tevent_req_error(req, (uint64_t)ask(req, ev, config))) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static enum swnc_state interface_state(uint16_t state)
{
	switch (state) {
	case SWN_INTERFACE_AVAILABLE:
		return SWNC_AVAILABLE;
	case SWN_INTERFACE_UNAVAILABLE:
		return SWNC_UNAVAILABLE;
	default:
		return SWNC_UNKNOWN;
	}
}

/* @return 0 or ENOMEM */
static int convert(TALLOC_CTX *mem_ctx, const struct swn_interface_list *list,
		   struct swnc_interfaces **out)
{
	struct swnc_interfaces *copy = talloc_zero(mem_ctx, struct swnc_interfaces);
	struct swnc_interface *entries = talloc_zero_array(copy, struct swnc_interface, list->num);

	if (entries == NULL) {
		talloc_free(copy);
		return ENOMEM;
	}
	for (size_t i = 0; i < list->num; i++) {
		const struct swn_interface *from = &list->entries[i];
		struct swnc_interface *to = &entries[i];

		to->group =
			from->group_name == NULL ? NULL : talloc_strdup(entries, from->group_name);
		to->ipv4 = swn_address_text(entries, &from->ipv4);
		to->ipv6 = swn_address_text(entries, &from->ipv6);
		to->state = interface_state(from->state);
		to->version = from->version == SWN_VERSION_1 ? 1 : 2;
		to->witness = from->witness ? 1 : 0;
		if ((to->group == NULL && from->group_name != NULL) ||
		    (to->ipv4 == NULL && from->ipv4.family != 0) ||
		    (to->ipv6 == NULL && from->ipv6.family != 0)) {
			talloc_free(copy);
			return ENOMEM;
		}
	}
	copy->entries = entries;
	copy->num = list->num;
	*out = copy;
	return 0;
}

static void listed(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct swnc_interfaces_state *state = tevent_req_data(req, struct swnc_interfaces_state);
	struct swn_interface_list *list = NULL;
	int err = swn_list_recv(subreq, state, &list, &state->why);

	TALLOC_FREE(subreq);
	if (err == 0) {
		err = convert(state, list, &state->list);
	}
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	tevent_req_done(req);
}

int swnc_interfaces_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct swnc_interfaces **out,
			 char **why)
{
	struct swnc_interfaces_state *state = tevent_req_data(req, struct swnc_interfaces_state);
	int err = req_errno(req);

	if (err == 0) {
		*out = talloc_move(mem_ctx, &state->list);
	} else if (why != NULL) {
		*why = talloc_move(mem_ctx, &state->why);
	}
	tevent_req_received(req);
	return err;
}

/* ---- without tevent ---- */

int swnc_get_interfaces(const struct swnc_config *config, struct swnc_interfaces **out, char **why)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct tevent_context *ev = tevent_context_init(tmp);
	struct tevent_req *req = ev != NULL ? swnc_interfaces_send(tmp, ev, config) : NULL;
	char *text = NULL;
	int err;

	if (req == NULL || !tevent_req_poll(req, ev)) {
		talloc_free(tmp);
		return ENOMEM;
	}
	err = swnc_interfaces_recv(req, NULL, out, &text);
	if (err != 0 && why != NULL) {
		*why = text != NULL ? strdup(text) : NULL;
	}
	talloc_free(text);
	talloc_free(tmp);
	return err;
}

void swnc_interfaces_free(struct swnc_interfaces *list)
{
	talloc_free(list);
}
