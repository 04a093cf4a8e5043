/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/conn_list.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/tcpconn.h"
#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"

struct noted {
	uint8_t len;
	uint8_t key[TCPCONN_PACKED_MAX];
};

struct conn_list {
	const struct peers *peers;
	struct noted *conns;
	size_t num, size, next;
	bool failed;
};

static void note(void *private_data, const struct peers_record *record)
{
	struct conn_list *list = private_data;
	struct noted *noted;

	if (record->key_len > TCPCONN_PACKED_MAX || list->failed) {
		return;
	}
	if (list->num == list->size) {
		size_t size = list->size == 0 ? 64 : list->size * 2;
		struct noted *more = talloc_realloc(list, list->conns, struct noted, size);

		if (more == NULL) {
			list->failed = true;
			return;
		}
		list->conns = more;
		list->size = size;
	}
	noted = &list->conns[list->num++];
	noted->len = (uint8_t)record->key_len;
	memcpy(noted->key, record->key, record->key_len);
}

int conn_list_create(TALLOC_CTX *mem_ctx, const struct peers *peers, struct conn_list **out)
{
	struct conn_list *list = talloc_zero(mem_ctx, struct conn_list);

	if (list == NULL) {
		return ENOMEM;
	}
	list->peers = peers;
	peers_foreach(peers, PEERS_CONNECTION, NULL, note, list);
	if (list->failed) {
		talloc_free(list);
		return ENOMEM;
	}
	*out = list;
	return 0;
}

static void append(char **text, const struct peers_record *record)
{
	char both[TCPCONN_STRLEN], *blank;
	struct tcpconn conn;

	if (tcpconn_unpack(record->key, record->key_len, &conn) != 0) {
		return;
	}
	tcpconn_format(&conn, both);
	blank = strchr(both, ' ');
	*blank = '\0';
	*text = text_json_append(text_append(*text, ","),
				 json_pack("{s:o, s:s, s:s, s:b}", "node", text_json(record->owner),
					   "local", both, "remote", blank + 1, "orphan",
					   record->orphan));
}

bool conn_list_next(struct conn_list *list, size_t max, char **text)
{
	for (; max > 0 && list->next < list->num && *text != NULL; max--) {
		const struct noted *noted = &list->conns[list->next++];
		struct peers_record record;

		if (peers_find(list->peers, PEERS_CONNECTION, noted->key, noted->len, &record) ==
		    0) {
			append(text, &record);
		}
	}
	return list->next < list->num;
}
