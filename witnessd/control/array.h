/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream that is an array, made of elements that somebody knows how to go through. */
#ifndef WITNESSD_CONTROL_ARRAY_H
#define WITNESSD_CONTROL_ARRAY_H

#include <stdbool.h>

#include "witnessd/control/control.h"

/**
 * Append the next elements to a text that grows, each after a comma.
 * @param cursor where we are; moves
 * @param text   NULL afterwards: memory is short
 * @return whether there are more
 */
typedef bool (*control_fill_fn)(void *cursor, char **text);

/**
 * @param cursor a talloc child of mem_ctx; goes with the stream
 * @param head   what comes before the elements: "[", or more; NULL: memory was short
 * @param tail   and behind them
 * @return 0 or ENOMEM
 */
int control_array(TALLOC_CTX *mem_ctx, control_fill_fn fill, void *cursor, const char *head,
		  const char *tail, struct control_stream *out);

#endif
