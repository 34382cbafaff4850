/*
 * sniff_text.c: is it text, and what text (a page, a mail, a calendar, armour of PGP, ...).
 *
 * Text is what has no control characters but blanks, line ends and the escapes of ISO-2022-JP; or begins with a byte
 * order mark of UTF-16. The marks of HTML are those of the WHATWG (MIME sniffing, 7.1).
 */
#include "sniff_private.h"

#include <string.h>
#include <strings.h>

/* Beginnings, blanks before them left out, case ignored. A blank at a mark's end stands for a blank or `>`. */
static const struct mark {
	const char *text;
	uint8_t kind;
} marks[] = {
	{"<!DOCTYPE HTML", SNIFF_HTML},
	{"<HTML", SNIFF_HTML},
	{"<HEAD", SNIFF_HTML},
	{"<BODY", SNIFF_HTML},
	{"<SCRIPT", SNIFF_HTML},
	{"<IFRAME", SNIFF_HTML},
	{"<TABLE", SNIFF_HTML},
	{"<META", SNIFF_HTML},
	{"<TITLE", SNIFF_HTML},
	{"<STYLE", SNIFF_HTML},
	{"<DIV", SNIFF_HTML},
	{"<FONT", SNIFF_HTML},
	{"<CENTER", SNIFF_HTML},
	{"<SPAN", SNIFF_HTML},
	{"<IMG", SNIFF_HTML},
	{"<H1 ", SNIFF_HTML},
	{"<A ", SNIFF_HTML},
	{"<B ", SNIFF_HTML},
	{"<P ", SNIFF_HTML},
	{"<BR ", SNIFF_HTML},
	{"<!--", SNIFF_HTML},
	{"<SVG", SNIFF_SVG},
	{"<JOB", SNIFF_SCRIPT},
	{"<PACKAGE>", SNIFF_SCRIPT},
	{"@ECHO ", SNIFF_SCRIPT},
	{"[InternetShortcut]", SNIFF_SHORTCUT},
	{"BEGIN:VCALENDAR", SNIFF_CALENDAR},
	{"BEGIN:VCARD", SNIFF_VCARD},
	{"-----BEGIN PGP PUBLIC KEY", SNIFF_PGP_KEY},
	{"-----BEGIN PGP PRIVATE KEY", SNIFF_PGP_KEY},
	{"-----BEGIN PGP SIG", SNIFF_SIGNATURE},
	{"-----BEGIN PGP ", SNIFF_PGP},
	{"-----BEGIN PKCS7", SNIFF_PKCS7},
	{"-----BEGIN CMS", SNIFF_PKCS7},
	{"-----BEGIN CERTIFICATE", SNIFF_CERTIFICATE},
	{"-----BEGIN PRIVATE KEY", SNIFF_CERTIFICATE},
	{"-----BEGIN RSA PRIVATE KEY", SNIFF_CERTIFICATE},
	{"-----BEGIN EC PRIVATE KEY", SNIFF_CERTIFICATE},
	{"-----BEGIN ENCRYPTED PRIVATE KEY", SNIFF_CERTIFICATE},
	{"Return-Path:", SNIFF_MAIL},
	{"Received:", SNIFF_MAIL},
	{"Delivered-To:", SNIFF_MAIL},
	{"DKIM-Signature:", SNIFF_MAIL},
	{"MIME-Version:", SNIFF_MAIL},
	{"Message-ID:", SNIFF_MAIL},
	{"From: ", SNIFF_MAIL},
	{"Date: ", SNIFF_MAIL},
	{"Subject: ", SNIFF_MAIL},
	{"Content-Type: ", SNIFF_MAIL},
	{"X-Mozilla-Status:", SNIFF_MAIL},
};

static bool is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 0x20 || (p[i] >= '\t' && p[i] <= '\r' && p[i] != 0x0b))
			continue;
		/* The last byte may be all there is of an escape. */
		if (p[i] == 0x1b && (i + 1 == n || p[i + 1] == '$' || p[i + 1] == '('))
			continue;
		if (p[i] == 0x0e || p[i] == 0x0f || (p[i] == 0x1a && i + 1 == n))
			continue;
		return false;
	}
	return true;
}

static bool begins(const char *text, size_t n, const char *mark)
{
	size_t m = strlen(mark);
	bool ends = m > 0 && mark[m - 1] == ' ' && mark[0] == '<';

	if (n < m || strncasecmp(text, mark, ends ? m - 1 : m) != 0)
		return false;
	return !ends || strchr(" \t\r\n>/", text[m - 1]) != NULL;
}

/* "begin 644 name" */
static bool is_uuencode(const char *s, size_t n)
{
	if (n < 12 || strncmp(s, "begin ", 6) != 0)
		return false;
	for (size_t i = 6; i < 9; i++)
		if (s[i] < '0' || s[i] > '7')
			return false;
	return s[9] == ' ' || (s[9] >= '0' && s[9] <= '7' && s[10] == ' ');
}

static bool holds(const char *s, size_t n, const char *word)
{
	size_t m = strlen(word);

	for (size_t i = 0; i + m <= n; i++)
		if (s[i] == word[0] && strncasecmp(s + i, word, m) == 0)
			return true;
	return false;
}

static enum sniff_kind of_marks(const char *s, size_t n)
{
	if (begins(s, n, "<?XML"))
		return holds(s, n, "<svg") ? SNIFF_SVG : holds(s, n, "<html") ? SNIFF_HTML : SNIFF_XML;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (begins(s, n, marks[i].text))
			return marks[i].kind;
	return is_uuencode(s, n) ? SNIFF_UUENCODE : SNIFF_TEXT;
}

/* UTF-16 with a mark: its ASCII, so that a page in UTF-16 is a page. */
static enum sniff_kind of_utf16(const uint8_t *p, size_t n)
{
	char ascii[SNIFF_HEAD / 2];
	size_t k = 0, low = p[0] == 0xff ? 0 : 1;

	for (size_t i = 2; i + 1 < n && k < sizeof(ascii); i += 2)
		ascii[k++] = p[i + 1 - low] != 0 ? '\x7f' : (char)p[i + low];
	for (size_t i = 0; i < k; i++)
		if (ascii[i] >= 0 && ascii[i] < 0x20 && (ascii[i] < '\t' || ascii[i] > '\r'))
			return SNIFF_DATA;
	return of_marks(ascii, k);
}

enum sniff_kind sniff_text(const uint8_t *p, size_t n)
{
	const char *s = (const char *)p;

	if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return of_utf16(p, n);
	if (!is_text(p, n))
		return SNIFF_DATA;
	if (n >= 2 && s[0] == '#' && s[1] == '!')
		return SNIFF_SCRIPT;
	if (n > 5 && strncmp(s, "From ", 5) == 0 && holds(s, n, "\nReceived:"))
		return SNIFF_MAIL;
	size_t at = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (at < n && strchr(" \t\r\n\f", s[at]) != NULL && s[at] != '\0')
		at++;
	return of_marks(s + at, n - at);
}
