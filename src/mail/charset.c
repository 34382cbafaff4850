/*
 * charset.c: the names of charsets. What is not in this list is not decoded, and no name goes anywhere else.
 *
 * Aliases: the WHATWG's, and what mail programs in Japan write.
 */
#include <sekisho/charset.h>

#include <string.h>
#include <strings.h>

static const char *const names[CHARSET_COUNT] = {
	[CHARSET_UNKNOWN] = "unknown",
	[CHARSET_ASCII] = "US-ASCII",
	[CHARSET_UTF_8] = "UTF-8",
	[CHARSET_ISO_2022_JP] = "ISO-2022-JP",
	[CHARSET_SHIFT_JIS] = "Shift_JIS",
	[CHARSET_EUC_JP] = "EUC-JP",
	[CHARSET_UTF_16] = "UTF-16",
	[CHARSET_UTF_16LE] = "UTF-16LE",
	[CHARSET_UTF_16BE] = "UTF-16BE",
	[CHARSET_WINDOWS_1250] = "windows-1250",
	[CHARSET_WINDOWS_1251] = "windows-1251",
	[CHARSET_WINDOWS_1252] = "windows-1252",
	[CHARSET_WINDOWS_1253] = "windows-1253",
	[CHARSET_WINDOWS_1254] = "windows-1254",
	[CHARSET_WINDOWS_1255] = "windows-1255",
	[CHARSET_WINDOWS_1256] = "windows-1256",
	[CHARSET_WINDOWS_1257] = "windows-1257",
	[CHARSET_WINDOWS_1258] = "windows-1258",
	[CHARSET_ISO_8859_15] = "ISO-8859-15",
};

/* Each row: names apart by one blank, in lower case. */
static const struct {
	enum charset charset;
	const char *names;
} aliases[] = {
	{CHARSET_ASCII, "us-ascii ascii ansi_x3.4-1968 ansi_x3.4-1986 iso-ir-6 iso646-us iso_646.irv:1991 us "
			"csascii cp367 ibm367"},
	{CHARSET_UTF_8,
		"utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 cp65001 utf-8n"},
	{CHARSET_ISO_2022_JP,
		"iso-2022-jp iso2022jp iso-2022jp iso_2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2"
		" iso-2022-jp-3 iso-2022-jp-2004 iso-2022-jp-ms cp50220 cp50221 cp50222 x-iso-2022-jp jis"},
	{CHARSET_SHIFT_JIS,
		"shift_jis shift-jis shiftjis sjis x-sjis x-shift-jis ms_kanji csshiftjis windows-31j"
		" cswindows31j cp932 ms932 x-ms-cp932 windows-932 cp943 cp943c ibm-943"},
	{CHARSET_EUC_JP,
		"euc-jp eucjp euc_jp x-euc-jp x-euc cseucpkdfmtjapanese ujis cp51932 eucjp-ms eucjp-win"
		" extended_unix_code_packed_format_for_japanese"},
	{CHARSET_UTF_16, "utf-16 utf16 unicode csunicode iso-10646-ucs-2 ucs-2"},
	{CHARSET_UTF_16LE, "utf-16le utf16le unicodefeff"},
	{CHARSET_UTF_16BE, "utf-16be utf16be unicodefffe"},
	{CHARSET_WINDOWS_1250, "windows-1250 cp1250 x-cp1250"},
	{CHARSET_WINDOWS_1251, "windows-1251 cp1251 x-cp1251"},
	{CHARSET_WINDOWS_1252,
		"windows-1252 cp1252 x-cp1252 x-ansi iso-8859-1 iso8859-1 iso_8859-1 iso88591 iso_8859-1:1987"
		" iso-ir-100 latin1 latin-1 l1 cp819 ibm819 csisolatin1"},
	{CHARSET_WINDOWS_1253, "windows-1253 cp1253 x-cp1253"},
	{CHARSET_WINDOWS_1254, "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso_8859-9 latin5 l5"},
	{CHARSET_WINDOWS_1255, "windows-1255 cp1255 x-cp1255"},
	{CHARSET_WINDOWS_1256, "windows-1256 cp1256 x-cp1256"},
	{CHARSET_WINDOWS_1257, "windows-1257 cp1257 x-cp1257"},
	{CHARSET_WINDOWS_1258, "windows-1258 cp1258 x-cp1258"},
	{CHARSET_ISO_8859_15, "iso-8859-15 iso8859-15 iso_8859-15 iso885915 latin9 latin-9 l9 csisolatin9"},
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is the name one of the words? */
static bool among(const char *words, const char *name, size_t n)
{
	for (const char *end; *words != '\0'; words = *end != '\0' ? end + 1 : end) {
		end = strchrnul(words, ' ');
		if ((size_t)(end - words) == n && strncasecmp(words, name, n) == 0)
			return true;
	}
	return false;
}

enum charset charset_find(const char *name, size_t n)
{
	while (n > 0 && blank(name[0])) {
		name++;
		n--;
	}
	while (n > 0 && blank(name[n - 1]))
		n--;
	for (size_t i = 0; n > 0 && i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (among(aliases[i].names, name, n))
			return aliases[i].charset;
	return CHARSET_UNKNOWN;
}

const char *charset_name(enum charset charset)
{
	return names[charset > CHARSET_UNKNOWN && charset < CHARSET_COUNT ? charset : CHARSET_UNKNOWN];
}
