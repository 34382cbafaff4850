/* ctevent.c: any bytes as a datagram of the kernel's events of connections, decoded and counted. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ctevent.h"
#include "passing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct passing *passing;
	uint64_t called, passed;
};

static void on_event(void *arg, const struct ct_event *e)
{
	struct seen *s = arg;

	if ((e->family != 4 && e->family != 6) || e->start_ns < 0 || e->stop_ns < 0)
		abort();
	s->called++;
	s->passed += ct_event_passed(e);
	passing_add(s->passing, e, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct passing *passing;
	static struct passed rows[PASSING_MAX + 1];
	struct ct_counts counts = {0};
	uint64_t sum = 0;

	if (passing == NULL && (passing = passing_new(-1)) == NULL)
		abort();
	struct seen s = {.passing = passing};
	ct_event_decode(data, size, on_event, &s, &counts);
	size_t n = passing_take(passing, rows);
	for (size_t i = 0; i < n; i++)
		sum += rows[i].connections;
	/* Whatever came: every event is told once, and every one that passed is counted once. */
	if (counts.events != s.called || sum != s.passed || counts.events > size / 16)
		abort();
	return 0;
}
