/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a client that stood here would reach the witness at each address of the list. */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <qb/qblist.h>
#include <string.h>

#include "witnessd/rpc/client.h"

#define STEP_TIMEOUT_MS 5000
#define AT_A_TIME       32

struct sweep {
	struct doctor *doctor;
	struct qb_list_head visits; /* in the order of the interfaces */
	size_t next;                /* interface */
	size_t running;
};

/* One address: endpoint mapper, then a bind to the port that it names. */
struct visit {
	struct qb_list_head link;
	struct sweep *sweep;
	struct ipaddr addr;
	char text[IPADDR_STRLEN];
	const char *node;
	uint16_t port;    /* that was asked last */
	const char *step; /* that failed; NULL: none */
	int err;
};

static void start_some(struct sweep *sweep);
static void mapped(struct tevent_req *subreq);
static void bound(struct tevent_req *subreq);

static void leave(struct visit *visit, const char *step, int err)
{
	visit->step = err != 0 ? step : NULL;
	visit->err = err;
	visit->sweep->running--;
	start_some(visit->sweep);
}

static const char *remedy_for(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return "start witnessd there; rpc.listen must include the address, and port 135 "
		       "must "
		       "not be taken by another endpoint mapper (rpc start on demand helpers = no)";
	case EPROTONOSUPPORT:
		return "another endpoint mapper has the port there: stop it (samba-dcerpcd takes "
		       "it "
		       "with rpc start on demand helpers = no), or register witnessd with it";
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "open the ports in the firewalls between and on that node, and see that the "
		       "address is where the cluster says";
	default:
		return "see the log of witnessd on that node";
	}
}

static void tell(struct doctor *doctor, const struct visit *visit)
{
	if (visit->step == NULL) {
		doctor_tell(doctor, DOCTOR_OK, visit->text, NULL,
			    "ports %u and %u on node %s can be reached", doctor_epm_port(doctor),
			    visit->port, visit->node);
		return;
	}
	doctor_tell(doctor, DOCTOR_FAIL, visit->text, remedy_for(visit->err),
		    "%s, port %u on node %s: %s", visit->step, visit->port, visit->node,
		    visit->err == EPROTONOSUPPORT ? "no witness service is registered"
						  : strerror(visit->err));
}

static void visit_address(struct sweep *sweep, const struct ipaddr *addr, const char *node)
{
	const struct rpc_syntax iface = RPC_SYNTAX_WITNESS;
	struct visit *visit = talloc_zero(sweep->doctor, struct visit);
	struct tevent_req *subreq;

	if (visit == NULL) {
		return;
	}
	visit->sweep = sweep;
	visit->addr = *addr;
	visit->node = node != NULL ? node : "?";
	visit->port = doctor_epm_port(sweep->doctor);
	ipaddr_format(addr, visit->text);
	qb_list_add_tail(&visit->link, &sweep->visits);
	sweep->running++;
	subreq = rpc_epm_map_send(visit, sweep->doctor->ev, addr, visit->port, &iface,
				  STEP_TIMEOUT_MS);
	if (subreq == NULL) {
		leave(visit, "endpoint mapper", ENOMEM);
		return;
	}
	tevent_req_set_callback(subreq, mapped, visit);
}

static void mapped(struct tevent_req *subreq)
{
	struct visit *visit = tevent_req_callback_data(subreq, struct visit);
	struct doctor *doctor = visit->sweep->doctor;
	struct rpc_client_params params = {.addr = visit->addr,
					   .iface = RPC_SYNTAX_WITNESS,
					   .auth_type = RPC_AUTH_NONE,
					   .auth_level = RPC_LEVEL_NONE,
					   .timeout_ms = STEP_TIMEOUT_MS};
	int err = rpc_epm_map_recv(subreq, &visit->port);

	TALLOC_FREE(subreq);
	if (err != 0) {
		leave(visit, "endpoint mapper", err);
		return;
	}
	params.port = visit->port;
	subreq = rpc_client_connect_send(visit, doctor->ev, &params);
	if (subreq == NULL) {
		leave(visit, "witness interface", ENOMEM);
		return;
	}
	tevent_req_set_callback(subreq, bound, visit);
}

static void bound(struct tevent_req *subreq)
{
	struct visit *visit = tevent_req_callback_data(subreq, struct visit);
	struct rpc_client *client = NULL;
	int err = rpc_client_connect_recv(subreq, visit, &client, NULL);

	TALLOC_FREE(subreq);
	talloc_free(client);
	leave(visit, "witness interface", err);
}

static void start_some(struct sweep *sweep)
{
	const json_t *list = sweep->doctor->interfaces;

	while (sweep->running < AT_A_TIME && sweep->next < json_array_size(list)) {
		const json_t *entry = json_array_get(list, sweep->next++);
		const char *ip = json_string_value(json_object_get(entry, "ip"));
		const char *state = json_string_value(json_object_get(entry, "state"));
		struct ipaddr addr;

		/* At one that is down nobody answers, and clients do not try. */
		if (ip != NULL && state != NULL && strcmp(state, "available") == 0 &&
		    ipaddr_parse(ip, &addr) == 0) {
			visit_address(sweep, &addr,
				      json_string_value(json_object_get(entry, "group")));
		}
	}
}

void doctor_check_ports(struct doctor *doctor)
{
	struct sweep sweep = {.doctor = doctor};
	struct visit *visit, *next;

	qb_list_init(&sweep.visits);
	start_some(&sweep);
	while (sweep.running > 0 && tevent_loop_once(doctor->ev) == 0) {
	}
	if (qb_list_empty(&sweep.visits)) {
		doctor_tell(doctor, DOCTOR_WARN, NULL, "see the check nodes",
			    "no interface is available, so none was tried");
	}
	qb_list_for_each_entry_safe (visit, next, &sweep.visits, link) {
		tell(doctor, visit);
		talloc_free(visit);
	}
}
