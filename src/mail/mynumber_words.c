/*
 * mynumber_words.c: the words that stand near numbers.
 *
 * Characters are folded (full-width to ASCII, half-width kana to full-width, capitals to small letters), blanks and
 * line ends left out, and compared from the last character of each word backward.
 */
#include "mynumber_private.h"

#include <string.h>
#include <uchar.h>

enum kind {
	NUMBER,	   /* the individual number */
	CORPORATE, /* a company's number of 12 or 13 digits: public */
	OTHER,	   /* some other number */
};

#define WORD(s, kind) {s, sizeof(s) / sizeof(char32_t) - 1, kind}
static const struct word {
	const char32_t *s;
	uint8_t n, kind;
} words[] = {
	WORD(U"個人番号", NUMBER),	   WORD(U"マイナンバー", NUMBER), WORD(U"マイナ番号", NUMBER),	WORD(U"通知カード", NUMBER),
	WORD(U"mynumber", NUMBER),	   WORD(U"特定個人情報", NUMBER), WORD(U"共通番号", NUMBER),
	WORD(U"会社法人等番号", CORPORATE), WORD(U"法人番号", CORPORATE), WORD(U"登録番号", CORPORATE),
	WORD(U"電話", OTHER),	   WORD(U"電話番号", OTHER),      WORD(U"携帯", OTHER),		WORD(U"tel", OTHER),
	WORD(U"fax", OTHER),	   WORD(U"ファクス", OTHER),      WORD(U"ファックス", OTHER),	WORD(U"伝票", OTHER),
	WORD(U"伝票番号", OTHER),	   WORD(U"送り状番号", OTHER),    WORD(U"追跡番号", OTHER),	WORD(U"問い合わせ番号", OTHER),
	WORD(U"問合せ番号", OTHER),	   WORD(U"問合番号", OTHER),      WORD(U"荷物番号", OTHER),	WORD(U"注文番号", OTHER),
	WORD(U"受注番号", OTHER),	   WORD(U"発注番号", OTHER),      WORD(U"会員番号", OTHER),	WORD(U"顧客番号", OTHER),
	WORD(U"お客様番号", OTHER),	   WORD(U"お客さま番号", OTHER),  WORD(U"契約番号", OTHER),	WORD(U"請求番号", OTHER),
	WORD(U"請求書番号", OTHER),	   WORD(U"管理番号", OTHER),      WORD(U"受付番号", OTHER),	WORD(U"製造番号", OTHER),
	WORD(U"口座", OTHER),	   WORD(U"口座番号", OTHER),      WORD(U"カード番号", OTHER),	WORD(U"免許", OTHER),
	WORD(U"免許証番号", OTHER),	   WORD(U"証券番号", OTHER),      WORD(U"会議id", OTHER),	WORD(U"会議番号", OTHER),
	WORD(U"ミーティングid", OTHER), WORD(U"予約番号", OTHER),     WORD(U"申込番号", OTHER),	WORD(U"整理番号", OTHER),
	WORD(U"文書番号", OTHER),	   WORD(U"承認番号", OTHER),      WORD(U"取引番号", OTHER),	WORD(U"被保険者番号", OTHER),
	WORD(U"年金番号", OTHER),	   WORD(U"住民票コード", OTHER),  WORD(U"シリアル", OTHER),	WORD(U"識別番号", OTHER),
	WORD(U"tracking", OTHER),	   WORD(U"invoice", OTHER),	      WORD(U"order", OTHER),
};
#define NWORDS (sizeof(words) / sizeof(words[0]))
_Static_assert(NWORDS < MYNUMBER_WORDS, "struct mynumber has room for the index");

void mynumber_words_begin(struct mynumber *m)
{
	for (size_t i = 0; i < NWORDS; i++) {
		const char32_t *last = words[i].s + words[i].n - 1;
		uint8_t *head = &m->head[mynumber_index(words[i].n > 2 ? last[-2] : 0, last[-1], last[0])];
		m->next[i] = *head;
		*head = (uint8_t)(i + 1);
	}
}

/* U+FF66 to U+FF9D, in their order. */
static const char32_t kana[] = U"ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

uint32_t mynumber_fold(uint32_t point)
{
	if (point - 0xff01 < 0x5e) {
		point -= 0xff01 - 0x21;
		return point - 'A' < 26 ? point + 0x20 : point;
	}
	if (point - 0xff66 < 0x38)
		return kana[point - 0xff66];
	if (point == 0xff9e || point == 0x309b)
		return 0x3099; /* voiced, as a combining mark */
	return point - 0x1d7ce < 50 ? '0' + (point - 0x1d7ce) % 10 : point;
}

static bool ends_here(const struct mynumber *m, const char32_t *s, size_t n)
{
	if (s[n - 1] != m->recent[(m->nrecent - 1) % MYNUMBER_RECENT] || n > MYNUMBER_RECENT || n > m->nrecent)
		return false;
	for (size_t i = 1; i <= n; i++)
		if (m->recent[(m->nrecent - i) % MYNUMBER_RECENT] != s[n - i])
			return false;
	return true;
}

static void found(struct mynumber *m, enum kind kind)
{
	if (kind == NUMBER) {
		m->word = m->at;
		mynumber_named(m);
	} else if (kind == CORPORATE) {
		m->corporate = m->at;
	} else {
		m->other = m->at;
	}
}

/* The voiced kana stands behind the other one. */
uint32_t mynumber_voice(struct mynumber *m)
{
	uint32_t *before = &m->recent[(m->nrecent - 1) % MYNUMBER_RECENT];

	if (*before >= 0x304b && *before <= 0x30db)
		++*before;
	return *before;
}

static void look(struct mynumber *m, uint32_t index)
{
	for (uint8_t i = m->head[index]; i != 0; i = m->next[i - 1])
		if (ends_here(m, words[i - 1].s, words[i - 1].n))
			found(m, words[i - 1].kind);
}

void mynumber_words_end(struct mynumber *m, uint32_t two, uint32_t three)
{
	look(m, two);
	if (three != two)
		look(m, three);
}
