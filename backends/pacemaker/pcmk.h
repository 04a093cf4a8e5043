/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of Pacemaker's libraries that this backend may use.
 *
 * The same source has to build and behave alike from Pacemaker 2.1.5 (Debian 12) to 3.0.2. Of the scheduler
 * library only these are the same in all of them:
 *     pe_new_working_set() pe_free_working_set() cluster_status() pe_find_node() pe_rsc_params()
 *     working set: input nodes flags;  resource: id flags
 *     node: details->online pending unclean shutdown maintenance running_rsc
 * Other members of nodes and resources are hidden since 3.0.0, and the macros with XML names are
 * deprecated since 2.1.8: names are written as literals here. Of libcib: cib_new(), cib_delete() and,
 * of the operations, signon, signoff, query, register_callback_full, add_notify_callback and
 * set_connection_dnotify. tests/lint looks for the members and macros that must not be used.
 */
#ifndef BACKENDS_PACEMAKER_PCMK_H
#define BACKENDS_PACEMAKER_PCMK_H

#include <crm/cib.h>
#include <crm/pengine/complex.h>
#include <crm/pengine/status.h>

/* The types were renamed in 2.1.7, which also brought this header. */
#if __has_include(<crm/common/scheduler_types.h>)
typedef pcmk_scheduler_t pm_scheduler;
typedef pcmk_node_t pm_node;
typedef pcmk_resource_t pm_resource;
#else
typedef pe_working_set_t pm_scheduler;
typedef pe_node_t pm_node;
typedef pe_resource_t pm_resource;
#endif

/**
 * Initialise Pacemaker's libraries in this process; call it before parsing any XML for them. Undoes what that
 * changes for the rest of the daemon: umask, locale, GLib's log handler, libqb's log settings. Clears the
 * environment variables that would make libcib talk to anything but this node's cluster. Further calls do
 * nothing.
 */
void pcmk_init(void);

#endif
