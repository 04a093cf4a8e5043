/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A control stream that is a JSON array, built element by element. */
#ifndef WITNESSD_CONTROL_ARRAY_H
#define WITNESSD_CONTROL_ARRAY_H

#include <stdbool.h>

#include "witnessd/control/control.h"

/**
 * Append the next elements to text, each after a comma.
 * @param cursor the position, which advances
 * @param text   NULL afterwards: memory is short
 * @return whether there are more
 */
typedef bool (*control_fill_fn)(void *cursor, char **text);

/**
 * @param cursor a talloc child of mem_ctx; freed with the stream
 * @param head   text before the elements: "[", or more; NULL: memory was short
 * @param tail   text after them
 * @return 0 or ENOMEM
 */
int control_array(TALLOC_CTX *mem_ctx, control_fill_fn fill, void *cursor, const char *head,
		  const char *tail, struct control_stream *out);

#endif
