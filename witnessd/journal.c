/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/journal.h"

#include <errno.h>

#include "witnessd/journal_wire.h"
#include "witnessd/swn/registry.h"
#include "witnessd/util/clock.h"

struct entry {
	uint64_t number; /* 0: none */
	size_t len;
	uint8_t *bytes; /* a child of the journal; kept for the next entry in this place */
};

struct ring {
	struct entry *entries;
	size_t size, num; /* places, and how many of them are taken */
	size_t next;      /* place of the next one: of the oldest when all are taken */
};

struct journal {
	struct swn_service *service;
	struct entry event_entries[JOURNAL_EVENTS];
	struct entry notification_entries[JOURNAL_NOTIFICATIONS];
	struct ring events, notifications;
	uint64_t life, last;
	void (*news)(void *private_data);
	void *news_private;
};

/* --- writing --- */

/* In place of the oldest. For want of memory the number is used up, and the entry counts as lost. */
static void add(struct journal *journal, struct ring *ring, const struct journal_entry *entry)
{
	struct entry *place = &ring->entries[ring->next];
	uint8_t buf[JOURNAL_ENTRY_MAX];
	size_t len = journal_entry_pack(entry, buf);

	journal->last++;
	if (!journal_entry_keep(journal, &place->bytes, buf, len)) {
		return;
	}
	place->len = len;
	place->number = journal->last;
	ring->next = (ring->next + 1) % ring->size;
	ring->num += ring->num < ring->size;
	if (journal->news != NULL) {
		journal->news(journal->news_private);
	}
}

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct journal *journal = talloc_get_type_abort(private_data, struct journal);
	const struct backend_intent *intent = event->intent;
	const struct journal_entry entry = {
		.time_us = clock_wall_us(),
		.ip = event->ip,
		.texts = {
			[JOURNAL_EVENT] = cluster_event_type_name(event->type),
			[JOURNAL_GROUP] = event->group,
			[JOURNAL_NAME] = intent != NULL ? intent->what : event->name,
			[JOURNAL_FROM] = intent != NULL ? intent->from : event->from,
			[JOURNAL_TO] = intent != NULL ? intent->to : event->to,
			[JOURNAL_WHY] = intent != NULL ? intent->why : NULL,
		}};

	add(journal, &journal->events, &entry);
}

static void on_told(void *private_data, const struct swn_reg *reg, uint32_t type, const char *text)
{
	struct journal *journal = talloc_get_type_abort(private_data, struct journal);
	const struct journal_entry entry = {.time_us = clock_wall_us(),
					    .ip = reg->ip,
					    .has_handle = true,
					    .handle = reg->handle.uuid,
					    .texts = {
						    [JOURNAL_EVENT] = "notification",
						    [JOURNAL_TYPE] = swn_message_type_name(type),
						    [JOURNAL_TOLD] = text,
						    [JOURNAL_CLIENT] = reg->client_name,
						    [JOURNAL_SHARE] = reg->share_name,
					    }};

	add(journal, &journal->notifications, &entry);
}

/* --- reading --- */

uint64_t journal_life(const struct journal *journal)
{
	return journal->life;
}

uint64_t journal_last(const struct journal *journal)
{
	return journal->last;
}

/* The n-th of those that are there, oldest first; NULL beyond the newest. */
static const struct entry *at(const struct ring *ring, size_t n)
{
	size_t oldest = (ring->next + ring->size - ring->num) % ring->size;

	return n < ring->num ? &ring->entries[(oldest + n) % ring->size] : NULL;
}

/* How many are not behind a number: where those begin that are. */
static size_t skip(const struct ring *ring, uint64_t after)
{
	size_t low = 0, high = ring->num;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (at(ring, middle)->number <= after) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

size_t journal_count(const struct journal *journal, uint64_t after)
{
	return journal->events.num - skip(&journal->events, after) + journal->notifications.num -
	       skip(&journal->notifications, after);
}

void journal_read(const struct journal *journal, uint64_t after,
		  bool (*fn)(void *private_data, uint64_t number, const uint8_t *bytes, size_t len),
		  void *private_data)
{
	size_t i = skip(&journal->events, after), j = skip(&journal->notifications, after);

	for (;;) {
		const struct entry *event = at(&journal->events, i);
		const struct entry *told = at(&journal->notifications, j);
		const struct entry *entry = event;

		if (told != NULL && (event == NULL || told->number < event->number)) {
			entry = told;
			j++;
		} else {
			i++;
		}
		if (entry == NULL || !fn(private_data, entry->number, entry->bytes, entry->len)) {
			return;
		}
	}
}

void journal_set_news(struct journal *journal, void (*fn)(void *private_data), void *private_data)
{
	journal->news = fn;
	journal->news_private = private_data;
}

/* --- the object --- */

static int journal_destructor(struct journal *journal)
{
	swn_service_set_told(journal->service, NULL, NULL);
	return 0;
}

int journal_create(TALLOC_CTX *mem_ctx, struct cluster *cluster, struct swn_service *service,
		   struct journal **out)
{
	struct journal *journal = talloc_zero(mem_ctx, struct journal);

	if (journal == NULL) {
		return ENOMEM;
	}
	journal->service = service;
	journal->life = clock_wall_us();
	journal->events = (struct ring){.entries = journal->event_entries, .size = JOURNAL_EVENTS};
	journal->notifications = (struct ring){.entries = journal->notification_entries,
					       .size = JOURNAL_NOTIFICATIONS};
	if (cluster_listen(cluster, on_event, journal) != 0) {
		talloc_free(journal);
		return ENOMEM;
	}
	swn_service_set_told(service, on_told, journal);
	talloc_set_destructor(journal, journal_destructor);
	*out = journal;
	return 0;
}
