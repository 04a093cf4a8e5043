/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libswnclient: a client of the Service Witness Protocol (MS-SWN). It registers with a witness of an
 * SMB3 cluster, and from then on is told at once when the address that SMB is spoken with fails, comes
 * back, or should be left for another one. See libswnclient(3).
 *
 * Here is what both interfaces have in common, and the one that blocks. A program with a tevent loop
 * includes <swnclient_tevent.h>.
 *
 * Errors are 0 or a positive errno; outputs are untouched on failure. All text is UTF-8. Text in events and
 * lists comes from the network: it may have any character but NUL. An object is used by one thread at a
 * time; different objects may be used by different threads.
 *
 * Structs may grow at their ends while the soname stays: get them from the library, by pointer.
 */
#ifndef SWNCLIENT_H
#define SWNCLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what to watch, and who we are ---- */

struct swnc_config;

/* Each option is text or a number, as its line says; what is not set has the default in brackets. */
enum swnc_option {
	/* Text; NULL unsets. */
	SWNC_NET_NAME = 1,    /* name of the SMB server, as in \\NAME\share; must be set */
	SWNC_SERVER = 2,      /* its IPv4 or IPv6 address that SMB is spoken with; must be set */
	SWNC_SHARE = 3,       /* register for a share, too: SHARE_MOVE [none] */
	SWNC_CLIENT_NAME = 4, /* of this computer [host name] */
	SWNC_USER = 5,        /* [whoever the Kerberos credential cache or client keytab has] */
	SWNC_DOMAIN = 6,      /* of the user: NTLM domain or Kerberos realm [none] */
	SWNC_PASSWORD = 7,    /* [a key from the credential cache or client keytab] */
	SWNC_TARGET = 8,      /* whom to get a ticket for, SERVICE@HOST [cifs@NET_NAME] */

	/* Numbers */
	SWNC_VERSION = 20,         /* 1: register as Windows 8 does [2] */
	SWNC_IP_NOTIFICATION = 21, /* 1: IP_CHANGE is wanted, too; not with version 1 [0] */
	SWNC_KEEP_ALIVE_S = 22,    /* the server answers at the latest after so long [120] */
	SWNC_RESUME = 23, /* 1: after a loss ask the same witness with the old handle first [0] */
	SWNC_MECHANISMS = 24, /* SWNC_KERBEROS, SWNC_NTLM or both [both; without a user Kerberos] */
	SWNC_SEAL = 25,       /* 1: encrypt, not only sign [0] */
	SWNC_EPM_PORT = 26,   /* TCP port of the endpoint mapper [135] */
	SWNC_STEP_TIMEOUT_MS = 27, /* of each step but the waiting, 100 to 3600000 [15000] */
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

/* ---- what happens ---- */

enum swnc_event_type {
	SWNC_REGISTERED = 1,    /* with witness, group, version */
	SWNC_NOTIFIED = 2,      /* message says what: changes or addresses */
	SWNC_REREGISTERING = 3, /* the witness has ended the registration; it goes on by itself */
	SWNC_LOST = 4,          /* the connection to the witness; the next one is tried */
	SWNC_RESUMED = 5,       /* connected again, with the old registration */
	SWNC_FAILED = 6, /* a step; it is tried again after retry_ms, or with the next witness */
};

/* Type of a notification, as on the wire; others may come from servers of the future. */
enum swnc_message {
	SWNC_RESOURCE_CHANGE = 1, /* changes: addresses or names that failed or came back */
	SWNC_CLIENT_MOVE = 2,     /* addresses: use one of those that are available */
	SWNC_SHARE_MOVE = 3,      /* the same for the share that was registered */
	SWNC_IP_CHANGE = 4,       /* addresses that came, went, or changed their state */
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
	const char *server;  /* the address that is, or is to be, registered */
	const char *witness; /* with whom; NULL: nobody yet */
	const char *group;   /* REGISTERED: what the witness calls itself; else NULL */
	uint32_t version;    /* REGISTERED: 1 or 2 */
	uint32_t message;    /* NOTIFIED: enum swnc_message */
	const struct swnc_change *changes; /* NOTIFIED, RESOURCE_CHANGE */
	size_t num_changes;
	const struct swnc_address *addresses; /* NOTIFIED, the other messages */
	size_t num_addresses;
	/*
	 * LOST, FAILED: EACCES (logon refused), ENOENT (no credentials), ESRCH (no witness on another
	 * node), EPROTONOSUPPORT (no witness service there), EPROTO (the server breaks the protocol),
	 * EREMOTEIO (the server refuses), ETIMEDOUT, or what connecting and reading gave.
	 */
	int err;
	const char *step;  /* FAILED: "interfaces", "register" or "resume" */
	const char *why;   /* REREGISTERING, LOST, FAILED: a sentence */
	uint32_t retry_ms; /* FAILED: 0 = at once, with the next witness */
};

/* For people and for programs; constants, never NULL. */
const char *swnc_event_name(enum swnc_event_type type); /* "registered", "notification" ... */
const char *swnc_message_name(uint32_t message);        /* "RESOURCE_CHANGE"; "UNKNOWN" */
const char *swnc_state_name(enum swnc_state state);     /* "available"; "unknown" */

/* ---- the interfaces of a cluster ---- */

struct swnc_interface {
	const char *group; /* usually one a node; NULL: the server sent none */
	const char *ipv4;  /* NULL: none */
	const char *ipv6;  /* NULL: none */
	enum swnc_state state;
	uint32_t version; /* 1 or 2 */
	int witness;      /* whether one may register there, from this node's point of view */
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

/* A registration and its waiting. Nothing happens but in swnc_next(): call it again and again. */
struct swnc_session;

/** Begin; the configuration is copied. @return 0, EINVAL (an option is missing), ENOMEM, or of the system */
int swnc_open(const struct swnc_config *config, struct swnc_session **out);

/**
 * Wait for the next event. The session registers, waits, and registers again for ever; an event that says
 * FAILED is no end of it, but the program may decide that it is one.
 * @param timeout_ms negative: for ever; 0: look
 * @param event      valid until the next call with this session
 * @return 0; ETIMEDOUT; ECANCELED (swnc_wake()); ENOMEM; or the errno of the event loop
 */
int swnc_next(struct swnc_session *session, int timeout_ms, const struct swnc_event **event);

/** Make swnc_next() return ECANCELED, this one or the next. For signal handlers and other threads, too. */
void swnc_wake(struct swnc_session *session);

/**
 * Unregister, if registered, and free the session, whatever happens. Accepts NULL.
 * @param timeout_ms patience with the server; 0: none, only close the connection (which ends it, too)
 * @return 0; EREMOTEIO (refused); ETIMEDOUT; or that the connection was lost
 */
int swnc_close(struct swnc_session *session, unsigned int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
