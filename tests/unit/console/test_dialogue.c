/* test_dialogue.c: questions answered from a script: help, defaults, refusals, an end in the middle; the form of a flow. */
#include "catalogue_flows.h"
#include "dialogue.h"
#include "guide.h"

#include <sekisho/buf.h>
#include <sekisho/clock.h>
#include <sekisho/i18n.h>

#include "test.h"

/* Answers in order; what was asked and told. */
struct script {
	const char *const *answers;
	struct buf said;
};

static bool answer(void *arg, const char *prompt, struct buf *ret)
{
	struct script *s = arg;

	buf_adds(&s->said, prompt);
	if (*s->answers == NULL)
		return false;
	buf_clear(ret);
	buf_adds(ret, *s->answers);
	buf_printf(&s->said, "%s\n", *s->answers++);
	return true;
}

static void tell(void *arg, const char *text)
{
	buf_adds(&((struct script *)arg)->said, text);
}

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool is_small(void *arg, const char *text, struct buf *ret, struct buf *wrong)
{
	(void)arg;
	if (strlen(text) < 4)
		buf_adds(ret, text);
	else
		buf_adds(wrong, "too long");
	return wrong->len == 0;
}

/* One question; its value, "END" when it ended. */
static void check_ask(const struct dialogue_question *q, const char *const *answers, const char *want, const char *said)
{
	struct script s = {answers, {0}};
	struct dialogue d = {.ask = answer, .tell = tell, .arg = &s};
	struct buf ret = {0};
	bool ok = dialogue_ask(&d, q, &ret);

	CHECK_STR(ok ? buf_str(&ret) : "END", want);
	CHECK(said == NULL || strstr(buf_str(&s.said), said) != NULL);
	CHECK(d.now == NULL);
	buf_free(&s.said);
	buf_free(&ret);
}

static void test_question(void)
{
	struct dialogue_question plain = {.title = "title", .about = "about it", .more = "more of it", .check = is_small};
	struct dialogue_question otherwise = {.title = "title", .otherwise = "abc", .check = is_small};
	struct dialogue_question optional = {.title = "title", .otherwise = "abc", .optional = true, .check = is_small};

	check_ask(&plain, ANSWERS("ab"), "ab", "  about it\ntitle: ab\n");
	check_ask(&plain, ANSWERS("  ab\t "), "ab", NULL);
	check_ask(&plain, ANSWERS("", "ab"), "ab", "This must be answered");
	check_ask(&plain, ANSWERS("-"), "-", NULL);
	check_ask(&plain, ANSWERS("abcd", "ab"), "ab", "  too long\ntitle: ");
	check_ask(&plain, ANSWERS("?", "ab"), "ab", "  more of it\n");
	check_ask(&plain, ANSWERS("?"), "END", NULL);
	check_ask(&otherwise, ANSWERS(""), "abc", "title [abc]: ");
	check_ask(&otherwise, ANSWERS("x"), "x", NULL);
	check_ask(&optional, ANSWERS("-"), "", NULL);
	check_ask(&optional, ANSWERS("?", ""), "abc", "An answer of - leaves it empty.");
	optional.otherwise = NULL;
	check_ask(&optional, ANSWERS(""), "", NULL);
	/* What comes from a keyboard does nothing to the terminal. */
	otherwise.otherwise = "\033[2J";
	check_ask(&otherwise, ANSWERS("x"), "x", "title [\\x1b[2J]: ");
}

static void test_yes(void)
{
	static const struct {
		const char *text;
		bool yes;
	} cases[] = {{"y", true}, {"yes", true}, {"はい", true}, {" y ", true}, {"", false}, {"n", false}, {"yy", false}, {"?", false}};
	bool yes;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script s = {ANSWERS(cases[i].text), {0}};
		struct dialogue d = {.ask = answer, .tell = tell, .arg = &s};
		CHECK(dialogue_yes(&d, "sure?", &yes));
		CHECK(yes == cases[i].yes);
		CHECK(!dialogue_yes(&d, "sure?", &yes));
		CHECK(!yes);
		buf_free(&s.said);
	}
}

