/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

/* By name: calls that a libseccomp or an architecture does not know are skipped. */
static const char *const allowed[] = {
	/* descriptors */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek",
	"_llseek", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "flock",
	"pipe", "pipe2", "ioctl", "sendfile", "sendfile64", "splice", "copy_file_range",
	/* files: configuration, maps, smb.conf, logs, replay cache, libqb's rings */
	"open", "openat", "openat2", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
	"newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access",
	"faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir",
	"chmod", "fchmod", "fchmodat", "chown", "lchown", "fchown", "fchownat", "chown32",
	"lchown32", "fchown32", "ftruncate", "ftruncate64", "truncate", "truncate64", "fallocate",
	"fsync", "fdatasync", "umask", "utimensat", "fadvise64", "memfd_create", "inotify_init1",
	"inotify_add_watch", "inotify_rm_watch",
	/* memory */
	"mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "msync", "mlock",
	"munlock", "membarrier", "mincore",
	/* network */
	"connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername",
	"setsockopt", "getsockopt", "send", "recv", "sendto", "recvfrom", "sendmsg", "recvmsg",
	"sendmmsg", "recvmmsg", "shutdown", "socketpair",
	/* waiting, clocks */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
	"eventfd2", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_settime64",
	"timerfd_gettime", "timerfd_gettime64", "clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
	"gettimeofday", "time", "times", "getitimer", "setitimer", "alarm", "pause",
	/* threads and signals */
	"futex", "futex_time64", "futex_waitv", "set_tid_address", "set_robust_list",
	"get_robust_list", "rseq", "exit", "exit_group", "tgkill", "tkill", "kill", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending", "rt_sigsuspend",
	"rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigqueueinfo", "sigaltstack",
	"restart_syscall", "wait4", "waitid", "waitpid", "sched_yield", "sched_getaffinity",
	"sched_getparam", "sched_getscheduler", "getcpu", "arch_prctl", "semget", "semop", "semctl",
	"semtimedop",
	/* who we are */
	"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getuid32",
	"geteuid32", "getgid32", "getegid32", "getresuid", "getresgid", "getresuid32",
	"getresgid32", "getgroups", "getgroups32", "getpgrp", "getpgid", "getsid", "uname",
	"sysinfo", "getrusage", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getpriority",
	"capget", "capset", "prctl", "getrandom"};

/* With programs: needed before and after exec. */
static const char *const for_programs[] = {
	"execve", "fork",   "vfork",     "setpgid",   "setsid",    "chdir",  "fchdir",
	"setuid", "setgid", "setgroups", "setresuid", "setresgid", "seccomp"};

/* Neither we nor our libraries ever need these. */
static const char *const deadly[] = {"ptrace",
				     "process_vm_readv",
				     "process_vm_writev",
				     "kcmp",
				     "pidfd_getfd",
				     "bpf",
				     "perf_event_open",
				     "userfaultfd",
				     "init_module",
				     "finit_module",
				     "delete_module",
				     "kexec_load",
				     "kexec_file_load",
				     "mount",
				     "umount",
				     "umount2",
				     "mount_setattr",
				     "move_mount",
				     "open_tree",
				     "fsopen",
				     "fsmount",
				     "pivot_root",
				     "chroot",
				     "setns",
				     "unshare",
				     "swapon",
				     "swapoff",
				     "reboot",
				     "acct",
				     "quotactl",
				     "settimeofday",
				     "clock_settime",
				     "clock_settime64",
				     "adjtimex",
				     "clock_adjtime",
				     "iopl",
				     "ioperm",
				     "modify_ldt",
				     "open_by_handle_at",
				     "lookup_dcookie",
				     "mknod",
				     "mknodat",
				     "sethostname",
				     "setdomainname",
				     "syslog",
				     "vhangup",
				     "personality",
				     "execveat"};

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* @return 0 or an errno */
static int add(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned int num_args,
	       const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name), ret;

	if (nr == __NR_SCMP_ERROR) {
		return 0;
	}
	ret = seccomp_rule_add_array(ctx, action, nr, num_args, args);
	/* -EDOM: not on this architecture */
	return ret == 0 || ret == -EDOM ? 0 : -ret;
}

static int add_all(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t num)
{
	int err = 0;

	for (size_t i = 0; i < num && err == 0; i++) {
		err = add(ctx, action, names[i], 0, NULL);
	}
	return err;
}

static int add_family(scmp_filter_ctx ctx, int family)
{
	struct scmp_arg_cmp arg = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)family};

	return add(ctx, SCMP_ACT_ALLOW, "socket", 1, &arg);
}

/* Threads, or with programs any process, but none in a namespace of its own. */
static int add_clone(scmp_filter_ctx ctx, bool programs)
{
	scmp_datum_t must = programs ? 0 : CLONE_THREAD;
	struct scmp_arg_cmp flags = {
		.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = must | NAMESPACES, .datum_b = must};

	/*
	 * The flags of clone3() are in memory, which a filter cannot read. It fails with ENOSYS like unknown
	 * calls, and the C library falls back to clone().
	 */
	return add(ctx, SCMP_ACT_ALLOW, "clone", 1, &flags);
}

static int fill(scmp_filter_ctx ctx, bool log, bool programs)
{
	uint32_t kill = log ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;
	int err = add_all(ctx, SCMP_ACT_ALLOW, allowed, COUNT(allowed));

	for (size_t i = 0; i < COUNT(families) && err == 0; i++) {
		err = add_family(ctx, families[i]);
	}
	if (err == 0) {
		err = add_clone(ctx, programs);
	}
	if (err == 0 && programs) {
		err = add_all(ctx, SCMP_ACT_ALLOW, for_programs, COUNT(for_programs));
	}
	if (err == 0 && programs) {
		err = add_family(ctx, AF_PACKET); /* the tickle agent's */
	}
	if (err == 0 && !programs && !log) {
		err = add(ctx, kill, "execve", 0, NULL);
	}
	/* In a filter that logs what it does not know these are unknown. */
	return err == 0 && !log ? add_all(ctx, kill, deadly, COUNT(deadly)) : err;
}

static int load(bool log, bool programs)
{
	scmp_filter_ctx ctx = seccomp_init(log ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(ENOSYS));
	int err;

	if (ctx == NULL) {
		return ENOMEM;
	}
	err = -seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (err == 0) {
		(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
		err = fill(ctx, log, programs);
	}
	if (err == 0) {
		err = -seccomp_load(ctx);
	}
	seccomp_release(ctx);
	return err;
}

int sandbox_parse(const char *text, enum sandbox_mode *mode)
{
	static const char *const names[] = {
		[SANDBOX_NO] = "no", [SANDBOX_LOG] = "log", [SANDBOX_YES] = "yes"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*mode = (enum sandbox_mode)i;
			return 0;
		}
	}
	return EINVAL;
}

bool sandbox_available(void)
{
	return !SANITIZED;
}

int sandbox_enter(enum sandbox_mode mode, bool programs)
{
	return mode == SANDBOX_NO || SANITIZED ? 0 : load(mode == SANDBOX_LOG, programs);
}
