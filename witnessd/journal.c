/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/journal.h"

#include <errno.h>
#include <time.h>

#include "witnessd/swn/registry.h"
#include "witnessd/util/text_json.h"

struct journal {
	struct swn_service *service;
	json_t *ring[JOURNAL_ENTRIES]; /* number n at n % JOURNAL_ENTRIES */
	uint64_t last;                 /* number of the newest; 0: none */
};

static void add(struct journal *journal, json_t *entry)
{
	json_t **slot = &journal->ring[(journal->last + 1) % JOURNAL_ENTRIES];
	struct timespec now;

	if (entry == NULL) {
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	journal->last++;
	(void)json_object_set_new(entry, "number", json_integer((json_int_t)journal->last));
	(void)json_object_set_new(entry, "time",
				  json_real((double)now.tv_sec + (double)now.tv_nsec / 1e9));
	json_decref(*slot);
	*slot = entry;
}

static void set_text(json_t *entry, const char *key, const char *text)
{
	if (text != NULL) {
		(void)json_object_set_new(entry, key, text_json(text));
	}
}

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct journal *journal = talloc_get_type_abort(private_data, struct journal);
	json_t *entry = json_object();
	char ip[IPADDR_STRLEN];

	if (entry == NULL) {
		return;
	}
	set_text(entry, "event", cluster_event_type_name(event->type));
	set_text(entry, "address", event->ip.family != 0 ? ipaddr_format(&event->ip, ip) : NULL);
	set_text(entry, "group", event->group);
	set_text(entry, "name", event->name);
	set_text(entry, "from", event->from);
	set_text(entry, "to", event->to);
	if (event->intent != NULL) {
		set_text(entry, "name", event->intent->what);
		set_text(entry, "from", event->intent->from);
		set_text(entry, "to", event->intent->to);
		set_text(entry, "why", event->intent->why);
	}
	add(journal, entry);
}

static void on_told(void *private_data, const struct swn_reg *reg, uint32_t type, const char *text)
{
	struct journal *journal = talloc_get_type_abort(private_data, struct journal);
	char ip[IPADDR_STRLEN], guid[GUID_STRLEN];
	json_t *entry = json_object();

	if (entry == NULL) {
		return;
	}
	set_text(entry, "event", "notification");
	set_text(entry, "type", swn_message_type_name(type));
	set_text(entry, "told", text);
	set_text(entry, "client", reg->client_name);
	set_text(entry, "handle", guid_format(&reg->handle.uuid, guid));
	set_text(entry, "address", ipaddr_format(&reg->ip, ip));
	set_text(entry, "share", reg->share_name);
	add(journal, entry);
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
		(void)json_array_append(list, journal->ring[n % JOURNAL_ENTRIES]);
	}
	return json_pack("{s:I, s:I, s:o}", "last", (json_int_t)journal->last, "lost",
			 (json_int_t)lost, "events", list);
}

static int journal_destructor(struct journal *journal)
{
	swn_service_set_told(journal->service, NULL, NULL);
	for (size_t i = 0; i < JOURNAL_ENTRIES; i++) {
		json_decref(journal->ring[i]);
	}
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
