/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What both ends of the control socket share. A connection carries requests and answers in turn:
 *   CALL + JSON text           answered by the first part of the reply
 *   MORE                       answered by its next part
 * The client fetches the parts, so the daemon never waits for it, and the shared memory of a connection
 * stays small whatever the reply is. A long reply is made while it is fetched, so its length is not known before
 * its last part.
 */
#ifndef WITNESSD_CONTROL_CONTROL_PRIVATE_H
#define WITNESSD_CONTROL_CONTROL_PRIVATE_H

#include <qb/qbipc_common.h>
#include <stddef.h>
#include <stdint.h>

#include "witnessd/control/control.h"

#define CONTROL_BUFFER        (128 * 1024) /* what libqb maps, three times a connection */
#define CONTROL_PART          (64 * 1024)  /* most bytes of a reply in one message */
#define CONTROL_ENOUGH        (16 * 1024)  /* so much of a stream is sent, and not more made */

#define CONTROL_TOTAL_UNKNOWN UINT32_MAX

enum control_msg {
	CONTROL_CALL = QB_IPC_MSG_USER_START + 1,
	CONTROL_MORE,
};

/* Begins each answer; .header.error is 0 or -errno for a message that made no sense. */
struct control_part {
	struct qb_ipc_response_header header;
	uint32_t total;  /* bytes of the whole reply, or not known yet */
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

/* A reply while it is fetched. */
struct control_reply {
	char *text;                   /* what is there; a child */
	size_t len;                   /* of it */
	size_t before;                /* bytes of the reply that came before text, and are gone */
	struct control_stream stream; /* next NULL: all of it is there */
	struct tevent_req
		*later; /* not NULL: comes from elsewhere, and there is no text yet; a child */
};

/**
 * Answer one request, whatever its bytes are.
 * @param reply JSON text, a child of mem_ctx
 * @return 0 or ENOMEM
 */
int control_handle(TALLOC_CTX *mem_ctx, const struct control_table *table, const char *request,
		   size_t len, struct control_reply **reply);

/** .later is done: its text is there. @return 0 or ENOMEM */
int control_reply_arrived(const struct control_table *table, struct control_reply *reply);

/** Make more of a stream, until CONTROL_ENOUGH is there or it ends. @return 0, ENOMEM, ESTALE, EFBIG */
int control_reply_more(struct control_reply *reply);
/** So many bytes of the text have been sent, and are not wanted any more. */
void control_reply_sent(struct control_reply *reply, size_t len);

/* Who may use the socket. */
struct control_access {
	uid_t owner;
	bool has_group;
	gid_t group;
	gid_t own_group; /* of the user that we are: nobody else is in it */
	uid_t *members;  /* of the group, as the databases said at the start */
	size_t num_members;
};

/** Look the group up (NULL: none). @return 0, ENOENT or ENOMEM; *out is a child of mem_ctx */
int control_access_create(TALLOC_CTX *mem_ctx, const char *group, struct control_access **out);
/** Root, or who runs the daemon. */
bool control_access_owner(const struct control_access *access, uid_t uid);
bool control_access_allowed(const struct control_access *access, uid_t uid, gid_t gid);

#endif
