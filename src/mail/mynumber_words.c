/*
 * mynumber_words.c: the words that stand near numbers.
 *
 * Characters are folded (full-width to ASCII, half-width kana to full-width, capitals to small letters), blanks and line ends left
 * out, and compared from the last character of each word backward.
 */
#include "mynumber_private.h"

#include <string.h>
#include <uchar.h>

enum kind {
	NUMBER,	   /* the individual number */
	CORPORATE, /* a company's number of 12 or 13 digits: public */
	OTHER,	   /* some other number */
};

static const struct word {
	const char32_t *s;
	uint8_t kind;
} words[] = {
	{U"個人番号", NUMBER},	   {U"マイナンバー", NUMBER}, {U"マイナ番号", NUMBER},	{U"通知カード", NUMBER},
	{U"mynumber", NUMBER},	   {U"特定個人情報", NUMBER}, {U"共通番号", NUMBER},
	{U"会社法人等番号", CORPORATE}, {U"法人番号", CORPORATE}, {U"登録番号", CORPORATE},
	{U"電話", OTHER},	   {U"電話番号", OTHER},      {U"携帯", OTHER},		{U"tel", OTHER},
	{U"fax", OTHER},	   {U"ファクス", OTHER},      {U"ファックス", OTHER},	{U"伝票", OTHER},
	{U"伝票番号", OTHER},	   {U"送り状番号", OTHER},    {U"追跡番号", OTHER},	{U"問い合わせ番号", OTHER},
	{U"問合せ番号", OTHER},	   {U"問合番号", OTHER},      {U"荷物番号", OTHER},	{U"注文番号", OTHER},
	{U"受注番号", OTHER},	   {U"発注番号", OTHER},      {U"会員番号", OTHER},	{U"顧客番号", OTHER},
	{U"お客様番号", OTHER},	   {U"お客さま番号", OTHER},  {U"契約番号", OTHER},	{U"請求番号", OTHER},
	{U"請求書番号", OTHER},	   {U"管理番号", OTHER},      {U"受付番号", OTHER},	{U"製造番号", OTHER},
	{U"口座", OTHER},	   {U"口座番号", OTHER},      {U"カード番号", OTHER},	{U"免許", OTHER},
	{U"免許証番号", OTHER},	   {U"証券番号", OTHER},      {U"会議id", OTHER},	{U"会議番号", OTHER},
	{U"ミーティングid", OTHER}, {U"予約番号", OTHER},     {U"申込番号", OTHER},	{U"整理番号", OTHER},
	{U"文書番号", OTHER},	   {U"承認番号", OTHER},      {U"取引番号", OTHER},	{U"被保険者番号", OTHER},
	{U"年金番号", OTHER},	   {U"住民票コード", OTHER},  {U"シリアル", OTHER},	{U"識別番号", OTHER},
	{U"tracking", OTHER},	   {U"invoice", OTHER},	      {U"order", OTHER},
};
#define NWORDS (sizeof(words) / sizeof(words[0]))
_Static_assert(NWORDS < MYNUMBER_WORDS, "struct mynumber has room for the index");

static size_t length(const char32_t *s)
{
	size_t n = 0;

	while (s[n] != 0)
		n++;
	return n;
}

void mynumber_words_begin(struct mynumber *m)
{
	for (size_t i = 0; i < NWORDS; i++) {
		uint8_t *head = &m->head[words[i].s[length(words[i].s) - 1] & 0xff];
		m->next[i] = *head;
		*head = (uint8_t)(i + 1);
	}
}

/* U+FF66 to U+FF9D, in their order. */
static const char32_t kana[] = U"ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

uint32_t mynumber_fold(uint32_t point)
{
	if (point < 0x80)
		return point - 'A' < 26 ? point + 0x20 : point;
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

static bool ends_here(const struct mynumber *m, const char32_t *s)
{
	size_t n = length(s);

	if (n > MYNUMBER_RECENT || n > m->nrecent)
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

void mynumber_words(struct mynumber *m, uint32_t folded)
{
	if (folded == ' ' || folded == '\t' || folded == '\n' || folded == '\r' || folded == 0x3000)
		return;
	if (folded == 0x3099 && m->nrecent > 0) {
		/* The voiced kana stands behind the other one. */
		uint32_t *before = &m->recent[(m->nrecent - 1) % MYNUMBER_RECENT];
		if (*before >= 0x304b && *before <= 0x30db)
			folded = ++*before;
	} else {
		m->recent[m->nrecent++ % MYNUMBER_RECENT] = folded;
	}
	for (uint8_t i = m->head[folded & 0xff]; i != 0; i = m->next[i - 1])
		if (ends_here(m, words[i - 1].s))
			found(m, words[i - 1].kind);
}
