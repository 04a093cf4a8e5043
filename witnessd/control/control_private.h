/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared by both ends of the control socket. A connection carries requests and answers alternately:
 *   CALL + JSON text           answered by the first part of the reply
 *   MORE                       answered by its next part
 * The client fetches the parts, so the daemon never waits for it, and the shared memory of a connection
 * stays small however long the reply is. A long reply is generated while it is fetched, so its length is not known
 * before its last part.
 */
#ifndef WITNESSD_CONTROL_CONTROL_PRIVATE_H
#define WITNESSD_CONTROL_CONTROL_PRIVATE_H

#include <qb/qbipc_common.h>
#include <stddef.h>
#include <stdint.h>

#include "witnessd/control/control.h"

#define CONTROL_BUFFER        (128 * 1024) /* mapped by libqb, three times per connection */
#define CONTROL_PART          (64 * 1024)  /* maximum of a reply in one message */
#define CONTROL_ENOUGH        (16 * 1024) /* with that much of a stream there, no more is generated yet */

#define CONTROL_TOTAL_UNKNOWN UINT32_MAX

enum control_msg {
	CONTROL_CALL = QB_IPC_MSG_USER_START + 1,
	CONTROL_MORE,
};

/* Begins each answer; .header.error is 0, or -errno for an invalid message. */
struct control_part {
	struct qb_ipc_response_header header;
	uint32_t total;  /* bytes of the whole reply, or CONTROL_TOTAL_UNKNOWN */
	uint32_t offset; /* where this part begins */
};

/* The commands that are served, by name. */
struct control_table;

/** @return NULL when memory is short */
struct control_table *control_table_new(TALLOC_CTX *mem_ctx);
/** @param command borrowed @return 0, EEXIST, ENOMEM */
int control_table_add(struct control_table *table, const char *command, control_fn fn,
		      void *private_data);
int control_table_add_stream(struct control_table *table, const char *command, control_stream_fn fn,
			     void *private_data);
int control_table_add_anywhere(struct control_table *table, const char *command, control_fn fn,
			       void *private_data);
/** ev is where what comes from elsewhere is waited for. */
void control_table_set_elsewhere(struct control_table *table, struct tevent_context *ev,
				 const struct control_elsewhere *elsewhere);
/** See control_server_answer(). */
char *control_table_answer(const struct control_table *table, TALLOC_CTX *mem_ctx,
			   const char *request, size_t len);

/* A reply while it is being fetched. */
struct control_reply {
	char *text;                   /* the part that is there; a child */
	size_t len;                   /* of it */
	size_t before;                /* bytes of the reply before text, already sent */
	struct control_stream stream; /* next NULL: complete */
	struct tevent_req
		*later; /* not NULL: comes from elsewhere, and there is no text yet; a child */
};

/**
 * Answer one request, valid or not.
 * @param reply JSON text, a child of mem_ctx
 * @return 0 or ENOMEM
 */
int control_handle(TALLOC_CTX *mem_ctx, const struct control_table *table, const char *request,
		   size_t len, struct control_reply **reply);

/** .later is done: its text is there. @return 0 or ENOMEM */
int control_reply_arrived(const struct control_table *table, struct control_reply *reply);

/** Generate more of a stream, until CONTROL_ENOUGH is there or it ends. @return 0, ENOMEM, ESTALE, EFBIG */
int control_reply_more(struct control_reply *reply);
/** Drop the first len bytes of the text: they have been sent. */
void control_reply_sent(struct control_reply *reply, size_t len);

/* Who may use the socket. */
struct control_access {
	uid_t owner;
	bool has_group;
	gid_t group;
	gid_t own_group; /* our user's own group, with nobody else in it */
	uid_t *members;  /* of the group, as looked up at the start */
	size_t num_members;
};

/** Look up the group (NULL: none). @return 0, ENOENT or ENOMEM; *out is a child of mem_ctx */
int control_access_create(TALLOC_CTX *mem_ctx, const char *group, struct control_access **out);
/** Whether this is root or the daemon's user. */
bool control_access_owner(const struct control_access *access, uid_t uid);
/** Whether this user and group may use the socket at all. */
bool control_access_allowed(const struct control_access *access, uid_t uid, gid_t gid);

#endif