static const char policy[] = "set segment m kind mynumber interface eth0 address 10.1.0.1/24 network 10.1.0.0/16\n"
			     "set segment l kind lgwan interface eth1 address 10.2.0.1/24 network 10.2.0.0/16\n"
			     "set segment i kind internet interface eth2 address 10.3.0.1/24 network 10.3.0.0/16\n"
			     "set system approval-required mynumber ciso\n"
			     "set host ap segment m address 10.1.0.5 section \"住民課\"\n"
			     "set host renkei segment l address 10.2.0.8\n"
			     "set host web segment i address 10.3.0.9\n"
			     "set allow pittari from ap to renkei service tcp/443 application tls purpose p applicant a expires 2099-03-31\n"
			     "set allow pittari approval ciso name n date 2026-04-01\n";

/* A guide with a script: the lines, or "END"; what was said holds `said`. */
static void check_guide(bool (*fn)(struct guide *, const char *), const char *word, const char *const *answers, const char *want,
	const char *said)
{
	struct script s = {answers, {0}};
	struct dialogue d = {.ask = answer, .tell = tell, .arg = &s};
	struct buf text = {0}, found = {0};
	struct guide g;

	buf_adds(&text, policy);
	CHECK(guide_begin(&g, &d, &text));
	bool ok = fn(&g, word);
	CHECK_STR(ok ? buf_str(&g.lines) : "END", want);
	if (said != NULL && strstr(buf_str(&s.said), said) == NULL)
		CHECK_STR(buf_str(&s.said), said);
	CHECK(*s.answers == NULL);
	CHECK(!ok || guide_findings(&g, &found));
	guide_end(&g);
	buf_free(&text);
	buf_free(&found);
	buf_free(&s.said);
}

static void test_allow(void)
{
	check_guide(guide_allow, "10",
		ANSWERS("", "ap", "10.2.0.8", "tcp/22", "ssh", "連携", "", "2", "町長", "2026-04-01", "R8-1", "2026-04-01", "2099-03-31",
			"", "-"),
		"set allow pittari-2 from ap to renkei\nset allow pittari-2 service tcp/22\nset allow pittari-2 application ssh\n"
		"set allow pittari-2 purpose 連携\nset allow pittari-2 applicant 住民課\nset allow pittari-2 asset-class 2\n"
		"set allow pittari-2 approval ciso name 町長\nset allow pittari-2 approval ciso date 2026-04-01\n"
		"set allow pittari-2 approval ciso number R8-1\nset allow pittari-2 starts 2026-04-01\n"
		"set allow pittari-2 expires 2099-03-31\n",
		"The approval of ciso is needed.");
	/* The list, and what it refuses. */
	check_guide(guide_allow, NULL, ANSWERS("99", "x"), "END", "a number from 1 to");
	check_guide(guide_allow, "0", (const char *const[]){NULL}, "END", "a number from 1 to");
	/* What no application can permit, what is not there, and the same end twice. */
	check_guide(guide_allow, "10", ANSWERS("x", "ap", "web"), "END", "no application can permit it");
	check_guide(guide_allow, "10", ANSWERS("x", "app"), "END", "names like it: ap");
	check_guide(guide_allow, "10", ANSWERS("x", "10.9.9.9"), "END", "no host has the address 10.9.9.9");
	check_guide(guide_allow, "10", ANSWERS("x", "ap", "ap"), "END", "both ends are the same");
	check_guide(guide_allow, "10", ANSWERS("pittari", "A B"), "END", "there is a flow \"pittari\" already");
	check_guide(guide_allow, "10", ANSWERS("x", "ap", "renkei", "tcp/443 tcp/0"), "END", "tcp/0");
}

static bool renew(struct guide *g, const char *word)
{
	(void)word;
	return guide_renew(g);
}

static bool setup(struct guide *g, const char *word)
{
	(void)word;
	return guide_setup(g);
}

