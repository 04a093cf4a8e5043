/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The blocking interface: each session has an event loop of its own, which runs only in swnc_next(). */
#include "libswnclient/private.h"

#include <errno.h>
#include <qb/qblist.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "witnessd/util/mono.h"

struct queued {
	struct qb_list_head link;
	struct swnc_event *event;
};

struct swnc_session {
	struct tevent_context *ev;
	struct swnc_client *client;
	struct qb_list_head
		events;       /* struct queued, oldest first; a turn of the loop may bring some */
	struct queued *given; /* what the caller has in hand */
	int wake_fd;
	bool woken, timed_out;
	int err; /* something that ends the session */
};

static void on_event(void *private_data, const struct swnc_event *event);
static void on_wake(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		    void *private_data);

static int session_destructor(struct swnc_session *session)
{
	TALLOC_FREE(session->client);
	TALLOC_FREE(session->ev); /* before the descriptor that it watches */
	if (session->wake_fd >= 0) {
		close(session->wake_fd);
	}
	return 0;
}

static int session_start(struct swnc_session *session, const struct swnc_config *config)
{
	session->ev = tevent_context_init(session);
	if (session->ev == NULL) {
		return ENOMEM;
	}
	session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (session->wake_fd < 0) {
		return errno;
	}
	if (tevent_add_fd(session->ev, session->ev, session->wake_fd, TEVENT_FD_READ, on_wake,
			  session) == NULL) {
		return ENOMEM;
	}
	return swnc_client_create(session, session->ev, config, on_event, session,
				  &session->client);
}

int swnc_open(const struct swnc_config *config, struct swnc_session **out)
{
	struct swnc_session *session = talloc_zero(NULL, struct swnc_session);
	int err;

	if (session == NULL) {
		return ENOMEM;
	}
	session->wake_fd = -1;
	qb_list_init(&session->events);
	talloc_set_destructor(session, session_destructor);
	err = session_start(session, config);
	if (err != 0) {
		talloc_free(session);
		return err;
	}
	*out = session;
	return 0;
}

/* Put an event into the queue; one that cannot be is an error of the session. */
static void on_event(void *private_data, const struct swnc_event *event)
{
	struct swnc_session *session = talloc_get_type_abort(private_data, struct swnc_session);
	struct queued *queued = talloc_zero(session, struct queued);

	if (queued == NULL) {
		session->err = ENOMEM;
		return;
	}
	queued->event = swn_event_keep(queued, session->client);
	if (queued->event == NULL) {
		session->err = ENOMEM;
		talloc_free(queued);
		return;
	}
	qb_list_add_tail(&queued->link, &session->events);
}

static void on_wake(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		    void *private_data)
{
	struct swnc_session *session = talloc_get_type_abort(private_data, struct swnc_session);
	uint64_t count;

	(void)!read(session->wake_fd, &count, sizeof(count));
	session->woken = true;
}

void swnc_wake(struct swnc_session *session)
{
	static const uint64_t one = 1;
	int saved = errno; /* of whom the signal interrupted */

	(void)!write(session->wake_fd, &one, sizeof(one));
	errno = saved;
}

static void on_timeout(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		       void *private_data)
{
	struct swnc_session *session = talloc_get_type_abort(private_data, struct swnc_session);

	session->timed_out = true;
}

/* Run the loop until there is an event. @return 0, ETIMEDOUT, ECANCELED or an error */
static int turn(struct swnc_session *session)
{
	while (qb_list_empty(&session->events)) {
		if (session->err != 0) {
			int err = session->err;

			session->err = 0;
			return err;
		}
		if (session->woken) {
			session->woken = false;
			return ECANCELED;
		}
		if (session->timed_out) {
			return ETIMEDOUT;
		}
		if (tevent_loop_once(session->ev) != 0) {
			return errno != 0 ? errno : EIO;
		}
	}
	return 0;
}

int swnc_next(struct swnc_session *session, int timeout_ms, const struct swnc_event **event)
{
	struct mono_timer *timer = NULL;
	int err;

	TALLOC_FREE(session->given);
	session->timed_out = false;
	if (timeout_ms >= 0) {
		timer = mono_timer_add(session->ev, session, (unsigned int)timeout_ms, on_timeout,
				       session);
		if (timer == NULL) {
			return ENOMEM;
		}
	}
	err = turn(session);
	if (!session->timed_out) {
		talloc_free(timer); /* else tevent has done so */
	}
	if (err != 0) {
		return err;
	}
	session->given = qb_list_first_entry(&session->events, struct queued, link);
	qb_list_del(&session->given->link);
	*event = session->given->event;
	return 0;
}

int swnc_close(struct swnc_session *session, unsigned int timeout_ms)
{
	struct tevent_req *req;
	int err;

	if (session == NULL || timeout_ms == 0) {
		talloc_free(session);
		return 0;
	}
	req = swnc_client_stop_send(session, session->ev, session->client, timeout_ms);
	if (req == NULL || !tevent_req_poll(req, session->ev)) {
		talloc_free(session);
		return ENOMEM;
	}
	err = swnc_client_stop_recv(req);
	talloc_free(session);
	return err;
}
