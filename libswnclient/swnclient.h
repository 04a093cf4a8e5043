/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libswnclient: a client of the Service Witness Protocol (MS-SWN). It registers with a witness of an
 * SMB3 cluster, and from then on is told at once when the address of the SMB connection fails, comes back,
 * or should be left for another one. See libswnclient(3).
 *
 * This header has what both interfaces share, and the blocking one. A program with a tevent loop includes
 * <swnclient_tevent.h>.
 *
 * Errors are 0 or a positive errno; outputs are untouched on failure. All text is UTF-8. Text in events and
 * lists comes from the network: it may have any character but NUL. An object is used by one thread at a
 * time; different objects may be used by different threads.
 *
 * New members may be added at the end of structs without a new soname: use only those that the library returns.
 */
#ifndef SWNCLIENT_H
#define SWNCLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- configuration ---- */

struct swnc_config;

/* Each option is text or a number, as its line says; what is not set has the default in brackets. */
enum swnc_option {
	/* Text; NULL unsets. */
	SWNC_NET_NAME = 1,    /* name of the SMB server, as in \\NAME\share; must be set */
	SWNC_SERVER = 2,      /* its IPv4 or IPv6 address of the SMB connection; must be set */
	SWNC_SHARE = 3,       /* register for a share, too: SHARE_MOVE [none] */
	SWNC_CLIENT_NAME = 4, /* of this computer [host name] */
	SWNC_USER = 5,        /* [whoever the Kerberos credential cache or client keytab has] */
	SWNC_DOMAIN = 6,      /* of the user: NTLM domain or Kerberos realm [none] */
	SWNC_PASSWORD = 7,    /* [a key from the credential cache or client keytab] */
	SWNC_TARGET = 8,      /* service to get a ticket for, SERVICE@HOST [cifs@NET_NAME] */

	/* Numbers */
	SWNC_VERSION = 20,         /* 1: register as Windows 8 does [2] */
	SWNC_IP_NOTIFICATION = 21, /* 1: IP_CHANGE is wanted, too; not with version 1 [0] */
	SWNC_KEEP_ALIVE_S = 22,    /* the server answers after that time at the latest [120] */
	SWNC_RESUME = 23, /* 1: after a loss ask the same witness with the old handle first [0] */
	SWNC_MECHANISMS = 24, /* SWNC_KERBEROS, SWNC_NTLM or both [both; without a user Kerberos] */
	SWNC_SEAL = 25,       /* 1: encrypt, not only sign [0] */
	SWNC_EPM_PORT = 26,   /* TCP port of the endpoint mapper [135] */
	SWNC_STEP_TIMEOUT_MS = 27, /* of each step except waiting, 100 to 3600000 [15000] */
};

#define SWNC_KERBEROS 0x1U
#define SWNC_NTLM     0x2U

/** @return NULL when memory is short */
struct swnc_config *swnc_config_new(void);
/** Accepts NULL. Passwords are overwritten. */
void swnc_config_free(struct swnc_config *config);

/** The text is copied. @return 0; EINVAL (not an option with text, or not such text); ENOMEM */
int swnc_config_set_text(struct swnc_config *config, enum swnc_option option, const char *text);
/** @return 0 or EINVAL (not an option with a number, or out of its range) */
int swnc_config_set_number(struct swnc_config *config, enum swnc_option option, uint32_t number);

/* ---- events ---- */

enum swnc_event_type {
	SWNC_REGISTERED = 1, /* with witness, group, version */
	SWNC_NOTIFIED = 2,   /* see message, changes and addresses */
	SWNC_REREGISTERING =
		3,        /* the witness has ended the registration; the library registers again */
	SWNC_LOST = 4,    /* the connection to the witness is lost; the next one is tried */
	SWNC_RESUMED = 5, /* connected again, with the old registration */
	SWNC_FAILED = 6, /* a step failed; it is retried after retry_ms, or with the next witness */
};

/* Type of a notification, as on the wire; future servers may send others. */
enum swnc_message {
	SWNC_RESOURCE_CHANGE = 1, /* changes: addresses or names that failed or came back */
	SWNC_CLIENT_MOVE = 2,     /* addresses: use one of those that are available */
	SWNC_SHARE_MOVE = 3,      /* the same for the share that was registered */
	SWNC_IP_CHANGE = 4,       /* addresses that were added, removed, or changed state */
};

