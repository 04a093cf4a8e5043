/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a fuzz target over the files and folders given as arguments, with any compiler: what a fuzzer
 * has found once stays found. A folder that is missing or empty is a failure, not a success.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int replay(const char *path);

static unsigned int give_up(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(1);
}

/* The data is in a block of exactly its size, so that a sanitizer sees each byte read too many. */
static unsigned int replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size > 0 ? size : 1);
	FILE *f = fopen(path, "rb");

	if (data == NULL || f == NULL || fread(data, 1, size, f) != size) {
		return give_up(path, strerror(errno));
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static unsigned int replay_dir(const char *path)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	unsigned int num = 0;

	if (n < 0) {
		return give_up(path, strerror(errno));
	}
	for (int i = 0; i < n; i++) {
		char *child = NULL;

		if (names[i]->d_name[0] != '.') {
			if (asprintf(&child, "%s/%s", path, names[i]->d_name) == -1) {
				return give_up(path, "memory is short");
			}
			num += replay(child);
			free(child);
		}
		free(names[i]);
	}
	free(names);
	if (num == 0) {
		return give_up(path, "no inputs in there");
	}
	return num;
}

static unsigned int replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		return give_up(path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode)) {
		return replay_dir(path);
	}
	return replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	unsigned int num = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		num += replay(argv[i]);
	}
	printf("%u inputs\n", num);
	return 0;
}
