/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/control/array.h"

#include <errno.h>

struct array {
	control_fill_fn fill;
	void *cursor; /* a child */
	const char *head, *tail;
	bool begun, any, ended;
};

static int next(void *private_data, TALLOC_CTX *mem_ctx, char **text)
{
	struct array *array = talloc_get_type_abort(private_data, struct array);
	char *elements;
	const char *first;

	if (array->ended) {
		return 0;
	}
	elements = talloc_strdup(mem_ctx, "");
	if (elements == NULL) {
		return ENOMEM;
	}
	array->ended = !array->fill(array->cursor, &elements);
	if (elements == NULL) {
		return ENOMEM;
	}
	first = !array->any && elements[0] == ',' ? elements + 1 : elements;
	array->any = array->any || elements[0] != '\0';
	*text = talloc_asprintf(mem_ctx, "%s%s%s", array->begun ? "" : array->head, first,
				array->ended ? array->tail : "");
	array->begun = true;
	return *text != NULL ? 0 : ENOMEM;
}

int control_array(TALLOC_CTX *mem_ctx, control_fill_fn fill, void *cursor, const char *head,
		  const char *tail, struct control_stream *out)
{
	struct array *array = talloc_zero(mem_ctx, struct array);

	if (array == NULL) {
		return ENOMEM;
	}
	array->fill = fill;
	array->cursor = talloc_steal(array, cursor);
	array->head = head != NULL ? talloc_strdup(array, head) : NULL;
	array->tail = talloc_strdup(array, tail);
	if (array->head == NULL || array->tail == NULL) {
		talloc_free(array);
		return ENOMEM;
	}
	*out = (struct control_stream){.next = next, .private_data = array};
	return 0;
}
