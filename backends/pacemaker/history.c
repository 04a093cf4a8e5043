/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/history.h"

#include <string.h>

#include "backends/pacemaker/xml.h"

#define PENDING_CALL -1 /* call-id of an operation that has no result yet */

/* op-status */
#define STATUS_PENDING   -1
#define STATUS_DONE      0
#define STATUS_CANCELLED 1

/* OCF return codes */
#define RC_OK                0
#define RC_NOT_INSTALLED     5
#define RC_NOT_RUNNING       7
#define RC_PROMOTED          8
#define RC_DEGRADED          190
#define RC_DEGRADED_PROMOTED 191

struct op {
	const char *task;
	int64_t call_id, status, rc, interval_ms, changed;
};

static enum history_fact after_start(const struct op *op)
{
	return op->status == STATUS_DONE && op->rc == RC_OK ? HISTORY_RUNNING : HISTORY_FAILED;
}

static enum history_fact after_stop(const struct op *op)
{
	return op->status == STATUS_DONE && op->rc == RC_OK ? HISTORY_STOPPED : HISTORY_DOUBTFUL;
}

/* A change of role: if that failed the resource is still active. */
static enum history_fact after_role(const struct op *op)
{
	return op->status == STATUS_DONE && op->rc == RC_OK ? HISTORY_RUNNING : HISTORY_DOUBTFUL;
}

static enum history_fact after_monitor(const struct op *op)
{
	switch (op->rc) {
	case RC_OK:
	case RC_PROMOTED:
	case RC_DEGRADED:
	case RC_DEGRADED_PROMOTED:
		return HISTORY_RUNNING;
	case RC_NOT_RUNNING:
		return HISTORY_STOPPED;
	case RC_NOT_INSTALLED: /* as the answer to a probe: cannot be there */
		return op->interval_ms == 0 ? HISTORY_STOPPED : HISTORY_DOUBTFUL;
	default:
		return HISTORY_DOUBTFUL;
	}
}

/* Live migration has left this node; the stop that completes it is still to come. */
static enum history_fact after_migrate_to(const struct op *op)
{
	return HISTORY_DOUBTFUL;
}

/* Operations that affect where a resource is; the others (notify, meta-data, reload) are ignored. */
static const struct {
	const char *task;
	enum history_fact (*after)(const struct op *op);
} tasks[] = {
	{"start", after_start},        {"stop", after_stop},   {"monitor", after_monitor},
	{"promote", after_role},       {"demote", after_role}, {"migrate_to", after_migrate_to},
	{"migrate_from", after_start},
};

static enum history_fact fact_after(const struct op *op)
{
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		if (strcmp(op->task, tasks[i].task) == 0) {
			return tasks[i].after(op);
		}
	}
	return HISTORY_NONE;
}

static bool op_read(const xmlNode *node, struct op *op)
{
	*op = (struct op){.task = xml_attr(node, "operation")};
	if (op->task == NULL || !xml_attr_int(node, "call-id", &op->call_id) ||
	    !xml_attr_int(node, "op-status", &op->status) ||
	    !xml_attr_int(node, "rc-code", &op->rc)) {
		return false;
	}
	xml_attr_int(node, "interval", &op->interval_ms);
	xml_attr_int(node, "last-rc-change", &op->changed);
	return true;
}

static bool op_pending(const struct op *op)
{
	return op->call_id == PENDING_CALL || op->status == STATUS_PENDING;
}

static bool op_starts(const struct op *op)
{
	return strcmp(op->task, "start") == 0 || strcmp(op->task, "migrate_from") == 0;
}

static enum history_fact with_pending(enum history_fact fact, const struct op *op)
{
	if (op_starts(op)) {
		return HISTORY_STARTING;
	}
	if (strcmp(op->task, "stop") == 0) {
		return fact == HISTORY_RUNNING ? HISTORY_STOPPING : fact;
	}
	if (strcmp(op->task, "monitor") == 0 && op->interval_ms == 0) {
		return fact == HISTORY_NONE ? HISTORY_PROBING : fact;
	}
	return fact;
}

struct history history_read(const xmlNode *lrm_resource)
{
	struct history history = {.fact = HISTORY_NONE};
	struct op op, pending = {0};
	int64_t newest = PENDING_CALL, newest_start = PENDING_CALL;

	xml_for_each(node, lrm_resource, "lrm_rsc_op")
	{
		enum history_fact fact;

		if (!op_read(node, &op) || op.status == STATUS_CANCELLED) {
			continue;
		}
		if (op_pending(&op)) {
			pending = op;
			continue;
		}
		fact = fact_after(&op);
		if (fact != HISTORY_NONE && op.call_id > newest) {
			newest = op.call_id;
			history.fact = fact;
		}
		if (fact == HISTORY_RUNNING && op_starts(&op) && op.call_id > newest_start) {
			newest_start = op.call_id;
			history.started = op.changed;
		}
	}
	if (pending.task != NULL) {
		history.fact = with_pending(history.fact, &pending);
	}
	return history;
}
