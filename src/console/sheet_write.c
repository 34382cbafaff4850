/*
 * sheet_write.c: writes CSV that a spreadsheet opens by a double click, and that does nothing there.
 *
 * CP932 is found by asking our own decoder for each of its codes once: of characters that have several, the code that Windows
 * writes comes first (JIS X 0208, then NEC's row 13, then IBM's, last NEC's choice of IBM's).
 */
#include "sheet.h"

#include <sekisho/buf.h>
#include <sekisho/charset.h>

#include <stdlib.h>
#include <string.h>

void sheet_put(struct buf *out, const char *text, bool first)
{
	bool formula = text[0] != '\0' && (strchr("=+-@", text[0]) != NULL || (unsigned char)text[0] < 0x20);
	bool quotes = text[strcspn(text, ",\"\r\n")] != '\0' || text[0] == ' ' || formula;

	if (!first)
		buf_addc(out, ',');
	if (quotes)
		buf_addc(out, '"');
	if (formula)
		buf_addc(out, '\'');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"')
			buf_addc(out, '"');
		buf_addc(out, *p);
	}
	if (quotes)
		buf_addc(out, '"');
}

void sheet_end_row(struct buf *out)
{
	buf_adds(out, "\r\n");
}

/* -- CP932 ------------------------------------------------------------------------------------------------------- */

/* By character of the basic plane: its code, 0 = none. */
static uint16_t *codes;

/* One character of valid UTF-8; its length. */
static size_t next_char(const char *p, const char *end, uint32_t *ret)
{
	const uint8_t *u = (const uint8_t *)p;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	*ret = 0xfffd;
	if ((size_t)(end - p) < n)
		return (size_t)(end - p);
	uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3fu);
	*ret = c;
	return n;
}

static void learn(uint16_t code)
{
	uint8_t in[2] = {(uint8_t)(code >> 8), (uint8_t)code};
	char out[DECODER_OUT(2) + DECODER_OUT(0)];
	struct decoder d;
	uint32_t c;

	decoder_begin(&d, CHARSET_SHIFT_JIS);
	size_t n = code > 0xff ? decoder_push(&d, in, 2, out) : decoder_push(&d, in + 1, 1, out);
	n += decoder_end(&d, out + n);
	if (d.errors == 0 && n > 0 && next_char(out, out + n, &c) == n && c < 0x10000 && codes[c] == 0)
		codes[c] = code;
}

static void learn_rows(unsigned from, unsigned to)
{
	for (unsigned lead = from; lead <= to; lead++)
		for (unsigned trail = 0x40; trail <= 0xfc; trail++)
			if (trail != 0x7f)
				learn((uint16_t)(lead << 8 | trail));
}

/* Characters that others write for the same sign: of JIS where Windows has its own. */
static void learn_others(void)
{
	static const uint16_t others[][2] = {{0x301c, 0xff5e}, {0x2212, 0xff0d}, {0x2016, 0x2225},
		{0x2014, 0x2015}, {0xa2, 0xffe0}, {0xa3, 0xffe1}, {0xac, 0xffe2}, {0xa5, 0xffe5}};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (codes[others[i][0]] == 0)
			codes[others[i][0]] = codes[others[i][1]];
}

static void learn_all(void)
{
	codes = calloc(0x10000, sizeof(*codes));
	if (codes == NULL)
		abort();
	for (unsigned c = 0x20; c < 0x7f; c++)
		codes[c] = (uint16_t)c;
	codes['\t'] = '\t';
	codes['\r'] = '\r';
	codes['\n'] = '\n';
	for (uint16_t c = 0xa1; c < 0xe0; c++)
		learn(c);
	learn_rows(0x81, 0x84);
	learn_rows(0x88, 0x9f);
	learn_rows(0xe0, 0xea);
	learn_rows(0x87, 0x87);
	learn_rows(0xfa, 0xfc);
	learn_rows(0xed, 0xee);
	learn_others();
}

size_t sheet_cp932(struct buf *out, const char *text, size_t n)
{
	static const uint16_t geta = 0x81ac;
	size_t missing = 0;

	if (codes == NULL)
		learn_all();
	for (const char *p = text, *end = text + n; p < end;) {
		uint32_t c;
		p += next_char(p, end, &c);
		uint16_t code = c < 0x10000 ? codes[c] : 0;
		if (code == 0) {
			code = geta;
			missing++;
		}
		if (code > 0xff)
			buf_addc(out, (char)(code >> 8));
		buf_addc(out, (char)(code & 0xff));
	}
	return missing;
}
