/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * usage: sim [-n HISTORIES] [-s SEED] [-j JOBS] [-k HOURS]
 *
 * Runs histories SEED, SEED+1, ... and a simulated day of keep-alives; TAP on standard output. A history
 * that fails is made as short as it can be, and told with the command that repeats it.
 */
#include <getopt.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/sim.h"

#define JOBS_MAX 64U

struct options {
	uint64_t histories, seed;
	unsigned int jobs, hours;
};

/* What a worker shows to the one who waits for it. */
struct worker {
	uint64_t seed; /* being run */
	struct sim_stats stats;
};

static void work(const struct options *opt, unsigned int job, struct worker *worker)
{
	struct sim_history history;

	for (uint64_t i = job; i < opt->histories; i += opt->jobs) {
		worker->seed = opt->seed + i;
		alarm(SIM_HANGS_S);
		sim_history_make(&history, worker->seed);
		sim_history_run(&history, false, &worker->stats);
	}
	_exit(0);
}

static void report(uint64_t seed)
{
	struct sim_history history;
	char why[SIM_VERDICT_MAX];

	sim_history_make(&history, seed);
	if (sim_try(&history, false, why)) {
		printf("# history %llu fails only after others\n", (unsigned long long)seed);
		return;
	}
	sim_shrink(&history);
	printf("# history %llu%s fails, and so do these of its steps:\n", (unsigned long long)seed,
	       history.beats ? " (with heartbeats)" : "");
	(void)sim_try(&history, true, why);
	printf("# %s\n# again: make sim SEED=%llu HISTORIES=1\n", why, (unsigned long long)seed);
}

/* @return how many of the workers have failed */
static unsigned int run_all(const struct options *opt, struct worker *workers)
{
	pid_t pids[JOBS_MAX];
	unsigned int failed = 0;

	fflush(NULL);
	for (unsigned int i = 0; i < opt->jobs; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			work(opt, i, &workers[i]);
		}
	}
	for (unsigned int i = 0; i < opt->jobs; i++) {
		int status = 1;

		if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0) {
			report(workers[i].seed);
			failed++;
		}
	}
	return failed;
}

static bool run_histories(const struct options *opt)
{
	struct worker *workers = mmap(NULL, JOBS_MAX * sizeof(*workers), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sim_stats sum = {0};
	unsigned int failed;

	if (workers == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	failed = run_all(opt, workers);
	for (unsigned int i = 0; i < opt->jobs; i++) {
		sum.histories += workers[i].stats.histories;
		sum.steps += workers[i].stats.steps;
		sum.told += workers[i].stats.told;
		sum.moved += workers[i].stats.moved;
		sum.taken += workers[i].stats.taken;
		sum.ordered += workers[i].stats.ordered;
	}
	printf("# %llu histories, %llu steps, %llu notifications (%llu of them moves), %llu orders "
	       "carried out, %llu clients went on elsewhere\n",
	       (unsigned long long)sum.histories, (unsigned long long)sum.steps,
	       (unsigned long long)sum.told, (unsigned long long)sum.moved,
	       (unsigned long long)sum.ordered, (unsigned long long)sum.taken);
	munmap(workers, JOBS_MAX * sizeof(*workers));
	return failed == 0 && sum.histories == opt->histories;
}

static bool parse(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:j:k:")) != -1) {
		uint64_t value = optarg != NULL ? strtoull(optarg, NULL, 10) : 0;

		switch (c) {
		case 'n':
			opt->histories = value;
			break;
		case 's':
			opt->seed = value;
			break;
		case 'j':
			opt->jobs = value == 0 || value > JOBS_MAX ? JOBS_MAX : (unsigned int)value;
			break;
		case 'k':
			opt->hours = (unsigned int)value;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options opt = {.histories = 200000,
			      .seed = 1,
			      .jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
			      .hours = 24};
	bool ok, ok_day;

	if (!parse(argc, argv, &opt)) {
		fprintf(stderr, "usage: sim [-n HISTORIES] [-s SEED] [-j JOBS] [-k HOURS]\n");
		return 2;
	}
	printf("1..%d\n", opt.hours > 0 ? 2 : 1);
	ok = run_histories(&opt);
	printf("%s 1 - %llu histories from seed %llu\n", ok ? "ok" : "not ok",
	       (unsigned long long)opt.histories, (unsigned long long)opt.seed);
	fflush(stdout);
	if (opt.hours == 0) {
		return ok ? 0 : 1;
	}
	ok_day = sim_keepalive(300, opt.hours);
	printf("%s 2 - %u hours of keep-alives\n", ok_day ? "ok" : "not ok", opt.hours);
	return ok && ok_day ? 0 : 1;
}
