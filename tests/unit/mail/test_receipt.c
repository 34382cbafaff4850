/* test_receipt.c: numbers of mails, and how people type them. */
#include <sekisho/receipt.h>

#include <ctype.h>

#include "test.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static bool reads(const char *text, const char *want)
{
	char out[RECEIPT_TEXT];

	return receipt_read(text, strlen(text), out) && strcmp(out, want) == 0;
}

static bool refused(const char *text)
{
	char out[RECEIPT_TEXT];

	return !receipt_read(text, strlen(text), out);
}

static void test_known(void)
{
	uint8_t hash[RECEIPT_HASH] = {0};
	char out[RECEIPT_TEXT];

	receipt_number(hash, out);
	CHECK_STR(out, "0000-0000-00000");
	memset(hash, 0xff, sizeof(hash));
	receipt_number(hash, out);
	CHECK(strncmp(out, "ZZZZ-ZZZZ-ZZZZ", 14) == 0);
	/* The bits in their order: 00000 00001 00010 00011 ... */
	static const uint8_t counting[RECEIPT_HASH] = {0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb0};
	receipt_number(counting, out);
	CHECK(strncmp(out, "0123-4567-89AB", 14) == 0);
	/* Only the first 60 bits count. */
	char other[RECEIPT_TEXT];
	memcpy(hash, counting, sizeof(hash));
	hash[7] |= 0x0f;
	hash[31] = 1;
	receipt_number(hash, other);
	CHECK_STR(other, out);
}

static void test_typed(void)
{
	uint8_t hash[RECEIPT_HASH] = {0x08, 0x40, 0x1a, 0xbc, 0xde, 0xf0, 0x12, 0x34};
	char out[RECEIPT_TEXT], text[64];

	receipt_number(hash, out);
	CHECK(reads(out, out));
	size_t n = 0;
	for (size_t i = 0; out[i] != '\0'; i++)
		if (out[i] != '-')
			text[n++] = (char)tolower(out[i]);
	text[n] = '\0';
	CHECK(reads(text, out));
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] == '0' ? 'o' : text[i] == '1' ? 'l' : text[i];
	CHECK(strchr(text, 'o') != NULL && strchr(text, 'l') != NULL);
	CHECK(reads(text, out));
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] == 'l' ? 'I' : text[i];
	CHECK(reads(text, out));
	/* Full-width forms. */
	char wide[128];
	size_t k = 0;
	for (size_t i = 0; out[i] != '\0'; i++) {
		unsigned point = out[i] == '-' ? 0xff0d : 0xff01u + (unsigned)out[i] - 0x21;
		wide[k++] = (char)(0xe0 | point >> 12);
		wide[k++] = (char)(0x80 | (point >> 6 & 0x3f));
		wide[k++] = (char)(0x80 | (point & 0x3f));
	}
	wide[k] = '\0';
	CHECK(reads(wide, out));
	CHECK(refused("") && refused("0000-0000-0000") && refused("0000-0000-0000-0-0") && refused("0000-0000-0000U"));
	CHECK(refused("0000-0000-000\xe3\x81\x82") && refused("0000-0000-0000\xff") && refused("0000\n0000-00000"));
	CHECK(reads(" 0000 0000\t00000 ", "0000-0000-00000"));
	CHECK(reads("0000\xe2\x80\x90" "0000\xe3\x83\xbc" "00000\xe3\x80\x80", "0000-0000-00000"));
}

/* Every single wrong character, every two that changed places: noticed. */
static void test_check(void)
{
	uint8_t hash[RECEIPT_HASH];
	char right[RECEIPT_TEXT], wrong[RECEIPT_TEXT];
	unsigned accepted = 0;

	for (unsigned seed = 1; seed < 40; seed++) {
		for (size_t i = 0; i < sizeof(hash); i++)
			hash[i] = (uint8_t)(seed * 97 + i * seed * 31 + (i * i * 7));
		receipt_number(hash, right);
		for (size_t i = 0; i < 15; i++) {
			strcpy(wrong, right);
			for (const char *c = alphabet; right[i] != '-' && *c != '\0'; c++) {
				wrong[i] = *c;
				accepted += *c != right[i] && !refused(wrong);
			}
			for (size_t j = 0; j < i; j++) {
				strcpy(wrong, right);
				wrong[i] = right[j];
				wrong[j] = right[i];
				accepted += right[i] != right[j] && right[i] != '-' && right[j] != '-' && !refused(wrong);
			}
		}
	}
	CHECK_INT(accepted, 0);
}

int main(void)
{
	test_known();
	test_typed();
	test_check();
	return test_end();
}
