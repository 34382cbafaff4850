/*
 * tnef.c (fuzz): whatever bytes, the items and the report are the same however they are cut, and names are short.
 */
#include <sekisho/tnef.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
	struct tnef_report report;
	uint64_t sum;
	uint32_t items;
};

static void item(void *arg, const struct tnef_item *i)
{
	struct out *o = arg;

	if (i->nname > TNEF_SHOWN_MAX || strlen(i->name) != i->nname)
		abort();
	for (size_t k = 0; k < i->nname; k++)
		o->sum = o->sum * 31 + (unsigned char)i->name[k];
	o->sum = o->sum * 31 + i->size + i->kind;
	o->items++;
}

static void look(struct out *o, const uint8_t *data, size_t size, size_t step)
{
	static struct tnef t;

	memset(o, 0, sizeof(*o));
	tnef_begin(&t, &(struct tnef_handler){.arg = o, .item = item});
	for (size_t i = 0; i < size; i += step)
		tnef_push(&t, data + i, size - i < step ? size - i : step);
	tnef_end(&t);
	o->report = t.report;
	if (o->report.items != o->items || o->items > TNEF_ITEMS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct out whole, bytes;

	look(&whole, data, size, size + 1);
	look(&bytes, data, size, 1);
	if (whole.sum != bytes.sum || whole.report.flags != bytes.report.flags || whole.items != bytes.items)
		abort();
	return 0;
}