static void test_swap(void)
{
	check_guide(guide_swap, "ap", ANSWERS("02:00:00:00:00:01", "10.1.0.6"),
		"set host ap mac 02:00:00:00:00:01\ndelete host ap address 10.1.0.5\nset host ap address 10.1.0.6\n", NULL);
	check_guide(guide_swap, "ap", ANSWERS("zz", "", ""), "", "Everything is as it was.");
	check_guide(guide_swap, "nobody", (const char *const[]){NULL}, "END", "there is no host \"nobody\"");
	check_guide(guide_swap, "ap", ANSWERS("02:00:00:00:00:01"), "END", NULL);
}

static void test_window(void)
{
	check_guide(guide_window, "ap",
		ANSWERS("", "renkei", "", "", "", "保守", "", "", "町長", "2026-04-01", "", "22:00", "2099-11-20T22:00/2099-11-21T02:00"),
		"set allow maint-ap from renkei to ap\nset allow maint-ap service tcp/22\nset allow maint-ap application ssh\n"
		"set allow maint-ap purpose 保守\nset allow maint-ap applicant 住民課\nset allow maint-ap approval ciso name 町長\n"
		"set allow maint-ap approval ciso date 2026-04-01\n"
		"set allow maint-ap window 2099-11-20T22:00/2099-11-21T02:00\nset allow maint-ap at-end cut\n",
		"The approval of ciso is needed.");
	check_guide(guide_window, "nobody", (const char *const[]){NULL}, "END", "there is no host \"nobody\"");
}

static void test_renew(void)
{
	check_guide(renew, NULL, (const char *const[]){NULL}, "", "none; there is nothing to renew.");
	clock_set_test(&(struct wall){INT64_C(4078000000)}, NULL); /* March 2099 */
	check_guide(renew, NULL, ANSWERS("y", "", "副町長", "2099-03-01", "R81-1"),
		"set allow pittari expires 2100-03-31\ndelete allow pittari approval ciso\n"
		"set allow pittari approval ciso name 副町長\nset allow pittari approval ciso date 2099-03-01\n"
		"set allow pittari approval ciso number R81-1\n",
		"2099-03-31  pittari");
	check_guide(renew, NULL, ANSWERS("n", "n"), "", "Renew pittari?");
	check_guide(renew, NULL, ANSWERS("n", "y", "2100-01-31", "x"), "END", NULL);
	clock_set_test(NULL, NULL);
}

static void test_setup(void)
{
	check_guide(setup, NULL, ANSWERS("gate-09", "", ""),
		"set system hostname gate-09\nset system timezone Asia/Tokyo\nset system language ja\n", "It is there: m.");
	check_guide(setup, NULL, ANSWERS("gate_09"), "END", NULL);
}

/* Every row of the catalogue offers what the schema takes, and begins a name that is free. */
static void test_catalogue(void)
{
	for (size_t i = 0; i < catalogue_flows_count(); i++) {
		const struct catalogue_flow *f = &catalogue_flows[i];
		char number[24];
		snprintf(number, sizeof(number), "%zu", i + 1);
		if (f->service[0] == '\0')
			continue;
		struct script s = {ANSWERS("", "ap", "renkei", "", ""), {0}};
		struct dialogue d = {.ask = answer, .tell = tell, .arg = &s};
		struct buf text = {0};
		struct guide g;
		buf_adds(&text, policy);
		CHECK(guide_begin(&g, &d, &text));
		CHECK(!guide_allow(&g, number));
		CHECK(*s.answers == NULL);
		CHECK(strstr(buf_str(&g.lines), " service ") != NULL);
		CHECK(f->application[0] == '\0' || strstr(buf_str(&g.lines), f->application) != NULL);
		guide_end(&g);
		buf_free(&text);
		buf_free(&s.said);
	}
}

int main(void)
{
	i18n_init("en");
	test_question();
	test_yes();
	test_allow();
	test_swap();
	test_window();
	test_renew();
	test_setup();
	test_catalogue();
	return test_end();
}
