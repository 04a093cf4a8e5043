/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/journal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "witnessd/swn/registry.h"
#include "witnessd/util/text_json.h"

#define MAX_TEXTS 6

/* What is said of an event, as it was said: it becomes JSON when somebody asks, which is seldom. */
struct entry {
	struct timespec time;
	const char *event; /* this and .type are constants */
	const char *type;  /* NULL: no notification */
	struct ipaddr ip;  /* family 0: none */
	struct guid handle;
	size_t num_texts;
	struct {
		const char *key; /* a constant */
		size_t off;      /* in .bytes */
	} texts[MAX_TEXTS];
	char *bytes; /* a child of the journal; kept for the next entry in this place */
	size_t len;
};

struct journal {
	struct swn_service *service;
	struct entry ring[JOURNAL_ENTRIES]; /* number n at n % JOURNAL_ENTRIES */
	uint64_t last;                      /* number of the newest; 0: none */
};

/* The next entry, in place of the oldest. */
static struct entry *next_entry(struct journal *journal, const char *event)
{
	struct entry *entry = &journal->ring[++journal->last % JOURNAL_ENTRIES];

	*entry = (struct entry){.event = event, .bytes = entry->bytes};
	clock_gettime(CLOCK_REALTIME, &entry->time);
	return entry;
}

/* For want of memory it is left out. */
static void add_text(struct journal *journal, struct entry *entry, const char *key,
		     const char *text)
{
	size_t size = text != NULL ? strlen(text) + 1 : 0;

	if (size == 0 || entry->num_texts == MAX_TEXTS) {
		return;
	}
	if (talloc_get_size(entry->bytes) - entry->len < size) {
		char *bytes = talloc_realloc_size(journal, entry->bytes, entry->len + size);

		if (bytes == NULL) {
			return;
		}
		entry->bytes = bytes;
	}
	memcpy(entry->bytes + entry->len, text, size);
	entry->texts[entry->num_texts].key = key;
	entry->texts[entry->num_texts].off = entry->len;
	entry->num_texts++;
	entry->len += size;
}

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct journal *journal = talloc_get_type_abort(private_data, struct journal);
	const struct backend_intent *intent = event->intent;
	struct entry *entry = next_entry(journal, cluster_event_type_name(event->type));

	entry->ip = event->ip;
	add_text(journal, entry, "group", event->group);
	add_text(journal, entry, "name", intent != NULL ? intent->what : event->name);
	add_text(journal, entry, "from", intent != NULL ? intent->from : event->from);
	add_text(journal, entry, "to", intent != NULL ? intent->to : event->to);
	add_text(journal, entry, "why", intent != NULL ? intent->why : NULL);
}

static void on_told(void *private_data, const struct swn_reg *reg, uint32_t type, const char *text)
{
	struct journal *journal = talloc_get_type_abort(private_data, struct journal);
	struct entry *entry = next_entry(journal, "notification");

	entry->type = swn_message_type_name(type);
	entry->ip = reg->ip;
	entry->handle = reg->handle.uuid;
	add_text(journal, entry, "told", text);
	add_text(journal, entry, "client", reg->client_name);
	add_text(journal, entry, "share", reg->share_name);
}

static void set_text(json_t *json, const char *key, const char *text)
{
	(void)json_object_set_new(json, key, text_json(text));
}

static json_t *entry_json(const struct entry *entry, uint64_t number)
{
	json_t *json = json_object();
	char ip[IPADDR_STRLEN], guid[GUID_STRLEN];

	set_text(json, "event", entry->event);
	if (entry->type != NULL) {
		set_text(json, "type", entry->type);
		set_text(json, "handle", guid_format(&entry->handle, guid));
	}
	if (entry->ip.family != 0) {
		set_text(json, "address", ipaddr_format(&entry->ip, ip));
	}
	for (size_t i = 0; i < entry->num_texts; i++) {
		set_text(json, entry->texts[i].key, entry->bytes + entry->texts[i].off);
	}
	(void)json_object_set_new(json, "number", json_integer((json_int_t)number));
	(void)json_object_set_new(
		json, "time",
		json_real((double)entry->time.tv_sec + (double)entry->time.tv_nsec / 1e9));
	return json;
}

json_t *journal_json(const struct journal *journal, uint64_t after)
{
	uint64_t oldest =
		journal->last >= JOURNAL_ENTRIES ? journal->last - JOURNAL_ENTRIES + 1 : 1;
	uint64_t first = after >= journal->last ? journal->last + 1
			 : after + 1 > oldest   ? after + 1
						: oldest;
	uint64_t lost = after < journal->last ? first - after - 1 : 0;
	json_t *list = json_array();

	for (uint64_t n = first; n <= journal->last; n++) {
		(void)json_array_append_new(list,
					    entry_json(&journal->ring[n % JOURNAL_ENTRIES], n));
	}
	return json_pack("{s:I, s:I, s:o}", "last", (json_int_t)journal->last, "lost",
			 (json_int_t)lost, "events", list);
}

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
	if (cluster_listen(cluster, on_event, journal) != 0) {
		talloc_free(journal);
		return ENOMEM;
	}
	swn_service_set_told(service, on_told, journal);
	talloc_set_destructor(journal, journal_destructor);
	*out = journal;
	return 0;
}
