/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A failing history, in processes of its own, with fewer and fewer steps. */
#include "tests/sim/sim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

char *sim_verdict;

void sim_fail(const struct sim *sim, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (sim_verdict != NULL) {
		vsnprintf(sim_verdict, SIM_VERDICT_MAX, fmt, ap);
	}
	va_end(ap);
	fflush(stdout);
	_exit(1);
}

void sim_say(const struct sim *sim, const char *fmt, ...)
{
	va_list ap;

	if (!sim->loud) {
		return;
	}
	va_start(ap, fmt);
	printf("#   ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
}

static void run_child(const struct sim_history *history, bool loud)
{
	struct sim_stats stats = {0};

	alarm(SIM_HANGS_S);
	sim_history_run(history, loud, &stats);
	_exit(0);
}

bool sim_try(const struct sim_history *history, bool loud, char *why)
{
	int status = 0;
	pid_t pid;

	sim_verdict = mmap(NULL, SIM_VERDICT_MAX, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sim_verdict == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		run_child(history, loud);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		exit(2);
	}
	if (WIFSIGNALED(status)) {
		snprintf(why, SIM_VERDICT_MAX, "killed by signal %d", WTERMSIG(status));
	} else {
		snprintf(why, SIM_VERDICT_MAX, "%s",
			 sim_verdict[0] != '\0' ? sim_verdict : "an assertion of the harness");
	}
	munmap(sim_verdict, SIM_VERDICT_MAX);
	sim_verdict = NULL;
	return status == 0;
}

static bool fails_without(const struct sim_history *history, size_t from, size_t num,
			  struct sim_history *shorter)
{
	char why[SIM_VERDICT_MAX];

	*shorter = *history;
	memmove(&shorter->steps[from], &shorter->steps[from + num],
		(history->num - from - num) * sizeof(shorter->steps[0]));
	shorter->num -= num;
	return !sim_try(shorter, false, why);
}

void sim_shrink(struct sim_history *history)
{
	struct sim_history shorter;
	size_t chunk = history->num / 2;

	while (chunk > 0) {
		bool any = false;

		for (size_t from = 0; from + chunk <= history->num;) {
			if (fails_without(history, from, chunk, &shorter)) {
				*history = shorter;
				any = true;
			} else {
				from += chunk;
			}
		}
		if (!any || chunk > 1) {
			chunk /= 2;
		}
	}
}
