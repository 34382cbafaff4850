/*
 * figures.c: numbers as people read them (see figures.h).
 */
#include "figures.h"

#include <sekisho/buf.h>

#include <inttypes.h>
#include <stdio.h>

const char *figures_bytes(uint64_t bytes, char *buf)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double v = (double)bytes;
	size_t u = 0;

	for (; v >= 999.5 && u < 6; u++)
		v /= 1000;
	snprintf(buf, FIGURES_MAX, u == 0 || v >= 99.95 ? "%.0f %s" : "%.1f %s", v, units[u]);
	return buf;
}

const char *figures_age(int64_t seconds, char *buf)
{
	static const struct {
		int64_t seconds;
		char sign;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

	if (seconds < 0) {
		snprintf(buf, FIGURES_MAX, "-");
		return buf;
	}
	for (size_t i = 0; i < 4; i++) {
		if (seconds >= units[i].seconds || i == 3) {
			snprintf(buf, FIGURES_MAX, "%" PRId64 "%c", seconds / units[i].seconds, units[i].sign);
			break;
		}
	}
	return buf;
}

void figures_course(struct buf *b, const uint64_t *values, size_t n, uint64_t largest)
{
	static const char signs[] = " .:-=+*#";

	for (size_t i = 0; i < n && largest == 0; i++)
		for (size_t k = 0; k < n; k++)
			largest = values[k] > largest ? values[k] : largest;
	for (size_t i = 0; i < n; i++) {
		/* Something is never shown as nothing. */
		uint64_t level = values[i] == 0 ? 0
				 : values[i] >= largest
					 ? 7
					 : 1 + (uint64_t)((double)values[i] / (double)largest * 6.999);
		buf_addc(b, signs[level > 7 ? 7 : level]);
	}
}
