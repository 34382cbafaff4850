/*
 * reference.c: the reference manual of the policy's words, from the schema, in Japanese and English.
 *
 * The result is kept in the tree as rootfs/doc/policy-reference.md; a test says when it is not current.
 */
#include <sekisho/config.h>

#include "forms.h"
#include "schema.h"

#include <sekisho/buf.h>

#include <ctype.h>
#include <libyang/libyang.h>
#include <string.h>

static const char preface[] =
	"# 方針の語 / Words of the policy\n\n"
	"<!-- 生成物: src/config/sekisho.yang から作られる。 Generated from src/config/sekisho.yang:\n"
	"     meson compile -C BUILD regenerate-policy-reference -->\n\n"
	"許可通信 (`allow`) に書かれた通信だけが通り、書かれていないものはすべて遮断される。書く順は、区間 (`segment`)、ルータと経路、\n"
	"機器 (`host`)、許可通信が分かりやすい。最小の例:\n\n"
	"Only what an `allow` grants may pass; everything else is stopped. A natural order is segments, routers and routes,\n"
	"hosts, allowed flows. The smallest example:\n\n"
	"```\n"
	"set segment lgwan kind lgwan label \"LGWAN接続系\" interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
	"set segment joho kind other label \"庁内情報系\" interface eth2 address 10.3.0.1/24 network 10.3.0.0/16\n"
	"set host gyomu segment lgwan address 10.2.0.10 label \"業務サーバ\"\n"
	"set host pcs segment joho address 10.3.0.128/25 label \"職員PC\"\n"
	"set allow web from pcs to gyomu service tcp/443 application tls server-name gyomu.town.example.lg.jp\n"
	"set allow web purpose \"業務システムの利用\" applicant \"企画課\" expires 2027-03-31\n"
	"```\n\n"
	"`sekisho check` が誤りを行番号で示し、`sekisho explain FILE pcs gyomu tcp/443` が判定を、`sekisho ledger FILE` が台帳を表示する。\n"
	"大きな例は `etc/sekisho/examples`、アプリケーションの検査は `applications.md`。画面では segment を「区間」、host を「機器」と呼ぶ。\n\n"
	"`sekisho check` says what is wrong and where, `sekisho explain FILE pcs gyomu tcp/443` what becomes of a packet, `sekisho ledger FILE`\n"
	"prints the ledger. Larger examples are in `etc/sekisho/examples`; `applications.md` tells of verified applications.\n\n"
	"## 書き方 / Form\n\n"
	"方針は `set` で始まる行に語を順に並べて書く。1行に続けて複数の項目を書ける。\n"
	"語の間は半角の空白、空白を含む値は `\"…\"` で囲む（中では `\\\"` と `\\\\`）。`#` から行末までは注釈。\n"
	"文字コードは UTF-8、1行は 8192 バイトまで。日付は `2026-04-01` のほか `令和8年4月1日`、`R8-04-01` とも書ける。\n"
	"サイズの K M G は 1024 倍。\n\n"
	"A policy is lines of `set` followed by words in order; several items may follow on one line.\n"
	"Words are separated by spaces; a value with spaces stands in `\"…\"` (with `\\\"` and `\\\\` inside). `#` begins\n"
	"a comment. UTF-8, at most 8192 bytes a line. Dates are `2026-04-01`, `令和8年4月1日` or `R8-04-01`.\n"
	"K, M and G of sizes count in 1024.\n\n"
	"`*` = 複数回書ける / may be given several times · `!` = 必須 / required · "
	"大文字 = 名前などの値 / capitals = a name or other value\n";

/* Text for a table cell: one line, pipes escaped. */
static void add_cell(struct buf *out, const char *text)
{
	bool blank = false;

	for (const char *s = text == NULL ? "" : text; *s != '\0'; s++) {
		bool space = *s == ' ' || *s == '\n' || *s == '\t';
		if (space && blank)
			continue;
		blank = space;
		if (*s == '|')
			buf_addc(out, '\\');
		buf_addc(out, space ? ' ' : *s);
	}
}

static void add_enums(struct buf *out, const struct lysc_type_enum *type)
{
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(type->enums, i)
	{
		buf_printf(out, "%s`%s`", i == 0 ? "" : " ", type->enums[i].name);
	}
}

