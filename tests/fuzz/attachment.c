/*
 * attachment.c (fuzz): whatever bytes come as an attachment, the report is the same however they are cut, text is
 * valid UTF-8 without controls and not more than was allowed, names are short, and no more is inflated than the
 * allowance says.
 */
#include <sekisho/attachment.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
	char text[TEXT_MAX];
	size_t n;
	uint32_t items, flags;
	uint64_t names; /* a sum of all bytes of names */
	struct attachment_report report;
};

static void item(void *arg, const struct attachment_item *i)
{
	struct out *o = arg;

	if (i->nname > ZIP_SHOWN_MAX || i->name[i->nname] != '\0' || strlen(i->name) != i->nname || i->kind >= SNIFF_KINDS)
		abort();
	for (size_t k = 0; k < i->nname; k++) {
		if ((unsigned char)i->name[k] < 0x20 || i->name[k] == 0x7f)
			abort();
		o->names = o->names * 31 + (unsigned char)i->name[k];
	}
	o->names += i->size;
	o->flags = o->flags * 31 + i->flags;
	o->items++;
}

static void text(void *arg, const char *utf8, size_t n)
{
	struct out *o = arg;

	if (n > TEXT_MAX - o->n)
		abort();
	memcpy(o->text + o->n, utf8, n);
	o->n += n;
}

/* Valid UTF-8, no control but tab and line end. */
static void check_text(const struct out *o)
{
	for (size_t i = 0; i < o->n;) {
		unsigned char c = (unsigned char)o->text[i];
		size_t need = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
		if (need == 0 || need > o->n - i || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			abort();
		for (size_t k = 1; k < need; k++)
			if (((unsigned char)o->text[i + k] & 0xc0) != 0x80)
				abort();
		i += need;
	}
}

static void look(struct out *o, const uint8_t *data, size_t size, size_t step)
{
	static const char *const names[] = {"a.docx", "a.txt", "a.pdf.exe", "winmail.dat", NULL};
	static struct attachment *a;
	const char *name = names[size % 5];
	uint64_t allowance = 1 << 20;
	struct attachment_options options = {.name = name, .nname = name != NULL ? strlen(name) : 0, .text_max = TEXT_MAX,
		.text_of = size & 1 ? 0x7f : 0x5f, .allowance = &allowance, .arg = o, .item = item, .text = text};

	if (a == NULL && (a = malloc(attachment_size())) == NULL)
		abort();
	memset(o, 0, sizeof(*o));
	attachment_begin(a, &options);
	for (size_t i = 0; i < size; i += step)
		attachment_push(a, data + i, size - i < step ? size - i : step);
	attachment_end(a, &o->report);
	if (o->report.items != o->items || o->report.text != o->n || o->report.size != size ||
		o->report.kind >= SNIFF_KINDS)
		abort();
	if (o->report.zip && o->report.archive.entries != o->items)
		abort();
	check_text(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out whole, bytes, pieces;

	look(&whole, data, size, size + 1);
	look(&bytes, data, size, 1);
	look(&pieces, data, size, 61);
	if (whole.n != bytes.n || memcmp(whole.text, bytes.text, whole.n) != 0 || whole.names != bytes.names ||
		whole.flags != bytes.flags ||
		memcmp(&whole.report, &bytes.report, sizeof(whole.report)) != 0)
		abort();
	if (whole.n != pieces.n || whole.names != pieces.names || whole.flags != pieces.flags ||
		memcmp(&whole.report, &pieces.report, sizeof(whole.report)) != 0)
		abort();
	return 0;
}
