/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl doctor: what usually keeps clients from registering. What its checks share. */
#ifndef WITNESSCTL_DOCTOR_H
#define WITNESSCTL_DOCTOR_H

#include <stdarg.h>
#include <tevent.h>

#include "witnessctl/ctl.h"
#include "witnessd/config.h"
#include "witnessd/util/ipaddr.h"

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_WARN, /* some clients, or soon */
	DOCTOR_FAIL, /* clients cannot register, or are not told */
};

struct doctor {
	struct ctl *ctl;
	struct tevent_context *ev;
	const char *config_path;
	bool config_required; /* named by the user */

	/* What the daemon says; NULL when there is none. */
	json_t *status, *interfaces, *clients;
	json_t *net_names;     /* NULL: not asked for yet */
	json_t *daemon_config; /* key -> text; NULL: none, or one that is too old to tell */
	struct config *config; /* of the file; NULL: it cannot be read */
	const char *no_daemon; /* why there is none */
	const char *check;     /* that runs now */
	json_t *results;       /* array of what doctor_tell() was told */
	json_t *asked;         /* array of who asked when; NULL: not looked at */
	unsigned int num[DOCTOR_FAIL + 1]; /* of each verdict */
};

/**
 * A result of the check that runs.
 * @param remedy  what to do; NULL with DOCTOR_OK
 * @param subject what the check is about if it is about several things; else NULL
 */
void doctor_tell(struct doctor *doctor, enum doctor_verdict verdict, const char *subject,
		 const char *remedy, const char *fmt, ...) PRINTF_ATTRIBUTE(5, 6);

/** The value of a key of witnessd.conf that is in force, as text; never NULL. */
const char *doctor_config(const struct doctor *doctor, const char *key);

/** The value at "rpc.stats.calls" of the daemon's status; NULL when there is none. */
const json_t *doctor_status(const struct doctor *doctor, const char *path);

/** The names that clients know the service and its addresses by, an array of strings; without a daemon those
 * configured. */
const json_t *doctor_net_names(struct doctor *doctor);

/** Ports that clients need: the endpoint mapper's, and the witness interface's (0: not known). */
uint16_t doctor_epm_port(const struct doctor *doctor);
uint16_t doctor_witness_port(const struct doctor *doctor);

/**
 * What a program prints on standard output, up to a megabyte.
 * @return 0 with *text a child of mem_ctx; ENOENT (not there); EIO (it failed); or an errno
 */
int doctor_output_of(TALLOC_CTX *mem_ctx, const char *command, char **text);

/* The checks, in the order in which they run. */
void doctor_check_config(struct doctor *doctor);
void doctor_check_daemon(struct doctor *doctor);
void doctor_check_cluster(struct doctor *doctor);
void doctor_check_nodes(struct doctor *doctor);
void doctor_check_ports(struct doctor *doctor);    /* doctor_ports.c */
void doctor_check_firewall(struct doctor *doctor); /* doctor_firewall.c */
void doctor_check_keytab(struct doctor *doctor);   /* doctor_kerberos.c */
void doctor_check_kdc(struct doctor *doctor);      /* ditto */
void doctor_check_shares(struct doctor *doctor);   /* doctor_shares.c */
void doctor_check_clients(struct doctor *doctor);

#endif