/* What the value may be, as far as the type says it. */
static void add_type(struct buf *out, const struct place *p)
{
	const struct lysc_type *type = p->type;

	if (type->basetype == LY_TYPE_ENUM) {
		add_enums(out, (const struct lysc_type_enum *)type);
	} else if (type->basetype == LY_TYPE_BOOL) {
		buf_adds(out, p->flag ? "(`true`) `false`" : "`true` `false`");
	} else if (type->basetype >= LY_TYPE_UINT8 && type->basetype <= LY_TYPE_UINT64 &&
		   ((const struct lysc_type_num *)type)->range != NULL) {
		const struct lysc_range *r = ((const struct lysc_type_num *)type)->range;
		buf_printf(out, "%llu–%llu", (unsigned long long)r->parts[0].min_u64,
			(unsigned long long)r->parts[0].max_u64);
	}
	if (p->units != NULL)
		buf_printf(out, " %s (%s)", p->ja_units, p->units);
	if (p->example != NULL && type->basetype != LY_TYPE_ENUM && type->basetype != LY_TYPE_BOOL)
		buf_printf(out, "%s例 `%s`", out->data[out->len - 1] == ' ' ? "" : " ", p->example);
	if (p->fallback != NULL)
		buf_printf(out, " 既定/default `%s`", p->fallback);
}

/* A list's key as a placeholder: NAME. */
static void add_key(struct buf *out, const struct place *key)
{
	for (const char *s = key->word; *s != '\0'; s++)
		buf_addc(out, (char)toupper((unsigned char)*s));
}

/* The words from below the section's place to p. */
static void add_path(struct buf *out, const struct place *section, const struct place *p)
{
	if (p == section)
		return;
	add_path(out, section, p->parent);
	buf_printf(out, "%s%s", p->parent == section ? "" : " ", p->word);
	if (p->key != NULL) {
		buf_addc(out, ' ');
		add_key(out, p->key);
	}
}

static bool is_required(const struct place *p)
{
	return p->required_bit != 0;
}

static void add_row(struct buf *out, const struct place *section, const struct place *p)
{
	bool many = p->kind == PLACE_LIST || p->kind == PLACE_LEAFLIST;

	buf_adds(out, "| `");
	if (p == section->key)
		add_key(out, p);
	else
		add_path(out, section, p);
	buf_printf(out, "`%s%s | ", many ? " *" : "", is_required(p) ? " !" : "");
	if (p->type != NULL)
		add_type(out, p);
	buf_adds(out, " | ");
	add_cell(out, p->ja);
	buf_adds(out, " | ");
	add_cell(out, p->text);
	buf_adds(out, " |\n");
}

/* The values of an enumeration that have a meaning of their own, a row each. */
static void add_enum_rows(struct buf *out, const struct place *p)
{
	if (p->type == NULL || p->type->basetype != LY_TYPE_ENUM)
		return;
	const struct lysc_type_enum *type = (const struct lysc_type_enum *)p->type;
	LY_ARRAY_COUNT_TYPE i;
	LY_ARRAY_FOR(type->enums, i)
	{
		if (type->enums[i].dsc == NULL)
			continue;
		buf_printf(out, "| | `%s` | ", type->enums[i].name);
		add_cell(out, schema_ext(type->enums[i].exts, "ja"));
		buf_adds(out, " | ");
		add_cell(out, type->enums[i].dsc);
		buf_adds(out, " |\n");
	}
}

static void add_rows(struct buf *out, const struct place *section, const struct place *p)
{
	for (size_t i = 0; i < p->nchildren; i++) {
		const struct place *c = p->children[i];
		add_row(out, section, c);
		add_enum_rows(out, c);
		add_rows(out, section, c);
	}
}

static void add_section(struct buf *out, const struct place *p)
{
	buf_printf(out, "\n## `set %s", p->word);
	if (p->key != NULL) {
		buf_addc(out, ' ');
		add_key(out, p->key);
	}
	buf_printf(out, "`%s\n\n", p->kind == PLACE_LIST ? " *" : "");
	add_cell(out, p->ja);
	buf_adds(out, "\n\n");
	add_cell(out, p->text);
	buf_adds(out, "\n\n| 語 / word | 値 / value | 意味 | meaning |\n|---|---|---|---|\n");
	if (p->key != NULL)
		add_row(out, p, p->key);
	add_rows(out, p, p);
}

bool config_reference(struct buf *out)
{
	const char *why;
	const struct place *root = schema_open(&why);

	if (root == NULL)
		return false;
	buf_adds(out, preface);
	for (size_t i = 0; i < root->nchildren; i++)
		add_section(out, root->children[i]);
	buf_adds(out, "\n## ICMP\n\n`icmp/NAME`, `icmp/TYPE`, `icmp/TYPE/CODE`, `icmpv6/…`; NAME: ");
	form_icmp_names(out);
	buf_adds(out, ".\n\n`icmp/NAME` は両方の版に同じ名前があれば IPv4 と IPv6 の両方を指す。\n"
		      "Where both families have the name, `icmp/NAME` means both.\n");
	return true;
}
