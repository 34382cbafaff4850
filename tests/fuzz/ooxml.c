/*
 * ooxml.c (fuzz): the first byte chooses the part, the rest is its XML, cut in two ways: the same text, filtered,
 * within limits.
 */
#include <sekisho/ooxml.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
	char text[TEXT_MAX];
	size_t n;
};

static void take(void *arg, const char *utf8, size_t n)
{
	struct out *o = arg;

	if (n > TEXT_MAX - o->n)
		abort();
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)utf8[i] < 0x20 && utf8[i] != '\n' && utf8[i] != '\t') || utf8[i] == 0x7f)
			abort();
	memcpy(o->text + o->n, utf8, n);
	o->n += n;
}

/* The part, and the same bytes as a sheet's texts and its sheet, so that the one names the other. */
static struct ooxml_report read_parts(struct out *o, const uint8_t *data, size_t size, size_t step)
{
	static const char *const parts[] = {"word/document.xml", "word/header1.xml", "xl/workbook.xml",
		"xl/worksheets/sheet1.xml",
		"xl/sharedStrings.xml", "ppt/slides/slide1.xml", "xl/comments1.xml", "content.xml"};
	static struct ooxml ooxml;
	const char *const names[] = {parts[size > 0 ? data[0] & 7 : 0], "xl/sharedStrings.xml", "xl/worksheets/sheet2.xml"};

	o->n = 0;
	ooxml_begin(&ooxml, &(struct ooxml_options){.of = 0x47, .text = take, .arg = o, .text_max = TEXT_MAX});
	for (size_t p = 0; p < 3; p++) {
		bool more = ooxml_wants(&ooxml, names[p], strlen(names[p]));
		for (size_t i = 1; more && i < size; i += step)
			more = ooxml_push(&ooxml, data + i, size - i < step ? size - i : step);
		ooxml_part_end(&ooxml, true);
	}
	ooxml_end(&ooxml);
	if (ooxml.report.text != o->n)
		abort();
	return ooxml.report;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out whole, bytes;
	struct ooxml_report a = read_parts(&whole, data, size, size + 1), b = read_parts(&bytes, data, size, 1);

	if (whole.n != bytes.n || memcmp(whole.text, bytes.text, whole.n) != 0 || a.refused != b.refused)
		abort();
	return 0;
}
