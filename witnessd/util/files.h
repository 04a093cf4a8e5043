/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process's supply of file descriptors, and what accepting does without one. */
#ifndef WITNESSD_UTIL_FILES_H
#define WITNESSD_UTIL_FILES_H

#include <stdbool.h>

/*
 * How long a listener stops accepting after accept() failed for lack of descriptors or memory. The connection
 * stays in the queue, so that the socket stays readable: without a pause the loop would spin.
 */
#define FILES_PAUSE_MS 200U

/** Whether the process, and the system, have a file descriptor left. */
bool files_left(void);

#endif
