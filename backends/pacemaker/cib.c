/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/cib.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "witnessd/util/backoff.h"
#include "backends/pacemaker/pcmk.h"
#include "backends/pacemaker/probe.h"
#include "backends/pacemaker/xml.h"
#include "witnessd/util/log.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"

#define CIB_CLIENT_NAME     "witnessd"
#define CIB_SERVICE         "cib_ro"          /* where cib_query signs on */
#define CIB_NOTIFICATION    "cib_diff_notify" /* a literal: libcib keeps the pointer */
#define CIB_QUERY_TIMEOUT_S 30

/*
 * The manager keeps 500 notifications for a client that does not read, and then drops the client. If the CIB
 * is so big that evaluating it takes long, a multiple of that time passes before the next query, in which
 * notifications are read and the rest of the daemon gets its turn.
 */
#define CIB_CHEAP_US    5000
#define CIB_PAUSE_TIMES 4
#define CIB_PAUSE_MAX_S 1

struct cib_link {
	struct tevent_context *ev;
	struct glib_bridge *bridge;
	const struct cib_link_handlers *handlers;
	cib_t *cib; /* signed on; NULL while disconnected */
	struct mono_alarm *retry;
	struct mono_alarm *pause; /* set = no query before it is over */
	struct tevent_immediate *teardown;
	const char *lost_reason; /* a constant; set = the teardown is on its way */
	struct backoff backoff;
	bool complained; /* the manager's absence has been logged */
	bool refused;    /* it does not show the CIB, which has been logged */
	int query;       /* call id of the query under way; 0 = none */
	bool again;      /* something has changed since that query was sent */
	uint64_t asked_us;
	struct cib_link_stats stats;
};

/* libcib's notification callbacks carry no pointer of ours: this is it. */
static struct cib_link *the_link;

static void cib_ask(struct cib_link *link);

static const char *cib_error(int rc)
{
	/* Legacy codes: negative errno, or Pacemaker's own below -200. */
	return rc < 0 && rc > -200 ? strerror(-rc) : "an error of Pacemaker's own";
}

static void cib_disconnect(struct cib_link *link)
{
	cib_t *cib = link->cib;

	link->cib = NULL;
	mono_alarm_clear(link->pause);
	link->query = 0;
	link->again = false;
	link->stats.connected = false;
	if (cib != NULL) {
		glib_bridge_touch(link->bridge);
		cib_delete(cib); /* signs off; a pending query's callback is forgotten */
	}
}

static void cib_retry_later(struct cib_link *link)
{
	mono_alarm_set(link->retry, backoff_next(&link->backoff));
}

static void cib_teardown(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct cib_link *link = talloc_get_type_abort(private_data, struct cib_link);
	const char *reason = link->lost_reason;

	link->lost_reason = NULL;
	cib_disconnect(link);
	if (!link->refused) {
		log_warn("lost the connection to Pacemaker: %s; trying again", reason);
	}
	link->complained = true;
	cib_retry_later(link);
	link->handlers->lost(link->handlers->private_data, reason);
}

/* libcib must not be freed from inside its own callbacks: note the loss and act from the loop. */
static void cib_lose(struct cib_link *link, const char *reason)
{
	if (link->lost_reason != NULL) {
		return;
	}
	link->lost_reason = reason;
	tevent_schedule_immediate(link->teardown, link->ev, cib_teardown, link);
}

static void cib_dropped(gpointer user_data)
{
	if (the_link != NULL && the_link->cib != NULL) { /* NULL during one's own sign-off */
		cib_lose(the_link, "the CIB manager closed the connection");
	}
}

static void cib_pause_over(void *private_data)
{
	struct cib_link *link = talloc_get_type_abort(private_data, struct cib_link);

	if (link->again) {
		cib_ask(link);
	}
}

