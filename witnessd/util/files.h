/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef WITNESSD_UTIL_FILES_H
#define WITNESSD_UTIL_FILES_H

#include <stdbool.h>

/*
 * How long nothing is accepted when the system is short of something. Without a pause one would try again at
 * once, and for ever, because whoever wants to connect stays in the queue.
 */
#define FILES_PAUSE_MS 200U

/** Whether the process, and the system, have a file descriptor left. */
bool files_left(void);

#endif
