/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into a witnessd whose time jumps and whose memory is short. The file WITNESS_FAULTS is mapped, and
 * has two numbers of 64 bits in the machine's order: by how many seconds the clock of the day is ahead, and of how
 * many allocations one fails (0: none). Programs that it starts do not get this.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct knobs {
	_Atomic int64_t ahead_s;
	_Atomic uint64_t one_in;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct knobs none;
static struct knobs *knobs = &none;
static _Atomic uint64_t chance = 1;

__attribute__((constructor)) static void find_knobs(void)
{
	const char *path = getenv("WITNESS_FAULTS");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = MAP_FAILED;

	if (fd >= 0) {
		map = mmap(NULL, sizeof(struct knobs), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (map != MAP_FAILED) {
		knobs = map;
	}
	unsetenv("LD_PRELOAD");
}

/* Which ones fail is the same in each run of the program, as far as its allocations are. */
static int fails(void)
{
	uint64_t one_in = atomic_load(&knobs->one_in);
	uint64_t number;

	if (one_in == 0) {
		return 0;
	}
	number = atomic_fetch_add(&chance, 1) * UINT64_C(6364136223846793005);
	if ((number >> 33) % one_in != 0) {
		return 0;
	}
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t num, size_t size)
{
	return fails() ? NULL : __libc_calloc(num, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, now);

	if (ret == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		now->tv_sec += atomic_load(&knobs->ahead_s);
	}
	return ret;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;

	clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec exact;

	clock_gettime(CLOCK_REALTIME, &exact);
	if (out != NULL) {
		*out = exact.tv_sec;
	}
	return exact.tv_sec;
}
