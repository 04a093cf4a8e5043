/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * <uthash.h> for a program that outlives a shortage of memory: as it comes, a table that cannot grow ends the
 * process. Here the element is just not in the table, and whoever adds one looks: its hh.tbl is NULL then.
 * tests/lint/memory looks after both.
 */
#ifndef WITNESSD_UTIL_HASH_H
#define WITNESSD_UTIL_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
