/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/remote_wire.h"

#include <errno.h>
#include <string.h>

static struct guid unpack_guid(struct pack_in *in)
{
	struct guid guid = {0};
	const uint8_t *bytes = unpack_bytes(in, sizeof(guid.b));

	if (bytes != NULL) {
		memcpy(guid.b, bytes, sizeof(guid.b));
	}
	return guid;
}

void remote_question_push(struct pack_out *out, const struct remote_question *question)
{
	pack_u8(out, (uint8_t)question->op);
	if (question->op == REMOTE_ASK) {
		pack_bytes(out, question->request, question->len);
	} else {
		pack_bytes(out, question->answer.b, sizeof(question->answer.b));
		pack_u32(out, question->offset);
	}
}

int remote_question_pull(const uint8_t *bytes, size_t len, struct remote_question *question)
{
	struct pack_in in = {.p = bytes, .left = len};
	struct remote_question got = {.op = (enum remote_op)unpack_u8(&in)};

	switch (got.op) {
	case REMOTE_ASK:
		got.len = in.left;
		got.request = unpack_bytes(&in, in.left);
		break;
	case REMOTE_MORE:
		got.answer = unpack_guid(&in);
		got.offset = unpack_u32(&in);
		break; /* what may come behind it is of a later witnessd */
	default:
		in.err = EBADMSG;
		break;
	}
	if (in.err == 0) {
		*question = got;
	}
	return in.err;
}

void remote_part_push(struct pack_out *out, const struct remote_part *part)
{
	pack_bytes(out, part->answer.b, sizeof(part->answer.b));
	pack_u32(out, part->total);
	pack_bytes(out, part->bytes, part->len);
}

int remote_part_pull(const uint8_t *bytes, size_t len, struct remote_part *part)
{
	struct pack_in in = {.p = bytes, .left = len};
	struct remote_part got = {.answer = unpack_guid(&in)};

	got.total = unpack_u32(&in);
	got.len = in.left;
	got.bytes = unpack_bytes(&in, in.left);
	if (in.err != 0 || got.len == 0 || got.total > REMOTE_ANSWER_MAX || got.len > got.total) {
		return EBADMSG;
	}
	*part = got;
	return 0;
}

int remote_whole_add(TALLOC_CTX *mem_ctx, struct remote_whole *whole,
		     const struct remote_part *part)
{
	char *text = whole->text;

	if (text == NULL) {
		text = talloc_size(mem_ctx, part->total);
		if (text == NULL) {
			return ENOMEM;
		}
		*whole = (struct remote_whole){
			.answer = part->answer, .total = part->total, .text = text};
	} else if (!guid_equal(&part->answer, &whole->answer) || part->total != whole->total) {
		return EBADMSG;
	}
	if (part->len > whole->total - whole->len) {
		return EBADMSG;
	}
	memcpy(text + whole->len, part->bytes, part->len);
	whole->len += (uint32_t)part->len;
	return 0;
}

bool remote_whole_complete(const struct remote_whole *whole)
{
	return whole->text != NULL && whole->len == whole->total;
}