enum swnc_state {
	SWNC_UNKNOWN = 0,
	SWNC_AVAILABLE = 1,
	SWNC_UNAVAILABLE = 2,
};

struct swnc_change {
	const char *name; /* an address in text, or a name */
	enum swnc_state state;
};

struct swnc_address {
	const char *address; /* IPv4 or IPv6, in text; NULL: neither was sent */
	enum swnc_state state;
	uint32_t flags; /* of IPADDR_INFO, as on the wire */
};

struct swnc_event {
	enum swnc_event_type type;
	const char *server;                /* the address that is, or is to be, registered */
	const char *witness;               /* registered with; NULL: none yet */
	const char *group;                 /* REGISTERED: the witness's group name; else NULL */
	uint32_t version;                  /* REGISTERED: 1 or 2 */
	uint32_t message;                  /* NOTIFIED: enum swnc_message */
	const struct swnc_change *changes; /* NOTIFIED, RESOURCE_CHANGE */
	size_t num_changes;
	const struct swnc_address *addresses; /* NOTIFIED, the other messages */
	size_t num_addresses;
	/*
	 * LOST, FAILED: EACCES (logon refused), ENOENT (no credentials), ESRCH (no witness on another
	 * node), EPROTONOSUPPORT (no witness service there), EPROTO (the server breaks the protocol),
	 * EREMOTEIO (the server refuses), ETIMEDOUT, or an errno of connecting or reading.
	 */
	int err;
	const char *step;  /* FAILED: "interfaces", "register" or "resume" */
	const char *why;   /* REREGISTERING, LOST, FAILED: a sentence */
	uint32_t retry_ms; /* FAILED: 0 = at once, with the next witness */
};

/* Names for output; constants, never NULL. */
const char *swnc_event_name(enum swnc_event_type type); /* "registered", "notification" ... */
const char *swnc_message_name(uint32_t message);        /* "RESOURCE_CHANGE"; "UNKNOWN" */
const char *swnc_state_name(enum swnc_state state);     /* "available"; "unknown" */

/* ---- the interfaces of a cluster ---- */

struct swnc_interface {
	const char *group; /* usually one per node; NULL: the server sent none */
	const char *ipv4;  /* NULL: none */
	const char *ipv6;  /* NULL: none */
	enum swnc_state state;
	uint32_t version; /* 1 or 2 */
	int witness;      /* whether to register there, as seen from this node */
};

struct swnc_interfaces {
	const struct swnc_interface *entries;
	size_t num;
};

/**
 * Ask the server for the cluster's interfaces, once. A server answers only while one is available.
 * @param why when not NULL and the answer is not 0: a sentence, or NULL; free() it
 * @return 0 (free with swnc_interfaces_free()); EINVAL (an option is missing); errors of struct swnc_event
 */
int swnc_get_interfaces(const struct swnc_config *config, struct swnc_interfaces **out, char **why);
/** Accepts NULL. Not for lists of the tevent interface, which talloc frees. */
void swnc_interfaces_free(struct swnc_interfaces *list);

/* ---- the blocking interface ---- */

/* A registration. Everything happens in swnc_next(), so call it in a loop. */
struct swnc_session;

/** Begin; the configuration is copied. @return 0, EINVAL (an option is missing), ENOMEM, or of the system */
int swnc_open(const struct swnc_config *config, struct swnc_session **out);

/**
 * Wait for the next event. The session registers, waits, and registers again as needed; it goes on after
 * FAILED, too, unless the program closes it.
 * @param timeout_ms negative: no timeout; 0: do not wait
 * @param event      valid until the next call with this session
 * @return 0; ETIMEDOUT; ECANCELED (swnc_wake()); ENOMEM; or the errno of the event loop
 */
int swnc_next(struct swnc_session *session, int timeout_ms, const struct swnc_event **event);

/** Make swnc_next() return ECANCELED, this one or the next. For signal handlers and other threads, too. */
void swnc_wake(struct swnc_session *session);

/**
 * Unregister, if registered, and free the session in any case. Accepts NULL.
 * @param timeout_ms how long to wait for the server; 0: only close the connection (which also ends it)
 * @return 0; EREMOTEIO (refused); ETIMEDOUT; or the errno of a lost connection
 */
int swnc_close(struct swnc_session *session, unsigned int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
