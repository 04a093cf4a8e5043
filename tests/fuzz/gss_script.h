/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GSSAPI as an input says that it answers, for the targets of authenticated connections: no fuzzer forges a
 * ticket or a signature. The linker puts it in the place of the library (--wrap, in the Makefile), and of the
 * thread pool, so that steps run on the event loop. Whatever has to be read or written is read or written, so
 * that a sanitizer sees it; nothing is encrypted. rpc/sec*.c and rpc/ntlm_*.c are the real ones.
 */
#ifndef TESTS_FUZZ_GSS_SCRIPT_H
#define TESTS_FUZZ_GSS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tevent.h>

#include "witnessd/rpc/auth.h"

/*
 * A script: the answers of the steps, one byte each (after the last the first again); 16 bits, whether an
 * unprotect fails, again and again; what is strange with complete contexts; how they protect. See gss_script.c.
 */
#define GSS_SCRIPT_STEPS 8
#define GSS_SCRIPT_SIZE  (GSS_SCRIPT_STEPS + 4)

/* The name of somebody who has as many connections as anybody may have; the target makes that true. */
#define GSS_SCRIPT_MANY "many@EXAMPLE"

struct gss_script_stats {
	unsigned int completed; /* contexts, by the mechanism's account */
	unsigned int verified;  /* PDUs */
	unsigned int refused;   /* ditto */
	unsigned int contexts;  /* that are there */
	unsigned int names_etc; /* names and credentials that are there */
};

/** A pool and, for an acceptor, credentials of each kind; never freed. Call once. */
struct rpc_auth *gss_script_auth(struct tevent_context *ev, bool acceptor);

/** Begin with a script of GSS_SCRIPT_SIZE bytes, borrowed. What an earlier one left would be a finding. */
void gss_script_begin(const uint8_t *script);

/** Run the step that was submitted, if there is one that ends. */
void gss_script_run(void);

/** Whether a step was submitted that does not end. */
bool gss_script_hangs(void);

const struct gss_script_stats *gss_script_stats(void);

#endif
