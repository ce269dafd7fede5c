/*
 * tests/fuzz/replay.c - main of every fuzz target outside libFuzzer: runs it over its corpus
 *
 * fuzz_x [FILE|DIRECTORY]...; without arguments $SYSCTR_SRCDIR/tests/fuzz/corpus/x. Each input is
 * also cut short and has bits flipped, so that a small corpus reaches further. TAP on stdout.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	INPUT_MAX = 1 << 20,
	CUTS_MAX = 256,
	FLIPS_MAX = 2048
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An exact copy, so that a sanitizer sees reads behind the end. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
	size_t cut_step = size / CUTS_MAX + 1, flip_step = size * 8 / FLIPS_MAX + 1;

	run_exact(data, size);
	for (size_t len = 0; len < size; len += cut_step)
		run_exact(data, len);
	for (size_t bit = 0; bit < size * 8; bit += flip_step) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		run_exact(data, size);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static int run_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *file = fopen(path, "re");
	size_t size;

	if (!data || !file) {
		(void)fprintf(stderr, "%s: cannot be read\n", path);
		free(data);
		if (file)
			(void)fclose(file);
		return 0;
	}
	size = fread(data, 1, INPUT_MAX, file);
	(void)fclose(file);
	run_variants(data, size);
	free(data);
	return 1;
}

/* Returns: how many files were run. */
static int run_path(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return run_file(path);
	while ((entry = readdir(dir))) {
		char child[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		n += run_file(child);
	}
	(void)closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	const char *src = getenv("SYSCTR_SRCDIR"), *name = strstr(argv[0], "fuzz_");
	char corpus[4096];
	int n = 0;

	(void)printf("1..1\n");
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			n += run_path(argv[i]);
	} else {
		for (const char *next = name; next; next = strstr(next + 1, "fuzz_"))
			name = next;
		(void)snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", src ? src : ".",
			       name ? name + strlen("fuzz_") : "");
		n = run_path(corpus);
	}
	(void)printf("%s 1 - %d inputs and their variants\n", n > 0 ? "ok" : "not ok", n);
	return n > 0 ? 0 : 1;
}
