/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program that includes this decides which allocation of talloc fails: its own talloc_...() stand before the
 * library's. Each test goes through all of them: the first fails, the second, and so on until none did.
 */
#ifndef TESTS_UNIT_SHORT_MEMORY_H
#define TESTS_UNIT_SHORT_MEMORY_H

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static unsigned long short_memory_in; /* so many allocations from now one fails; 0: none does */
static const char *short_memory_of;   /* of those of this type; NULL: of all, strings too */

static inline bool short_memory_fails(const char *type)
{
	return short_memory_in != 0 &&
	       (short_memory_of == NULL || strcmp(type, short_memory_of) == 0) &&
	       --short_memory_in == 0;
}

/* From here the nth allocation of a type ("struct job", of one or of an array) fails, once. */
static inline void short_memory_begin_of(const char *type, unsigned long nth)
{
	short_memory_in = nth;
	short_memory_of = type;
}

/* From here the nth allocation fails, once. */
static inline void short_memory_begin(unsigned long nth)
{
	short_memory_begin_of(NULL, nth);
}

/* @return whether it was reached; if not, there are no more to try */
static inline bool short_memory_end(void)
{
	bool reached = short_memory_in == 0;

	short_memory_in = 0;
	return reached;
}

/* What the library has under that name. */
static inline void *short_memory_real(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (fn == NULL) {
		abort();
	}
	return fn;
}

/* clang-format off */
#define SHORT_MEMORY(ret, fn, params, args, type)                                                  \
	ret fn params;                                                                             \
	ret fn params                                                                              \
	{                                                                                          \
		static ret (*real) params;                                                         \
		if (real == NULL) {                                                                \
			*(void **)&real = short_memory_real(#fn);                                  \
		}                                                                                  \
		return short_memory_fails(type) ? NULL : real args;                                \
	}
#define SHORT_MEMORY_PRINTF(name, vname, first)                                                    \
	char *name(first, const char *fmt, ...)                                                    \
	{                                                                                          \
		va_list ap;                                                                        \
		char *text;                                                                        \
		va_start(ap, fmt);                                                                 \
		text = vname(s, fmt, ap);                                                          \
		va_end(ap);                                                                        \
		return text;                                                                       \
	}
/* clang-format on */

#undef talloc_strdup
SHORT_MEMORY(void *, talloc_named_const, (const void *ctx, size_t size, const char *name),
	     (ctx, size, name), name)
SHORT_MEMORY(void *, _talloc_zero, (const void *ctx, size_t size, const char *name),
	     (ctx, size, name), name)
SHORT_MEMORY(void *, _talloc_memdup,
	     (const void *ctx, const void *p, size_t size, const char *name), (ctx, p, size, name),
	     name)
SHORT_MEMORY(void *, _talloc_array,
	     (const void *ctx, size_t el_size, unsigned int count, const char *name),
	     (ctx, el_size, count, name), name)
SHORT_MEMORY(void *, _talloc_zero_array,
	     (const void *ctx, size_t el_size, unsigned int count, const char *name),
	     (ctx, el_size, count, name), name)
SHORT_MEMORY(void *, _talloc_realloc_array,
	     (const void *ctx, void *ptr, size_t el_size, unsigned int count, const char *name),
	     (ctx, ptr, el_size, count, name), name)
SHORT_MEMORY(char *, talloc_strdup, (const void *ctx, const char *p), (ctx, p), "char")
SHORT_MEMORY(char *, talloc_strndup, (const void *ctx, const char *p, size_t n), (ctx, p, n),
	     "char")
SHORT_MEMORY(char *, talloc_strdup_append, (char *s, const char *a), (s, a), "char")
SHORT_MEMORY(char *, talloc_strdup_append_buffer, (char *s, const char *a), (s, a), "char")
SHORT_MEMORY(char *, talloc_vasprintf, (const void *ctx, const char *fmt, va_list ap),
	     (ctx, fmt, ap), "char")
SHORT_MEMORY(char *, talloc_vasprintf_append, (char *s, const char *fmt, va_list ap), (s, fmt, ap),
	     "char")
SHORT_MEMORY(char *, talloc_vasprintf_append_buffer, (char *s, const char *fmt, va_list ap),
	     (s, fmt, ap), "char")
SHORT_MEMORY_PRINTF(talloc_asprintf, talloc_vasprintf, const void *s)
SHORT_MEMORY_PRINTF(talloc_asprintf_append, talloc_vasprintf_append, char *s)
SHORT_MEMORY_PRINTF(talloc_asprintf_append_buffer, talloc_vasprintf_append_buffer, char *s)

#endif
