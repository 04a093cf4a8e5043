/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/remote.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessctl/ctl.h"

#define LINE_MAX_LEN 1024

int remote_usage(const struct remote *remote, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "witnessctl %s: ", remote->command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CTL_USAGE;
}

int remote_number(const struct remote *remote, const char *option, const char *text,
		  unsigned long min, unsigned long max, unsigned long *out)
{
	char *end = NULL;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n < min || n > max) {
		return remote_usage(remote, "--%s must be a number from %lu to %lu, not \"%s\"",
				    option, min, max, text);
	}
	*out = n;
	return -1;
}

int remote_password_file(struct remote *remote, const char *path)
{
	char line[LINE_MAX_LEN];
	FILE *f = fopen(path, "re");
	bool got;

	if (f == NULL) {
		return remote_usage(remote, "%s: %s", path, strerror(errno));
	}
	got = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	if (!got) {
		return remote_usage(remote, "%s: no password in it", path);
	}
	line[strcspn(line, "\r\n")] = '\0';
	remote->password = talloc_strdup(remote->mem_ctx, line);
	explicit_bzero(line, sizeof(line));
	return -1;
}

/* The value of a line "key = value", in place; NULL when the line has another key. */
static char *value_of(char *line, const char *key)
{
	size_t len = strlen(key);
	char *p = line + strspn(line, " \t"), *end;

	if (strncasecmp(p, key, len) != 0) {
		return NULL;
	}
	p += len;
	p += strspn(p, " \t");
	if (*p != '=') {
		return NULL;
	}
	p++;
	p += strspn(p, " \t");
	end = p + strlen(p);
	while (end > p && isspace((unsigned char)end[-1])) {
		end--;
	}
	*end = '\0';
	return p;
}

int remote_auth_file(struct remote *remote, const char *path)
{
	char line[LINE_MAX_LEN];
	FILE *f = fopen(path, "re");
	char *user = NULL, *domain = NULL, *value;

	if (f == NULL) {
		return remote_usage(remote, "%s: %s", path, strerror(errno));
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if ((value = value_of(line, "username")) != NULL) {
			user = talloc_strdup(remote->mem_ctx, value);
		} else if ((value = value_of(line, "password")) != NULL) {
			remote->password = talloc_strdup(remote->mem_ctx, value);
		} else if ((value = value_of(line, "domain")) != NULL) {
			domain = talloc_strdup(remote->mem_ctx, value);
		}
	}
	explicit_bzero(line, sizeof(line));
	fclose(f);
	if (user == NULL || remote->password == NULL) {
		return remote_usage(remote, "%s: must have username = and password =", path);
	}
	remote->user = domain != NULL && domain[0] != '\0'
			       ? talloc_asprintf(remote->mem_ctx, "%s\\%s", domain, user)
			       : user;
	return -1;
}

int remote_password(struct remote *remote, char *arg)
{
	remote->password = talloc_strdup(remote->mem_ctx, arg);
	explicit_bzero(arg, strlen(arg));
	return -1;
}

int remote_resolve(const struct remote *remote, struct ipaddr *out)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct sockaddr_storage ss = {0};
	int ret;

	if (remote->server == NULL) {
		return remote_usage(remote, "--server is missing");
	}
	if (ipaddr_parse(remote->server, out) == 0) {
		return -1;
	}
	ret = getaddrinfo(remote->server, NULL, &hints, &found);
	if (ret != 0) {
		return remote_usage(remote, "--server %s: %s", remote->server, gai_strerror(ret));
	}
	memcpy(&ss, found->ai_addr, found->ai_addrlen);
	*out = ipaddr_from_sockaddr(&ss);
	freeaddrinfo(found);
	return -1;
}

int remote_credentials(struct remote *remote)
{
	const char *backslash = remote->user != NULL ? strchr(remote->user, '\\') : NULL;

	if (remote->kerberos && remote->ntlm) {
		return remote_usage(remote, "--kerberos and --ntlm exclude each other");
	}
	if (remote->ntlm && remote->user == NULL) {
		return remote_usage(remote, "--ntlm needs a user");
	}
	if (remote->user == NULL) {
		return -1;
	}
	if (remote->password == NULL) {
		remote->password = getenv("WITNESSCTL_PASSWORD");
	}
	if (remote->password == NULL && !remote->kerberos) {
		return remote_usage(remote, "a user needs a password: in a file, in "
					    "WITNESSCTL_PASSWORD, or by option");
	}
	remote->account = backslash != NULL ? backslash + 1 : remote->user;
	if (backslash != NULL) {
		remote->domain = talloc_strndup(remote->mem_ctx, remote->user,
						(size_t)(backslash - remote->user));
	}
	return -1;
}
