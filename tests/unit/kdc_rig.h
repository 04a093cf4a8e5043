/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A Kerberos realm of the test's own: WIT.TEST on a loopback port, everything in a temporary
 * directory, told to the libraries by the environment of the test's process.
 */
#ifndef WITNESSD_TESTS_KDC_RIG_H
#define WITNESSD_TESTS_KDC_RIG_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/auth_rig.h"

#define KDC_REALM    "WIT.TEST"
#define KDC_USER     "wituser"
#define KDC_PASSWORD "Sesam,0ffne"
#define KDC_KEYS     "aes256-cts:normal,aes128-sha2:normal,aes256-sha2:normal"

struct kdc_rig {
	char dir[64];
	uint16_t port;
	pid_t pid;
};

static inline const char *kdc_path(const struct kdc_rig *kdc, const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/%s", kdc->dir, name);
	return buf;
}

static inline void kdc_export(const struct kdc_rig *kdc, const char *var, const char *name)
{
	char path[128];

	setenv(var, kdc_path(kdc, name, path), 1);
}

/* In a child: run argv with its output thrown away. Dies with the test. */
static inline pid_t kdc_spawn(const struct kdc_rig *kdc, const char *const argv[])
{
	pid_t pid = fork();
	char path[128];
	int fd;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open(kdc_path(kdc, "log", path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			  0600);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid;
}

static inline void kdc_run(const struct kdc_rig *kdc, const char *const argv[])
{
	pid_t pid = kdc_spawn(kdc, argv);
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fail_msg("%s %s: status 0x%x, see %s/log", argv[0], argv[1], status, kdc->dir);
	}
}

static inline void kdc_admin(const struct kdc_rig *kdc, const char *fmt, ...)
{
	char query[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(query, sizeof(query), fmt, ap);
	va_end(ap);
	kdc_run(kdc, (const char *const[]){"kadmin.local", "-q", query, NULL});
}

static inline int kdc_connect(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	ret = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	close(fd);
	return ret;
}

/* Below the ports that the kernel gives to others: the KDC opens it a good while later. */
static inline uint16_t kdc_free_port(void)
{
	enum { LOWEST = 20000, COUNT = 12000 };
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int ret = -1;

	for (int i = 0; i < COUNT && ret != 0; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		sin.sin_port = htons((uint16_t)(LOWEST + (getpid() + i) % COUNT));
		ret = bind(fd, (struct sockaddr *)&sin, sizeof(sin));
		close(fd);
	}
	assert_int_equal(ret, 0);
	return ntohs(sin.sin_port);
}

/* enctypes are those permitted; NULL for the library's choice. */
static inline void kdc_write_client_config(const struct kdc_rig *kdc, const char *name,
					   const char *enctypes)
{
	char path[128], text[1024];

	snprintf(text, sizeof(text),
		 "[libdefaults]\n default_realm = " KDC_REALM "\n dns_lookup_kdc = false\n"
		 " dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n"
		 "%s%s\n"
		 "[realms]\n " KDC_REALM " = {\n  kdc = 127.0.0.1:%u\n }\n"
		 "[domain_realm]\n .wit.test = " KDC_REALM "\n",
		 enctypes == NULL ? "" : " permitted_enctypes = ", enctypes == NULL ? "" : enctypes,
		 kdc->port);
	rig_write_file(kdc_path(kdc, name, path), text);
}

static inline void kdc_write_config(const struct kdc_rig *kdc)
{
	char path[128], text[1024];

	kdc_write_client_config(kdc, "krb5.conf", NULL);
	snprintf(text, sizeof(text),
		 "[kdcdefaults]\n kdc_listen = 127.0.0.1:%u\n kdc_tcp_listen = 127.0.0.1:%u\n"
		 "[realms]\n " KDC_REALM " = {\n  database_name = %s/principal\n"
		 "  key_stash_file = %s/stash\n  acl_file = %s/acl\n }\n"
		 "[logging]\n kdc = FILE:%s/kdc.log\n",
		 kdc->port, kdc->port, kdc->dir, kdc->dir, kdc->dir, kdc->dir);
	rig_write_file(kdc_path(kdc, "kdc.conf", path), text);
}

static inline void kdc_wait_until_it_listens(const struct kdc_rig *kdc)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (int i = 0; i < 3000; i++) {
		int status;

		if (kdc_connect(kdc->port) == 0) {
			return;
		}
		assert_int_equal(waitpid(kdc->pid, &status, WNOHANG), 0);
		nanosleep(&pause, NULL);
	}
	fail_msg("the KDC does not listen, see %s/kdc.log", kdc->dir);
}

/* KRB5CCNAME names a cache that does not exist yet, KRB5_KTNAME a keytab that never does. */
static inline void kdc_start(struct kdc_rig *kdc)
{
	char path[1024];

	strcpy(kdc->dir, "/tmp/test_kdc.XXXXXX");
	assert_non_null(mkdtemp(kdc->dir));
	kdc->port = kdc_free_port();
	kdc_write_config(kdc);
	kdc_export(kdc, "KRB5_CONFIG", "krb5.conf");
	kdc_export(kdc, "KRB5_KDC_PROFILE", "kdc.conf");
	kdc_export(kdc, "KRB5CCNAME", "ccache");
	kdc_export(kdc, "KRB5_KTNAME", "no-such-keytab");
	kdc_export(kdc, "KRB5RCACHEDIR", "");
	snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin", getenv("PATH"));
	setenv("PATH", path, 1);
	kdc_run(kdc, (const char *const[]){"kdb5_util", "create", "-s", "-P", "master", "-r",
					   KDC_REALM, NULL});
	kdc_admin(kdc, "addprinc -e %s -pw %s %s", KDC_KEYS, KDC_PASSWORD, KDC_USER);
	kdc_admin(kdc, "setstr krbtgt/" KDC_REALM " session_enctypes "
		       "\"aes256-cts aes128-sha2 aes256-sha2\"");
	kdc->pid = kdc_spawn(kdc, (const char *const[]){"krb5kdc", "-n", NULL});
	kdc_wait_until_it_listens(kdc);
}

/* A service principal cifs/HOST.wit.test with one key, also for sessions, in a keytab of the directory. */
static inline void kdc_add_service(const struct kdc_rig *kdc, const char *host, const char *enctype,
				   const char *keytab)
{
	kdc_admin(kdc, "addprinc -randkey -e %s:normal cifs/%s.wit.test", enctype, host);
	kdc_admin(kdc, "setstr cifs/%s.wit.test session_enctypes %s", host, enctype);
	kdc_admin(kdc, "ktadd -norandkey -k %s/%s cifs/%s.wit.test", kdc->dir, keytab, host);
}

static inline void kdc_stop(struct kdc_rig *kdc)
{
	int status;

	if (kdc->pid > 0) {
		kill(kdc->pid, SIGTERM);
		waitpid(kdc->pid, &status, 0);
	}
	rig_remove_tree(kdc->dir);
}

#endif
