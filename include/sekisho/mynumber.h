/*
 * mynumber.h: individual numbers (個人番号) in text. UTF-8 is pushed, cut anywhere; what comes out is a score and never a number.
 *
 * A number has 12 digits, the last one a check digit (番号法総務省令85号 第5条). One in ten arbitrary numbers of 12 digits passes it, so the check
 * digit alone means little. What counts, in points (MYNUMBER_THRESHOLD and more: treat the text as one with individual numbers):
 *
 *   a number with a word for it (個人番号, マイナンバー, 通知カード, ...) within 300 characters before or after   100
 *   the same, but a word right before it says that it is another number (伝票番号, 電話, 注文番号, 免許証番号, ...)    30
 *   a number without such a word, if at least 3 distinct ones and at least half of all numbers of 12 digits pass     40 each
 *   a number without such a word, otherwise                                                                        5 each, at most 50
 *
 * Each distinct number counts once, at its best. Written as: 12 digits; 4-4-4 with the same hyphen, blank or dot between, or
 * with line ends; one digit a field (12 fields with the same blank, tab or bar between: forms and sheets); digits ASCII or full-width,
 * and with options.kanji 〇一二三四五六七八九. Invisible characters do not count.
 *
 * Not a number: part of a longer run of digits (4-4-4-4, 12-2, +12 digits, a decimal, 13 digits); all digits the same or a
 * pattern of up to 4 that repeats; less than 1 000 000; 会社法人等番号, 法人番号 or 登録番号 right before it. Without a word near: what begins
 * like a date (yyyymmdd, yymmddHHMMSS), and what stands right after another number's word.
 *
 * Nothing but the last four digits (MASKED) and a keyed hash of a number is kept; mynumber_end() wipes all but the report.
 */
#ifndef SEKISHO_MYNUMBER_H
#define SEKISHO_MYNUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MYNUMBER_THRESHOLD 100u
#define MYNUMBER_NEAR 300u     /* characters; what Microsoft's detector takes, too */
#define MYNUMBER_LABEL 20u     /* characters between the word of another number and the number */
#define MYNUMBER_HITS_MAX 64u  /* distinct numbers that are told apart; more only add up */
#define MYNUMBER_SHOWN_MAX 8u  /* masked forms in the report */
#define MYNUMBER_RECENT 24u    /* characters that are remembered for words: the longest is 19 */
#define MYNUMBER_SCORE_MAX 100000u
#define MYNUMBER_MASKED 15u    /* "****-****-1234" and NUL */

struct mynumber_options {
	bool kanji;	 /* digits in kanji, too */
	uint8_t key[16]; /* of the hash that tells numbers apart; random is best, zero works */
};

struct mynumber_report {
	uint32_t score;	     /* 0 .. MYNUMBER_SCORE_MAX */
	uint32_t hits;	     /* distinct numbers that count */
	uint32_t named;	     /* of these, with a word near */
	uint32_t candidates; /* distinct strings of 12 digits that were judged, right check digit or not */
	uint32_t exempt;     /* that passed but were exempt (date, other number, trivial) */
	uint32_t nshown;
	char shown[MYNUMBER_SHOWN_MAX][MYNUMBER_MASKED];
};

/* A number that was found. */
struct mynumber_hit {
	uint64_t hash;
	uint64_t at; /* character after its last occurrence */
	bool named, label, dated, nearby; /* named: a word near; label: always one of another number before it */
	char last[4];
};

/* Digits between separators. */
struct mynumber_group {
	uint64_t value;
	uint32_t n; /* digits */
	uint8_t before, after; /* enum separator */
	uint64_t at;
	bool label, corporate;
};

/* One mail on its way. Every member is mynumber's own. */
struct mynumber {
	struct mynumber_options options;
	uint64_t at;	 /* characters so far */
	uint64_t word;	 /* after the last word for the number; 0 none */
	uint64_t other;	 /* after the last word for another number; 0 none */
	uint64_t corporate;
	uint32_t point, low;
	uint8_t need;
	uint32_t recent[MYNUMBER_RECENT]; /* the last characters, folded, without blanks */
	uint32_t nrecent;
	struct mynumber_group group[4]; /* the last, oldest first */
	uint32_t ngroup;
	struct mynumber_group now;
	uint32_t last; /* the last character that was not stripped */
	uint8_t separator, nseparators;
	uint32_t run; /* single digits in a row with the same separator */
	uint8_t run_separator, digits[12];
	uint32_t ncandidate, passed, exempt, more;
	uint64_t candidate[MYNUMBER_HITS_MAX];
	uint32_t nhit;
	struct mynumber_hit hit[MYNUMBER_HITS_MAX];
};

/* The check digit of the first 11 digits (most significant first), 0 to 9. */
unsigned mynumber_check_digit(uint64_t first11);

void mynumber_begin(struct mynumber *m, const struct mynumber_options *options);
void mynumber_push(struct mynumber *m, const char *utf8, size_t n);
/* A part ends (subject, body, a name, an attachment's text): numbers do not cross it, words for them do. */
void mynumber_break(struct mynumber *m);
/* The mail is over. Wipes everything that is left in m. */
void mynumber_end(struct mynumber *m, struct mynumber_report *ret);

#endif
