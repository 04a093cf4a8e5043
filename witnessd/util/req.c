/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/req.h"

#include <errno.h>

int req_errno(struct tevent_req *req)
{
	enum tevent_req_state how;
	uint64_t err;

	if (!tevent_req_is_error(req, &how, &err)) {
		return 0;
	}
	switch (how) {
	case TEVENT_REQ_USER_ERROR:
		return (int)err;
	case TEVENT_REQ_TIMED_OUT:
		return ETIMEDOUT;
	case TEVENT_REQ_NO_MEMORY:
		return ENOMEM;
	default:
		return EIO; /* recv before the end: a bug of the caller */
	}
}
