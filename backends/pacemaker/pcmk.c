/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/pcmk.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "witnessd/util/log.h"

/* What cib_new() obeys: a shadow copy, a file, or a remote cluster instead of this one. */
static const char *const cib_environment[] = {
	"CIB_shadow", "CIB_file",   "CIB_port",      "CIB_server",
	"CIB_user",   "CIB_passwd", "CIB_encrypted",
};

void pcmk_init(void)
{
	static bool done; /* as the libraries' own state: once a process */
	char name[] = "witnessd";
	char *argv[] = {name, NULL};
	const char *locale;
	char *locale_before;
	mode_t umask_before;

	if (done) {
		return;
	}
	done = true;
	for (size_t i = 0; i < sizeof(cib_environment) / sizeof(cib_environment[0]); i++) {
		unsetenv(cib_environment[i]);
	}

	locale = setlocale(LC_ALL, NULL);
	locale_before = locale == NULL ? NULL : strdup(locale);
	umask_before = umask(0);
	log_suspend();

	/* Also hooks into libxml2: XML parsed before lacks the private data cluster_status() needs. */
	crm_log_preinit(name, 1, argv);

	umask(umask_before);
	if (locale_before != NULL) {
		setlocale(LC_ALL, locale_before);
		free(locale_before);
	}
	g_log_set_default_handler(g_log_default_handler, NULL);
	log_restore();
}
