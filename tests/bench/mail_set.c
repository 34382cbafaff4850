/* mail_set.c: see mail_set.h. */
#include "mail_set.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS_MAX 31

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static uint8_t *load(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		return NULL;
	*ret_n = (size_t)ftell(f);
	rewind(f);
	uint8_t *set = malloc(*ret_n);
	if (set != NULL && fread(set, 1, *ret_n, f) != *ret_n) {
		free(set);
		set = NULL;
	}
	fclose(f);
	return set;
}

static void each(const uint8_t *set, size_t size, void (*one)(const uint8_t *mail, size_t n))
{
	for (size_t at = 0; at + 4 <= size;) {
		uint32_t n = (uint32_t)set[at] | (uint32_t)set[at + 1] << 8 | (uint32_t)set[at + 2] << 16 |
			(uint32_t)set[at + 3] << 24;
		if (n > size - at - 4)
			break;
		one(set + at + 4, n);
		at += 4 + n;
	}
}

double mail_set_run(int argc, char **argv, void (*begin)(void), void (*one)(const uint8_t *mail, size_t n), size_t *ret_bytes)
{
	double times[ROUNDS_MAX];
	int rounds = argc == 3 ? atoi(argv[2]) : 0;
	uint8_t *set = rounds >= 1 && rounds <= ROUNDS_MAX ? load(argv[1], ret_bytes) : NULL;

	if (set == NULL) {
		fprintf(stderr, "usage: %s SET ROUNDS\n", argv[0]);
		exit(2);
	}
	for (int i = 0; i < rounds; i++) {
		double from = cpu();
		begin();
		each(set, *ret_bytes, one);
		times[i] = cpu() - from;
	}
	free(set);
	qsort(times, (size_t)rounds, sizeof(times[0]), by_size);
	return times[rounds / 2];
}