/* CPU time, so that a busy machine does not look like expensive work. */
static int64_t cpu_us(void)
{
	struct timespec used = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* Pass the document on, and pause if that was expensive. */
static void cib_deliver(struct cib_link *link, const xmlNode *cib)
{
	int64_t us = cpu_us();

	link->handlers->document(link->handlers->private_data, cib);
	us = cpu_us() - us;
	if (us < CIB_CHEAP_US) {
		return;
	}
	us *= CIB_PAUSE_TIMES;
	if (us > CIB_PAUSE_MAX_S * 1000000) {
		us = CIB_PAUSE_MAX_S * 1000000;
	}
	mono_alarm_set(link->pause, (uint64_t)us / 1000);
}

/* It will go on refusing until its configuration changes: log it once. */
static void cib_refused(struct cib_link *link, int rc)
{
	if (!link->refused) {
		log_warn("Pacemaker refused to show the CIB: %s%s; trying again", cib_error(rc),
			 rc == -EACCES ? " (with ACLs the user of witnessd needs a role that may "
					 "read it: docs/security.md)"
				       : "");
	}
	link->refused = true;
	cib_lose(link, "the CIB could not be read");
}

static void cib_answered(xmlNode *msg, int call_id, int rc, xmlNode *output, void *user_data)
{
	struct cib_link *link = the_link;

	if (link == NULL || call_id != link->query) {
		return; /* an answer for a connection that is gone */
	}
	link->query = 0;
	if (rc != 0 || output == NULL) {
		cib_refused(link, rc);
		return;
	}
	link->refused = false;
	backoff_reset(&link->backoff);
	link->stats.last_query_us = (int64_t)(clock_us() - link->asked_us);
	link->stats.last_answer = (int64_t)time(NULL);
	cib_deliver(link, output);
	if (link->again) {
		cib_ask(link);
	}
}

static void cib_ask(struct cib_link *link)
{
	int rc;

	if (link->cib == NULL || link->lost_reason != NULL) {
		return;
	}
	if (link->query != 0 || mono_alarm_is_set(link->pause)) {
		link->again = true;
		return;
	}
	link->again = false;
	link->asked_us = clock_us();
	glib_bridge_touch(link->bridge);
	rc = link->cib->cmds->query(link->cib, NULL, NULL, cib_none);
	if (rc <= 0) {
		cib_lose(link, "the CIB could not be asked for");
		return;
	}
	link->query = rc;
	link->stats.queries++;
	if (!link->cib->cmds->register_callback_full(link->cib, rc, CIB_QUERY_TIMEOUT_S, FALSE,
						     NULL, "cib_answered", cib_answered, NULL)) {
		cib_lose(link, "the CIB could not be asked for");
	}
}

static void cib_notified(const char *event, xmlNode *msg)
{
	struct cib_link *link = the_link;

	if (link == NULL || link->cib == NULL) {
		return;
	}
	link->stats.notifications++;
	if (!xml_attr_equals(msg, "cib_rc", "0")) {
		return; /* a change that was refused */
	}
	cib_ask(link); /* first: the answer is on its way while the notification is looked at */
	link->handlers->notified(link->handlers->private_data, msg);
}

/* @return 0 or a legacy code, negative */
static int cib_sign_on(struct cib_link *link)
{
	int rc;

	glib_bridge_touch(link->bridge);
	link->cib = cib_new();
	if (link->cib == NULL) {
		return -ENOMEM;
	}
	rc = link->cib->cmds->signon(link->cib, CIB_CLIENT_NAME, cib_query);
	if (rc != 0) {
		return rc;
	}
	rc = link->cib->cmds->set_connection_dnotify(link->cib, cib_dropped);
	if (rc != 0) {
		return rc;
	}
	return link->cib->cmds->add_notify_callback(link->cib, CIB_NOTIFICATION, cib_notified);
}

static void cib_not_there(struct cib_link *link, const char *reason)
{
	cib_disconnect(link);
	if (!link->complained) {
		log_warn("cannot connect to Pacemaker: %s; trying again", reason);
		link->complained = true;
	}
	cib_retry_later(link);
}

/* The manager answers, so that libcib, which would wait for it without limit, may be called. */
static void cib_probed(struct tevent_req *subreq)
{
	struct cib_link *link = tevent_req_callback_data(subreq, struct cib_link);
	int rc = -probe_recv(subreq);

	TALLOC_FREE(subreq);
	if (rc == 0) {
		rc = cib_sign_on(link);
	}
	if (rc != 0) {
		cib_not_there(link, cib_error(rc));
		return;
	}
	link->complained = false;
	link->stats.connected = true;
	link->stats.connects++;
	if (!link->refused) {
		log_notice("connected to Pacemaker");
	}
	cib_ask(link);
}

static void cib_connect(void *private_data)
{
	struct cib_link *link = talloc_get_type_abort(private_data, struct cib_link);
	struct tevent_req *subreq = probe_send(link, link->ev, CIB_SERVICE, PROBE_TIMEOUT_MS);

	if (subreq == NULL) {
		cib_not_there(link, cib_error(-ENOMEM));
		return;
	}
	tevent_req_set_callback(subreq, cib_probed, link);
}

static int cib_link_destructor(struct cib_link *link)
{
	cib_disconnect(link);
	the_link = NULL;
	return 0;
}

int cib_link_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct glib_bridge *bridge,
		    uint32_t retry_max_s, const struct cib_link_handlers *handlers,
		    struct cib_link **out)
{
	struct cib_link *link;
	int err;

	if (the_link != NULL) {
		return EBUSY;
	}
	link = talloc_zero(mem_ctx, struct cib_link);
	if (link == NULL) {
		return ENOMEM;
	}
	link->ev = ev;
	link->bridge = bridge;
	link->handlers = handlers;
	link->backoff.max_ms = retry_max_s * 1000;
	link->stats.last_query_us = -1;
	link->teardown = tevent_create_immediate(link);
	err = link->teardown == NULL ? ENOMEM
				     : mono_alarm_create(link, ev, cib_connect, link, &link->retry);
	if (err == 0) {
		err = mono_alarm_create(link, ev, cib_pause_over, link, &link->pause);
	}
	if (err != 0) {
		talloc_free(link);
		return err;
	}
	mono_alarm_set(link->retry, 0);
	talloc_set_destructor(link, cib_link_destructor);
	the_link = link;
	*out = link;
	return 0;
}

void cib_link_refresh(struct cib_link *link)
{
	cib_ask(link);
}

const struct cib_link_stats *cib_link_stats(const struct cib_link *link)
{
	return &link->stats;
}
