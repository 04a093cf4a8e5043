/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands that are clients of a server share: which server, and who we are for it. */
#ifndef WITNESSCTL_REMOTE_H
#define WITNESSCTL_REMOTE_H

#include <stdarg.h>
#include <stdbool.h>
#include <talloc.h>

#include "witnessd/swn/client.h"

/* What the options say before they are put together; strings are borrowed or children of mem_ctx. */
struct remote {
	TALLOC_CTX *mem_ctx;
	const char *command; /* for complaints */
	const char *server;
	const char *user;     /* [DOMAIN\]USER */
	const char *password; /* NULL with a user: Kerberos without one, from a keytab or a cache */
	bool kerberos, ntlm;
	/* Filled in by remote_credentials(). */
	const char *account; /* USER; NULL: none */
	const char *domain;  /* DOMAIN; NULL: none */
};

/*
 * All of these return -1 to go on, or an exit code after a complaint on standard error.
 */

int remote_usage(const struct remote *remote, const char *fmt, ...) PRINTF_ATTRIBUTE(2, 3);

/** A whole number between min and max. */
int remote_number(const struct remote *remote, const char *option, const char *text,
		  unsigned long min, unsigned long max, unsigned long *out);

/** The first line of a file is the password. */
int remote_password_file(struct remote *remote, const char *path);

/** Lines "username = U", "password = P", "domain = D" are who we are, as smbclient -A has them. */
int remote_auth_file(struct remote *remote, const char *path);

/** A password of the command line is taken out of the sight of ps, as far as that is possible. */
int remote_password(struct remote *remote, char *arg);

/** --server, an address or a name that has one. Looking it up may block. */
int remote_resolve(const struct remote *remote, struct ipaddr *out);

/** Who we are, put together and checked. The environment's WITNESSCTL_PASSWORD counts, too. */
int remote_credentials(struct remote *remote);

#endif
