/* test_sniff.c: kinds of files by their first bytes, and what names say. */
#include <sekisho/sniff.h>

#include "test.h"

#define HEAD(bytes) sniff_head(bytes, sizeof(bytes) - 1, true)
#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static void test_heads(void)
{
	CHECK_INT(sniff_head("", 0, true), SNIFF_EMPTY);
	CHECK_INT(HEAD("\x01\x02\x03"), SNIFF_DATA);
	CHECK_INT(HEAD("%PDF-1.7"), SNIFF_PDF);
	CHECK_INT(HEAD("\x01junk%PDF-1.7"), SNIFF_PDF);
	CHECK_INT(HEAD("{\\rtf1\\ansi"), SNIFF_RTF);
	CHECK_INT(HEAD("{\\rt\\object"), SNIFF_RTF);
	CHECK_INT(HEAD("\xff\xd8\xff\xe0"), SNIFF_JPEG);
	CHECK_INT(HEAD("\x89PNG\r\n\x1a\n"), SNIFF_PNG);
	CHECK_INT(HEAD("GIF89a"), SNIFF_GIF);
	CHECK_INT(HEAD("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), SNIFF_BMP);
	CHECK_INT(HEAD("BMW is a car and this a letter"), SNIFF_TEXT);
	CHECK_INT(HEAD("II*\0\x08\0\0\0"), SNIFF_TIFF);
	CHECK_INT(HEAD("RIFF\x10\0\0\0WEBPVP8 "), SNIFF_WEBP);
	CHECK_INT(HEAD("RIFF\x10\0\0\0WAVEfmt "), SNIFF_MEDIA);
	CHECK_INT(HEAD("\0\0\0\x18" "ftypheic\0\0\0\0"), SNIFF_HEIF);
	CHECK_INT(HEAD("\0\0\0\x18" "ftypmp42\0\0\0\0"), SNIFF_MEDIA);
	CHECK_INT(HEAD("\0\0\x01\0\x01\0\x10\x10\0\0\x01\0"), SNIFF_ICON);
	CHECK_INT(HEAD("MZ\x90\0" ZEROS), SNIFF_EXE);
	CHECK_INT(HEAD("MZ is how this letter begins, as text"), SNIFF_TEXT);
	CHECK_INT(HEAD("\x7f" "ELF\x02\x01"), SNIFF_ELF);
	CHECK_INT(HEAD("\xcf\xfa\xed\xfe\x07\0\0\x01"), SNIFF_MACHO);
	CHECK_INT(HEAD("\xca\xfe\xba\xbe\0\0\0\x02"), SNIFF_MACHO);
	CHECK_INT(HEAD("\xca\xfe\xba\xbe\0\0\0\x34"), SNIFF_CLASS);
	CHECK_INT(HEAD("\x4c\0\0\0\x01\x14\x02\0\0\0"), SNIFF_SHORTCUT);
	CHECK_INT(HEAD("[InternetShortcut]\r\nURL=x"), SNIFF_SHORTCUT);
	CHECK_INT(HEAD("#!/bin/sh\n"), SNIFF_SCRIPT);
	CHECK_INT(HEAD("@echo off\r\n"), SNIFF_SCRIPT);
	CHECK_INT(HEAD("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"), SNIFF_ONENOTE);
	CHECK_INT(HEAD("\x78\x9f\x3e\x22\x01\0"), SNIFF_TNEF);
	CHECK_INT(HEAD("Rar!\x1a\x07\x01\0"), SNIFF_RAR);
	CHECK_INT(HEAD("\x1f\x8b\x08\0"), SNIFF_GZIP);
	CHECK_INT(HEAD("\x22\x01-lh5-\x10\0\0"), SNIFF_LZH);
	CHECK_INT(HEAD("PK\x03\x04" ZEROS), SNIFF_ZIP);
	CHECK_INT(HEAD("PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0word/document.xml"), SNIFF_OOXML);
}

static void test_text(void)
{
	CHECK_INT(HEAD("plain text\r\n"), SNIFF_TEXT);
	CHECK_INT(HEAD("\x1b$B$\"\x1b(B"), SNIFF_TEXT);
	CHECK_INT(HEAD("\x82\xa0\x82\xa2"), SNIFF_TEXT);
	CHECK_INT(HEAD("text with \x01"), SNIFF_DATA);
	CHECK_INT(HEAD("  \r\n<!doctype html><p>"), SNIFF_HTML);
	CHECK_INT(HEAD("\xef\xbb\xbf<html>"), SNIFF_HTML);
	CHECK_INT(HEAD("<p>x"), SNIFF_HTML);
	CHECK_INT(HEAD("<plain"), SNIFF_TEXT);
	CHECK_INT(HEAD("\xff\xfe<\0h\0t\0m\0l\0>\0"), SNIFF_HTML);
	CHECK_INT(HEAD("\xfe\xff\0a\0b"), SNIFF_TEXT);
	CHECK_INT(HEAD("\xff\xfe\x01\0"), SNIFF_DATA);
	CHECK_INT(HEAD("<?xml version=\"1.0\"?><a/>"), SNIFF_XML);
	CHECK_INT(HEAD("<?xml version=\"1.0\"?><svg onload=\"\"/>"), SNIFF_SVG);
	CHECK_INT(HEAD("<svg/>"), SNIFF_SVG);
	CHECK_INT(HEAD("BEGIN:VCALENDAR\r\n"), SNIFF_CALENDAR);
	CHECK_INT(HEAD("BEGIN:VCARD\r\n"), SNIFF_VCARD);
	CHECK_INT(HEAD("Received: from a"), SNIFF_MAIL);
	CHECK_INT(HEAD("From x Mon Jan\nReceived: y"), SNIFF_MAIL);
	CHECK_INT(HEAD("From here to there"), SNIFF_TEXT);
	CHECK_INT(HEAD("begin 644 a.txt\nM"), SNIFF_UUENCODE);
	CHECK_INT(HEAD("begin with a word"), SNIFF_TEXT);
}

static void test_crypto(void)
{
	CHECK_INT(HEAD("-----BEGIN PGP MESSAGE-----\n"), SNIFF_PGP);
	CHECK_INT(HEAD("-----BEGIN PGP SIGNATURE-----\n"), SNIFF_SIGNATURE);
	CHECK_INT(HEAD("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), SNIFF_PGP_KEY);
	CHECK_INT(HEAD("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"), SNIFF_PKCS7);
	CHECK_INT(HEAD("\x30\x82\x01\x02\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), SNIFF_SIGNATURE);
	CHECK_INT(HEAD("\x30\x82\x01\x02\x30\x82\x01\x00\xa0\x03\x02\x01\x02"), SNIFF_CERTIFICATE);
	CHECK_INT(HEAD("\x30\x82\x01\x02\x02\x01\x03\x30\x80"), SNIFF_CERTIFICATE);
	CHECK_INT(HEAD("\x85\x01\x0c\x03" "12345678" "\x01\x07"), SNIFF_PGP);
	/* Whatever is cut: no byte behind the end is read (sanitizers), and nothing is taken for more than it is. */
	static const char der[] = "\x30\x84\x00\x00\x00";
	for (size_t n = 2; n < sizeof(der); n++)
		CHECK_INT(sniff_head(der, n, true), n == 2 ? SNIFF_TEXT : SNIFF_DATA);
}

static void test_tar(void)
{
	char tar[512] = "name";
	unsigned sum = 0;

	memcpy(tar + 100, "000644 ", 7);
	memset(tar + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(tar); i++)
		sum += (unsigned char)tar[i];
	CHECK_INT(sniff_head(tar, sizeof(tar), true), SNIFF_DATA);
	snprintf(tar + 148, 8, "%06o", sum);
	CHECK_INT(sniff_head(tar, sizeof(tar), true), SNIFF_TAR);
	tar[0] = 'm';
	CHECK_INT(sniff_head(tar, sizeof(tar), true), SNIFF_DATA);
	memcpy(tar + 257, "ustar", 5);
	CHECK_INT(sniff_head(tar, sizeof(tar), true), SNIFF_TAR);
}

static bool fits(enum sniff_kind kind, const char *name)
{
	return sniff_fits(kind, name, strlen(name));
}

static bool runs(const char *name)
{
	return sniff_name_runs(name, strlen(name));
}

static bool dressed(const char *name)
{
	return sniff_name_dressed(name, strlen(name));
}

static void test_names(void)
{
	CHECK_INT(sniff_claim("a.PDF", 5), SNIFF_PDF);
	CHECK_INT(sniff_claim("a.pdf. .", 8), SNIFF_PDF);
	CHECK_INT(sniff_claim("a.b/c", 5), SNIFF_DATA);
	CHECK_INT(sniff_claim("pdf", 3), SNIFF_DATA);
	CHECK(fits(SNIFF_PDF, "a.pdf") && fits(SNIFF_PDF, "a") && fits(SNIFF_PDF, "a.unknown") && !fits(SNIFF_PDF,
		"a.docx"));
	CHECK(fits(SNIFF_EXE, "a.exe") && !fits(SNIFF_EXE, "a") && !fits(SNIFF_EXE, "a.unknown") && !fits(SNIFF_EXE,
		"a.pdf"));
	CHECK(!fits(SNIFF_DATA, "a.pdf") && fits(SNIFF_DATA, "a.xdw") && fits(SNIFF_EMPTY, "a.pdf"));
	CHECK(fits(SNIFF_HTML, "a.xls") && fits(SNIFF_TEXT, "a.csv") && fits(SNIFF_XML, "a.txt") && !fits(SNIFF_TEXT,
		"a.pdf"));
	CHECK(fits(SNIFF_ZIP, "a.docx") && fits(SNIFF_ZIP, "a.jar") && fits(SNIFF_OOXML, "a.xlsm") && !fits(SNIFF_DOCM,
		"a.docx"));
	CHECK(fits(SNIFF_COMPOUND, "a.msi") && fits(SNIFF_COMPOUND, "a.docx") && !fits(SNIFF_MSI, "a.doc") &&
		!fits(SNIFF_ZIP, "a.pdf"));
	CHECK(runs("a.exe") && runs("a.SCR") && runs("a.exe. ") && runs("a.js\u3000") && runs("d/a.lnk") &&
		runs("\u8acb\u6c42.vbs"));
	CHECK(!runs("exe") && !runs("a.pdf") && !runs("a.exe/b") && !runs(".") && !runs("") && !runs("a."));
	CHECK(dressed("a.pdf.exe") && dressed("a.pdf    .exe") && dressed("a.docx\u3000.scr") && dressed("a\u202efdp.exe"));
	CHECK(dressed("a[U+202E]fdp.exe") && !dressed("a.exe") && !dressed("setup.1.2.exe") && !dressed("a.exe.pdf"));
}

static void test_table(void)
{
	for (unsigned k = 0; k < SNIFF_KINDS; k++) {
		const struct sniff_type *t = sniff_type(k);
		CHECK(t->word != NULL && t->text != NULL && t->extensions != NULL);
		CHECK_INT(sniff_find(t->word), k);
	}
	CHECK_INT(sniff_find("nothing"), SNIFF_KINDS);
	CHECK(sniff_type((enum sniff_kind)999) == sniff_type(SNIFF_DATA));
}

int main(void)
{
	test_heads();
	test_text();
	test_crypto();
	test_tar();
	test_names();
	test_table();
	return test_end();
}
