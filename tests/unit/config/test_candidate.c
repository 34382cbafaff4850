/* test_candidate.c: edits of a candidate: what each does, that a refused one does nothing, and that no text is lost. */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/candidate.h>
#include <sekisho/diag.h>

#include <errno.h>

#include "test.h"

static struct arena *arena;
static struct diag_list diags;

static struct candidate *begin(const char *text)
{
	arena_free(arena);
	arena = arena_new();
	diag_init(&diags, arena);
	struct candidate *c = candidate_new(text, strlen(text), &diags);
	CHECK(c != NULL && diags.nerrors == 0);
	return c;
}

static void check_text(const struct candidate *c, const char *path, const char *want)
{
	struct buf b = {0};

	CHECK_INT(candidate_print(c, path, &b), 0);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

/* The last finding's code, then none is kept. */
static const char *finding(void)
{
	const char *code = diags.n == 0 ? "" : diags.items[diags.n - 1].code;

	diag_init(&diags, arena);
	return code;
}

#define REFUSED(call, error, want)                                                                               \
	do {                                                                                                     \
		unsigned long was = candidate_changes(c);                                                        \
		CHECK_INT(call, error);                                                                          \
		CHECK_STR(finding(), want);                                                                      \
		CHECK_INT(candidate_changes(c), was);                                                            \
	} while (0)

#define TOWN                                                                                                     \
	"set segment k kind mynumber\nset segment l kind lgwan interface eth1\nset router r segment k address 10.1.0.254\n" \
	"set route 10.1.1.0/24 via r\nset host ap segment k address 10.1.1.5 behind r\nset host db segment l address 10.2.0.8\n" \
	"set host-group g member ap member db\nset service web tcp/80\nset allow a from ap to db service web\n"

static void test_set(void)
{
	struct candidate *c = begin("");

	check_text(c, NULL, "");
	CHECK_INT(candidate_set(c, "host a segment l address 10.0.0.1", &diags), 0);
	CHECK_INT(candidate_set(c, "host a address 10.0.0.2 label \"x y\"", &diags), 0);
	CHECK_INT(candidate_set(c, "host a segment k", &diags), 0);
	check_text(c, NULL, "set host a segment k address 10.0.0.1 address 10.0.0.2 label \"x y\"\n");
	unsigned long changes = candidate_changes(c);
	CHECK_INT(candidate_set(c, "host a segment k", &diags), 0);
	CHECK_INT(candidate_changes(c), changes);
	REFUSED(candidate_set(c, "host a mac zz label b", &diags), -EINVAL, "bad-value");
	REFUSED(candidate_set(c, "host a labl b", &diags), -EINVAL, "unknown-word");
	REFUSED(candidate_set(c, "host a label", &diags), -EINVAL, "missing-value");
	REFUSED(candidate_set(c, "host", &diags), -EINVAL, "missing-value");
	REFUSED(candidate_set(c, "system", &diags), -EINVAL, "incomplete");
	REFUSED(candidate_set(c, "", &diags), -EINVAL, "incomplete");
	REFUSED(candidate_set(c, "  # nothing", &diags), -EINVAL, "incomplete");
	REFUSED(candidate_set(c, "host a label b\nhost c label d", &diags), -EINVAL, "one-line");
	REFUSED(candidate_set(c, "host a label \"b", &diags), -EINVAL, "quote");
	REFUSED(candidate_set(c, "host a label b\xff", &diags), -EINVAL, "encoding");
	REFUSED(candidate_set(c, "host a label b\x1b[0m", &diags), -EINVAL, "control-character");
	REFUSED(candidate_set(c, "host a label \xe2\x80\xae", &diags), -EINVAL, "control-character");
	check_text(c, NULL, "set host a segment k address 10.0.0.1 address 10.0.0.2 label \"x y\"\n");
	candidate_free(c);
}

static void test_delete(void)
{
	struct candidate *c = begin(TOWN "set system log-limit per-source 5\nset host x segment k address 10.1.0.9 address 10.1.0.8 label q\n");

	CHECK_INT(candidate_delete(c, "host x address 10.1.0.9", &diags), 0);
	check_text(c, "host x", "set host x segment k address 10.1.0.8 label q\n");
	REFUSED(candidate_delete(c, "host x address 10.1.0.9", &diags), -ENOENT, "not-there");
	REFUSED(candidate_delete(c, "host y", &diags), -ENOENT, "not-there");
	REFUSED(candidate_delete(c, "host x mac", &diags), -ENOENT, "not-there");
	REFUSED(candidate_delete(c, "host x colour", &diags), -EINVAL, "unknown-word");
	REFUSED(candidate_delete(c, "", &diags), -EINVAL, "incomplete");
	CHECK_INT(candidate_delete(c, "host x label address", &diags), 0);
	check_text(c, "host x", "set host x segment k\n");
	CHECK_INT(candidate_delete(c, "host x", &diags), 0);
	check_text(c, "host x", "");
	/* The container that it empties is gone with it. */
	CHECK_INT(candidate_delete(c, "system log-limit per-source", &diags), 0);
	check_text(c, NULL, TOWN);
	CHECK_INT(candidate_delete(c, "allow", &diags), 0);
	check_text(c, "allow", "");
	/* What went may come again. */
	CHECK_INT(candidate_set(c, "allow a from ap to db service tcp/1", &diags), 0);
	check_text(c, "allow", "set allow a from ap to db service tcp/1\n");
	candidate_free(c);
}

static void test_rename(void)
{
	struct candidate *c = begin(TOWN "set system time server db\nset system collector db\nset system alarm via db\n"
				    "set interface eth1 address 10.2.0.1/24\nset interface eth1.2 parent eth1 vlan 2\n"
				    "set mail inbound listen 10.0.0.1 domain d.example next-hop db\n"
				    "set system approval-required l ciso\n");

	CHECK_INT(candidate_rename(c, "host db", "database", &diags), 0);
	CHECK_INT(candidate_rename(c, "segment l", "lgwan", &diags), 0);
	CHECK_INT(candidate_rename(c, "router r", "sw", &diags), 0);
	CHECK_INT(candidate_rename(c, "service web", "www", &diags), 0);
	CHECK_INT(candidate_rename(c, "interface eth1", "eth9", &diags), 0);
	CHECK_INT(candidate_rename(c, "allow a", "pittari", &diags), 0);
	check_text(c, NULL,
		"set system time server database\nset system collector database\nset system alarm via database\n"
		"set system approval-required lgwan ciso\n"
		"set interface eth9 address 10.2.0.1/24\nset interface eth1.2 parent eth9 vlan 2\n"
		"set segment k kind mynumber\nset segment lgwan kind lgwan interface eth9\n"
		"set router sw segment k address 10.1.0.254\nset route 10.1.1.0/24 via sw\n"
		"set host ap segment k address 10.1.1.5 behind sw\nset host database segment lgwan address 10.2.0.8\n"
		"set host-group g member ap member database\nset service www tcp/80\n"
		"set allow pittari from ap to database service www\n"
		"set mail inbound listen 10.0.0.1 domain d.example next-hop database\n");
	REFUSED(candidate_rename(c, "host ap", "database", &diags), -EEXIST, "duplicate-name");
	REFUSED(candidate_rename(c, "host ap", "g", &diags), -EEXIST, "duplicate-name");
	REFUSED(candidate_rename(c, "host ap", "lgwan", &diags), -EEXIST, "duplicate-name");
	REFUSED(candidate_rename(c, "host ap", "a b", &diags), -EINVAL, "bad-value");
	REFUSED(candidate_rename(c, "host ap", "", &diags), -EINVAL, "bad-value");
	REFUSED(candidate_rename(c, "host no", "yes", &diags), -ENOENT, "not-there");
	REFUSED(candidate_rename(c, "host", "yes", &diags), -EINVAL, "not-an-entry");
	REFUSED(candidate_rename(c, "host ap segment", "yes", &diags), -EINVAL, "not-an-entry");
	REFUSED(candidate_rename(c, "", "yes", &diags), -EINVAL, "not-an-entry");
	/* A router may have the name of a host; and a dangling reference to the new name becomes the reference. */
	CHECK_INT(candidate_rename(c, "router sw", "ap", &diags), 0);
	CHECK_INT(candidate_set(c, "host-group g member later", &diags), 0);
	CHECK_INT(candidate_rename(c, "host ap", "later", &diags), 0);
	check_text(c, "host-group g", "set host-group g member database member later\n");
	candidate_free(c);
}

static void test_copy_move(void)
{
	struct candidate *c = begin(TOWN "set allow b from ap to db service tcp/2\nset allow b approval ciso name A date 2026-01-01\n");

	CHECK_INT(candidate_copy(c, "allow a", "c", &diags), 0);
	CHECK_INT(candidate_copy(c, "allow b", "d", &diags), 0);
	check_text(c, "allow",
		"set allow a from ap to db service web\nset allow c from ap to db service web\n"
		"set allow b from ap to db service tcp/2\nset allow b approval ciso name A date 2026-01-01\n"
		"set allow d from ap to db service tcp/2\nset allow d approval ciso name A date 2026-01-01\n");
	CHECK_INT(candidate_delete(c, "allow d approval ciso", &diags), 0);
	CHECK_INT(candidate_move(c, "allow d", true, "a", &diags), 0);
	CHECK_INT(candidate_move(c, "allow a", false, "b", &diags), 0);
	CHECK_INT(candidate_move(c, "allow a", false, "b", &diags), 0);
	check_text(c, "allow",
		"set allow d from ap to db service tcp/2\nset allow c from ap to db service web\n"
		"set allow b from ap to db service tcp/2\nset allow b approval ciso name A date 2026-01-01\n"
		"set allow a from ap to db service web\n");
	REFUSED(candidate_copy(c, "allow a", "b", &diags), -EEXIST, "duplicate-name");
	REFUSED(candidate_copy(c, "host ap", "g", &diags), -EEXIST, "duplicate-name");
	REFUSED(candidate_move(c, "allow a", true, "a", &diags), -EINVAL, "not-there");
	REFUSED(candidate_move(c, "allow a", true, "z", &diags), -ENOENT, "not-there");
	for (int i = 0; i < 6; i++) {
		char name[8];
		snprintf(name, sizeof(name), "s%d", i);
		CHECK_INT(candidate_copy(c, "segment k", name, &diags), 0);
	}
	REFUSED(candidate_copy(c, "segment k", "s9", &diags), -EINVAL, "too-many");
	REFUSED(candidate_set(c, "segment s9 kind lgwan", &diags), -EINVAL, "too-many");
	candidate_free(c);
}

static void test_comments(void)
{
	static const char text[] =
		"# the town\n# of 2026\n\n# hall\nset segment k kind mynumber\n\n#  one\n#two  \nset host a segment k # three\n"
		"set host a label b # four\nset host b segment k\n"
		"set allow x from a to b\n# who\nset allow x approval ciso name A\n# the end\n";
	static const char want[] =
		"# the town\n# of 2026\n\n# hall\nset segment k kind mynumber\n#  one\n# two\n# three\n# four\n"
		"set host a segment k label b\nset host b segment k\nset allow x from a to b\n"
		"# who\nset allow x approval ciso name A\n\n# the end\n";
	struct candidate *c = begin(text);

	check_text(c, NULL, want);
	candidate_free(c);
	c = begin(want);
	check_text(c, NULL, want);
	CHECK_INT(candidate_annotate(c, "host a", "五\nsix", &diags), 0);
	CHECK_INT(candidate_annotate(c, "host b", "seven", &diags), 0);
	CHECK_INT(candidate_annotate(c, "segment k", "", &diags), 0);
	CHECK_INT(candidate_annotate(c, "", "town", &diags), 0);
	check_text(c, "host", "# 五\n# six\nset host a segment k label b\n# seven\nset host b segment k\n");
	REFUSED(candidate_annotate(c, "host a label", "x", &diags), -EINVAL, "not-an-object");
	REFUSED(candidate_annotate(c, "host", "x", &diags), -EINVAL, "not-an-object");
	REFUSED(candidate_annotate(c, "host a", "x\x07", &diags), -EINVAL, "control-character");
	REFUSED(candidate_annotate(c, "host a", "x\xc0", &diags), -EINVAL, "encoding");
	/* What the schema itself puts behind a line is no comment of anybody's. */
	CHECK_INT(candidate_set(c, "allow x screen-product ica", &diags), 0);
	struct buf once = {0};
	CHECK_INT(candidate_print(c, NULL, &once), 0);
	struct candidate *again = candidate_new((const char *)once.data, once.len, &diags);
	check_text(again, NULL, buf_str(&once));
	candidate_free(again);
	buf_free(&once);
	/* A comment above an entry without values of its own stays its own. */
	CHECK_INT(candidate_delete(c, "allow x from to screen-product", &diags), 0);
	CHECK_INT(candidate_annotate(c, "allow x", "empty", &diags), 0);
	check_text(c, "allow", "# empty\nset allow x\n# who\nset allow x approval ciso name A\n");
	candidate_free(c);
}

static int load(struct candidate *c, const char *text, bool replace)
{
	return candidate_load(c, text, strlen(text), replace, NULL, &diags);
}

static void test_load(void)
{
	struct candidate *c = begin(TOWN);

	CHECK_INT(load(c, "set host x segment k address 10.1.0.9\n\n  delete allow a\r\nset allow z from x to db service tcp/1\n"
			  "rename host x to y # a note\ncopy allow z to q\nmove allow q before z\n", false), 0);
	check_text(c, "host y", "set host y segment k address 10.1.0.9\n");
	check_text(c, "allow", "set allow q from y to db service tcp/1\nset allow z from y to db service tcp/1\n");
	/* All or nothing, and every finding has its line. */
	struct buf before = {0};
	CHECK_INT(candidate_print(c, NULL, &before), 0);
	CHECK_INT(load(c, "set host w segment k\ndelete host nobody\nset host w mac zz\n\xff\nrename host y\nfrobnicate\nset", false),
		-EINVAL);
	/* Behind lines of set that are refused an edit of what is there is not judged. */
	static const unsigned lines[] = {2, 3, 4, 6, 7};
	CHECK_INT(diags.nerrors, 5);
	diag_sort(&diags);
	for (size_t i = 0; i < diags.n && i < 5; i++)
		CHECK_INT(diags.items[i].line, lines[i]);
	finding();
	check_text(c, NULL, buf_str(&before));
	CHECK_INT(load(c, "set host w segment", true), -EINVAL);
	check_text(c, NULL, buf_str(&before));
	buf_free(&before);
	finding();
	CHECK_INT(load(c, "\xef\xbb\xbfset host w segment k\n", true), 0);
	check_text(c, NULL, "set host w segment k\n");
	candidate_free(c);
}

/* A megabyte that is no policy: a bounded number of findings, and nothing changes. */
static void test_paste(void)
{
	struct candidate *c = begin(TOWN);
	struct buf b = {0};
	uint32_t x = 1;

	while (b.len < 1 << 20) {
		x = x * 1664525 + 1013904223;
		buf_addc(&b, (char)(x >> 24));
	}
	CHECK_INT(candidate_load(c, (const char *)b.data, b.len, false, NULL, &diags), -EINVAL);
	CHECK(diags.nerrors > 1000 && diags.n <= DIAG_KEEP_MAX);
	finding();
	buf_clear(&b);
	while (b.len < 1 << 20)
		buf_adds(&b, "host ");
	CHECK_INT(candidate_set(c, buf_str(&b), &diags), -EINVAL);
	CHECK_STR(finding(), "line-too-long");
	check_text(c, NULL, TOWN);
	buf_free(&b);
	candidate_free(c);
}

static void check_compare(const char *a, const char *b, const char *want)
{
	struct buf out = {0};

	CHECK(candidate_compare(a, strlen(a), b, strlen(b), &out));
	CHECK_STR(buf_str(&out), want);
	buf_free(&out);
}

static void test_compare(void)
{
	check_compare(TOWN, TOWN, "");
	check_compare(TOWN, "# x\n\n" TOWN "set host x segment k\n", "+ # x\n+ set host x segment k\n");
	check_compare(TOWN "set host x segment k label a\n", TOWN "set host x segment l address 10.0.0.1\n",
		"- set host x segment k\n+ set host x segment l\n+ set host x address 10.0.0.1\n- set host x label a\n");
	check_compare("set segment a kind lgwan interface x interface y\n", "set segment a kind lgwan interface y interface z\n",
		"- set segment a interface x\n+ set segment a interface z\n");
	check_compare("set segment a kind lgwan interface x interface y\n", "set segment a kind lgwan interface y interface x\n",
		"- set segment a interface x\n- set segment a interface y\n+ set segment a interface y\n+ set segment a interface x\n");
	check_compare("set allow a\nset allow b\nset allow c\n", "set allow c\nset allow a\nset allow b\n", "! move allow c before a\n");
	check_compare("set allow a\nset allow b\nset allow c\n", "set allow a\nset allow n\nset allow b\n",
		"- set allow c\n+ set allow n\n! move allow n after a\n");
	check_compare("# n\nset allow a\nset system log-limit per-source 1\n", "# m\nset allow a\n",
		"- set system log-limit per-source 1\n- # n\n+ # m\n");
	check_compare("set allow a approval x name A\n", "set allow a approval x name B\n",
		"- set allow a approval x name A\n+ set allow a approval x name B\n");
}

/* -- completion -------------------------------------------------------------------------------------------------- */

static struct buf words; /* "word " of each kind, with a mark */
static int unexplained;

static bool take(void *arg, const char *word, enum candidate_word kind, const char *help)
{
	static const char *const marks[] = {"", "=", "@", "", ""};

	(void)arg;
	unexplained += help[0] == '\0' && kind != CANDIDATE_NAME;
	buf_printf(&words, "%s%s%s", words.len == 0 ? "" : " ", marks[kind], word);
	return words.len < 4000;
}

static void check_complete(const struct candidate *c, enum candidate_use use, const char *line, const char *want)
{
	buf_clear(&words);
	int n = candidate_complete(c, use, line, take, NULL);
	CHECK_STR(n < 0 ? "(no)" : buf_str(&words), want);
}

static void check_expand(const struct candidate *c, const char *line, const char *want)
{
	struct buf b = {0};

	CHECK_INT(candidate_expand(c, CANDIDATE_FOR_SET, line, &b, &diags), want == NULL ? -EINVAL : 0);
	CHECK_STR(buf_str(&b), want == NULL ? "" : want);
	buf_free(&b);
}

static void test_complete(void)
{
	struct candidate *c = begin(TOWN "set host a label 住民 segment k\n");
	enum candidate_use set = CANDIDATE_FOR_SET, del = CANDIDATE_FOR_DELETE, entry = CANDIDATE_FOR_ENTRY;

	check_complete(c, set, "", "system interface segment deputy router route host host-group service allow mail");
	check_complete(c, set, "s", "system segment service");
	check_complete(c, set, "  ho", "host host-group");
	check_complete(c, set, "host ", "@ap @db @a <NAME>");
	check_complete(c, set, "host d", "@db");
	check_complete(c, set, "host a ", "segment address mac behind external label section location <Enter>");
	check_complete(c, set, "host a label x se", "segment section");
	check_complete(c, set, "host a segment k s", "section");
	check_complete(c, set, "host a segment ", "@k @l");
	check_complete(c, set, "host a mac ", "<MAC>");
	check_complete(c, set, "host a mac 02", "");
	check_complete(c, set, "host a label \"x y", "<TEXT>");
	check_complete(c, set, "allow n service ", "@web <PROTOCOL/PORT>");
	check_complete(c, set, "allow n from ", "@ap @db @a @g @k @l <FROM>");
	check_complete(c, set, "allow n application ss", "=ssh");
	check_complete(c, set, "allow n at-end ", "=cut =drain");
	check_complete(c, set, "allow n expires ", "<DATE>");
	check_complete(c, set, "allow n asset-class ", "<1..4>");
	check_complete(c, set, "allow n approval ciso na", "name");
	check_complete(c, set, "allow n approval ciso nam", "name");
	check_complete(c, set, "allow n approval ciso name X nu", "number");
	check_complete(c, set, "allow n approval ciso name X exp", "expires");
	check_complete(c, set, "segment k answer-ping ", "=true =false kind label interface address network mss <Enter>");
	check_complete(c, set, "segment k network ", "=other <NETWORK>");
	check_complete(c, set, "system approval-required l ", "<ROLE> <Enter>");
	check_complete(c, set, "system approval-required ", "@k @l <CASE>");
	check_complete(c, set, "sy log-limit per-se", "per-segment");
	check_complete(c, set, "s log-limit per-se", "(no)");
	check_complete(c, set, "frob ", "(no)");
	check_complete(c, set, "host a label \xff ", "(no)");
	check_complete(c, set, "# ", "(no)");
	check_complete(c, del, "", "segment router route host host-group service allow");
	check_complete(c, del, "host ", "@ap @db @a <Enter>");
	check_complete(c, del, "host a ", "segment label <Enter>");
	check_complete(c, del, "host a label ", "@\"住民\" segment <Enter>");
	check_complete(c, del, "host-group g member ", "@ap @db member <Enter>");
	check_complete(c, entry, "host a ", "<Enter>");
	check_complete(c, entry, "al", "allow");
	CHECK_INT(unexplained, 0);

	check_expand(c, "al n fro ap t db servi web application tl", "allow n from ap to db service web application tls");
	check_expand(c, "seg k ki lg la \"s p\"", "segment k kind lgwan label \"s p\"");
	check_expand(c, "host a label label", "host a label label");
	check_expand(c, "host ap lab 住民", "host ap label \"住民\"");
	check_expand(c, "sy approval-required l ro", "system approval-required l ro");
	check_expand(c, "seg k answer f", "segment k answer-ping f");
	check_expand(c, "seg k answer la x # why", "segment k answer-ping label x # why");
	check_expand(c, "s all", NULL);
	CHECK_STR(finding(), "ambiguous-word");
	check_expand(c, "host a zz", NULL);
	CHECK_STR(finding(), "unknown-word");
	check_expand(c, "host a \"label\"", NULL);
	CHECK_STR(finding(), "unknown-word");
	check_expand(c, "", "");
	buf_free(&words);
	candidate_free(c);
}

/* Each beginning of each line of a policy, and each line with one byte broken: never a crash, and never a change. */
static void test_any(void)
{
	struct candidate *c = begin(TOWN "set allow a approval ciso name \"A B\" date 2026-01-01 expires 2027-03-31\n");
	struct buf text = {0};

	CHECK_INT(candidate_print(c, NULL, &text), 0);
	unsigned long changes = candidate_changes(c);
	for (const char *p = buf_str(&text); *p != '\0'; p += strcspn(p, "\n") + 1) {
		size_t n = strcspn(p, "\n");
		for (size_t i = strlen("set "); i <= n; i++) {
			char line[256];
			snprintf(line, sizeof(line), "%.*s", (int)(i - strlen("set ")), p + strlen("set "));
			for (int use = CANDIDATE_FOR_SET; use <= CANDIDATE_FOR_ENTRY; use++) {
				buf_clear(&words);
				CHECK(candidate_complete(c, (enum candidate_use)use, line, take, NULL) >= -EINVAL);
			}
			line[i / 2] = (char)(line[i / 2] ^ 0x95);
			buf_clear(&words);
			candidate_complete(c, CANDIDATE_FOR_SET, line, take, NULL);
			candidate_expand(c, CANDIDATE_FOR_DELETE, line, &words, &diags);
		}
	}
	CHECK_INT(candidate_changes(c), changes);
	finding();
	buf_free(&words);
	buf_free(&text);
	candidate_free(c);
}

int main(void)
{
	test_set();
	test_delete();
	test_rename();
	test_copy_move();
	test_comments();
	test_load();
	test_paste();
	test_compare();
	test_complete();
	test_any();
	arena_free(arena);
	return test_end();
}
