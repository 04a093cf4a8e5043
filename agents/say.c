/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "agents/agent.h"

int agent_failed(const char *fmt, ...)
{
	va_list args;

	fputs("witness-tickle: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return AGENT_FAILED;
}
