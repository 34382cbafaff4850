/*
 * html_entity.c: named and numeric characters of HTML. The table is made from entities.txt.
 *
 * Numbers follow the HTML Standard: 0x80 to 0x9f mean windows-1252 (that is what senders mean and browsers show); NUL,
 * surrogates, what is beyond Unicode and the unused controls are U+FFFD.
 */
#include "html_private.h"

#include "words.h"

#include "entities.inc"

const struct entity *html_entity(const char *name, size_t n, bool old)
{
	int known = word_find(&entities, name, n);

	return known < 0 || (old && !entities_rows[known].old) ? NULL : &entities_rows[known];
}

static const uint16_t windows_1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

uint32_t html_numeric(const char *digits, size_t n)
{
	bool hex = n > 0 && (digits[0] | 0x20) == 'x';
	uint32_t v = 0;

	for (size_t i = hex; i < n; i++) {
		uint32_t c = (uint8_t)digits[i];
		v = v * (hex ? 16 : 10) + (c - '0' < 10 ? c - '0' : (c | 0x20) - 'a' + 10);
		if (v > 0x10ffff)
			return 0xfffd;
	}
	if (v - 0x80 < 0x20)
		v = windows_1252[v - 0x80];
	return v == 0 || v - 0xd800 < 0x800 ? 0xfffd : v;
}
