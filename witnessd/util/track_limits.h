/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits of the JSON lines between witnessd (cluster/conntrack.c) and witness-tickle track (agents/cmd_track.c). */
#ifndef WITNESSD_UTIL_TRACK_LIMITS_H
#define WITNESSD_UTIL_TRACK_LIMITS_H

#define TRACK_MAX_ADDRS 1024 /* addresses in a "watch" request; the agent refuses more */
#define TRACK_MAX_PORTS 64   /* ports, likewise */
/* Connections in one line, in either direction: some 30 KiB, below LINES_MAX. */
#define TRACK_CONNS_A_LINE 256

#endif
