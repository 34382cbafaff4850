/*
 * mynumber.h: individual numbers (個人番号) in text. UTF-8 is pushed, cut anywhere; what comes out is a score, never a
 * number.
 *
 * A number has 12 digits, the last one a check digit (番号法総務省令85号 第5条). One in ten arbitrary numbers of 12 digits passes
 * it, so the check digit alone means little. What counts, in points; MYNUMBER_THRESHOLD and more: take the text for one
 * that holds individual numbers. Each distinct number counts once, at its best.
 *
 *   100  a number with a word for it (個人番号, マイナンバー, 通知カード, ...) within 300 characters before or after
 *    30  the same, but doubtful: right before it stands a word of another number (伝票番号, 電話, 免許, ...), or a letter,
 *        or it begins like a date (yyyymmdd, yymmddHHMMSS) and no word stands directly before it; together at most 90
 *    30  a number without such a word, when at least 4 distinct ones are there and half of all numbers of 12 digits pass
 *     5  a number without such a word, otherwise; together at most 50
 *     0  a doubtful number without such a word
 *
 * Written as: 12 digits; 4-4-4 with the same hyphen, blank, tab or dot between, or with line ends; 12 fields of one digit
 * (forms, sheets). Digits are ASCII, full-width or mathematical, with options.kanji also 〇一二三四五六七八九. Invisible
 * characters do not count.
 *
 * No number at all: part of a longer run (13 digits, 4-4-4-4, 12-2, a decimal, +12 digits); less than 1 000 000; a
 * pattern of up to 4 digits that repeats; a time stamp (yyyymmddHHMM of 1990 to 2049); with 会社法人等番号, 法人番号 or 登録番号
 * right before it.
 *
 * Measured (tests/unit/mail/test_mynumber_rates.py, 2 000 texts of each kind, kanji on). Taken for texts with
 * numbers, in percent:
 *   0.0  invoices (numbers of 12 and 13 digits, bank accounts, telephones); parcel numbers with their word, or 30 without;
 *        one number of 12 digits; news on マイナンバー with telephones, dates, company numbers, or a number with its word
 *        (受付番号, 免許証番号); credit cards; logs of time stamps under マイナンバー; rows of monthly figures; rows of years
 *   0.3  4 to 9 arbitrary numbers of 12 digits and nothing else
 *   9.5  news on マイナンバー with one arbitrary number of 12 digits that nothing explains
 *   0.0  1 069 texts of the public mail corpora (38 strings of 12 digits, one of which passes the check digit)
 * and texts with made-up numbers: 100 with a word directly before it, in a sheet, in fields of a form, over line
 * ends; 99.7 with a word behind it (the rest begins like a date); 100 of lists of ten without a word, 98.6 of lists
 * of four.
 *
 * Of a number only the last four digits ("****-****-9018") and a keyed hash are kept, and wiped by mynumber_end().
 */
#ifndef SEKISHO_MYNUMBER_H
#define SEKISHO_MYNUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MYNUMBER_THRESHOLD 100u
#define MYNUMBER_NEAR 300u  /* characters; what Microsoft's detector takes, too */
#define MYNUMBER_LABEL 20u  /* characters between the word of another number and the number */
#define MYNUMBER_DIRECT 6u  /* characters between a word and its number, when it can be nothing else: 「個人番号（12桁）：」 */
#define MYNUMBER_HITS 64u   /* distinct numbers that are told apart; what is more is not counted */
#define MYNUMBER_JUDGED 256u /* the same of all that have 12 digits */
#define MYNUMBER_SHOWN 8u   /* masked forms in the report */
#define MYNUMBER_RECENT 16u /* characters that are remembered for words; no word is longer */
#define MYNUMBER_MASKED 15u /* "****-****-9018" and NUL */
#define MYNUMBER_WORDS 64u
#define MYNUMBER_INDEX 1024u

struct mynumber_options {
	bool kanji;	 /* digits in kanji, too */
	uint8_t key[16]; /* of the hash that tells numbers apart; random is best, zero works */
};

struct mynumber_report {
	uint32_t score;	 /* see above */
	uint32_t hits;	 /* distinct numbers that gave points */
	uint32_t named;	 /* of these, with a word near */
	uint32_t judged; /* distinct numbers of 12 digits, right check digit or not, at most MYNUMBER_JUDGED */
	uint32_t exempt; /* places where a right one was no number at all */
	uint32_t nshown;
	char shown[MYNUMBER_SHOWN][MYNUMBER_MASKED]; /* those with a word first */
};

/* A number that was found. */
struct mynumber_hit {
	uint64_t hash;
	uint64_t at;	/* characters up to the end of its last occurrence */
	bool doubtful;	/* there */
	bool plain;	/* somewhere it was not */
	bool named;	/* a word near, and not doubtful */
	bool weak;	/* a word near, but doubtful */
	char last[4];
};

/* Digits without a separator. */
struct mynumber_group {
	uint64_t value;
	uint64_t at, end; /* characters before it, and with it */
	uint8_t n;	/* digits; 14 stands for more, too */
	uint8_t before; /* separator before it */
	bool doubtful, exempt;
};

/* One mail on its way: 6 KiB. Every member is mynumber's own. */
struct mynumber {
	struct mynumber_options options;
	uint64_t at;	/* characters so far */
	uint64_t word, other, corporate; /* behind the last word for the number, for another one, for a company's; 0 none */
	uint32_t point, low; /* UTF-8 */
	uint8_t need;
	uint32_t last;	/* the last character */
	uint32_t recent[MYNUMBER_RECENT]; /* the last characters, folded, no blanks */
	uint32_t nrecent;
	/* Digits. */
	struct mynumber_group now, group[5];
	uint32_t ngroup;
	uint8_t separator, nseparators; /* what stands behind the last group */
	uint8_t run, run_separator, digits[12]; /* fields of one digit */
	struct mynumber_group first; /* of them */
	/* Numbers. */
	uint32_t njudged, nplain, npassed, nexempt, nhit;
	uint64_t judged[MYNUMBER_JUDGED];
	struct mynumber_hit hit[MYNUMBER_HITS];
	/* Words by their last two or three characters. */
	uint8_t head[MYNUMBER_INDEX], next[MYNUMBER_WORDS];
};

/* The check digit of the first 11 digits, 0 to 9. */
unsigned mynumber_check_digit(uint64_t first11);

void mynumber_begin(struct mynumber *m, const struct mynumber_options *options);
void mynumber_push(struct mynumber *m, const char *utf8, size_t n);
/* A part ends (subject, body, a name, an attachment's text): numbers do not cross it, being near does. */
void mynumber_break(struct mynumber *m);
/* The mail is over. Wipes everything in m. */
void mynumber_end(struct mynumber *m, struct mynumber_report *ret);

#endif
