/* test_html.c: limits, counters and bombs of HTML mail; what the text looks like is in tests/golden/mail/html. */
#include <sekisho/html.h>

#include <time.h>

#include "../../../src/mail/html_private.h"
#include "test.h"

#define OUT_MAX (2u * 1024 * 1024)

static struct html html;
static char out[OUT_MAX + 1];
static size_t nout;

static void take(void *arg, const char *utf8, size_t n)
{
	(void)arg;
	if (n > OUT_MAX - nout)
		n = OUT_MAX - nout;
	memcpy(out + nout, utf8, n);
	nout += n;
}

static void begin(size_t text_max)
{
	nout = 0;
	html_begin(&html, &(struct html_options){.text = take, .text_max = text_max, .english = true});
}

static void end(void)
{
	html_end(&html);
	out[nout] = '\0';
}

/* The text of a mail, which is the same however it was cut. */
static const char *text(const char *in)
{
	static char bytes[65536];
	size_t n = strlen(in);

	begin(sizeof(bytes) - 1);
	for (size_t i = 0; i < n; i++)
		html_push(&html, in + i, 1);
	end();
	memcpy(bytes, out, nout + 1);
	begin(sizeof(bytes) - 1);
	html_push(&html, in, n);
	end();
	CHECK_STR(out, bytes);
	return out;
}

static void test_entities(void)
{
	CHECK_STR(text("&amp;&lt;&AMP&copy2&notit;&notin;"), "&<&©2¬it;∉\n");
	CHECK_STR(text("<a href='https://x.example/?a&copy=1&amp;b&lt;'>y</a>"), "y <hxxps://x.example/?a&copy=1&b%3C>\n");
	CHECK_INT(html_numeric("x110000", 7), 0xfffd);
	CHECK_INT(html_numeric("150", 3), 0x2013);
	CHECK(html_entity("CounterClockwiseContourIntegral", 31, false) != NULL);
	CHECK(html_entity("hearts", 6, true) == NULL);
	CHECK(html_entity("", 0, false) == NULL);
}

/* NUL is a character like another in names and values, and none in text. */
static void test_nul(void)
{
	static const char in[] = "<a href=\"https://x.example/a?\0='&amp;c\">y</a><td\0>z\0w";

	begin(OUT_MAX);
	html_push(&html, in, sizeof(in) - 1);
	end();
	CHECK_STR(out, "y <hxxps://x.example/a?='&c>zw\n");
}

/* The text of a picture that is too long ends with a whole character. */
static void test_alt_max(void)
{
	static const int kept[] = {255, 253, 254};
	char in[512], want[512];

	for (size_t shift = 0; shift < 3; shift++) {
		int n = snprintf(in, sizeof(in), "<img alt=\"%.*s", (int)shift, "aaa");
		for (int i = 0; i < 120; i++)
			n += snprintf(in + n, sizeof(in) - (size_t)n, "漢");
		snprintf(in + n, sizeof(in) - (size_t)n, "\">");
		snprintf(want, sizeof(want), "[image: %.*s]\n", kept[shift], in + strlen("<img alt=\""));
		CHECK_STR(text(in), want);
	}
}

/* Names are found in any case, and nothing else is. */
static void test_names(void)
{
	CHECK_STR(text("<img ALT=a><img altt=b><img a-t=c><img al=d><img Alt=e>"), "[image: a][image: e]\n");
	CHECK_STR(text("<p BackGround=x><font color=white>a</font>b"), "ab\n");
	CHECK_STR(text("<p backgroundd=x><font color=white>a</font>b"), "b\n");
	CHECK_STR(text("<UL><LI>a<Li>b</uL>c"), "* a\n* b\n\nc\n");
	CHECK_STR(text("a<p\x0b>b<blockquote\x01>c<blockquotes>d"), "abcd\n");
	CHECK_STR(text("<p STYLE='DisPlay : None'>a</p>b<p style='di\\splay:/* */none'>c</p>d<p style='displaynone'>e"), "b\n\nd\n\ne\n");
	CHECK_STR(text("<p style='background:url(a;display:none)'>a<p style='x:(;display:none'>b"), "a\n\nb\n");
}

static void test_report(void)
{
	text("<p style=display:none>abc</p><p hidden>de</p>f");
	CHECK_INT(html.report.hidden, 5);
	CHECK_INT(html.report.hidden_runs, 2);
	text("<form><base href=x><a href=javascript:1>a</a><a href=https://b.example>c.example.jp</a></form>");
	CHECK_INT(html.report.refused, 1);
	CHECK_INT(html.report.deceptive, 1);
	CHECK_INT(html.report.links, 1);
	CHECK_INT(html.report.forms, 1);
	CHECK(html.report.base);
}

/* Text in the colour of the ground is hidden; text on a ground that nothing is known of is not. */
static void test_colors(void)
{
	CHECK_STR(text("<font color=white>a</font>b"), "b\n");
	CHECK_STR(text("<body bgcolor=#003366><font color=white>a</font><i style='color:rgb(0, 51,102)'>b</i>"), "a\n");
	CHECK_STR(text("<td bgcolor=#036><font color=#fff>a</font>"), "a\n");
	CHECK_STR(text("<td style='background:url(x.png) no-repeat'><font color=#fff>a</font>"), "a\n");
	CHECK_STR(text("<td style='BACKGROUND-IMAGE:url(x;y)'><font color=#fff>a</font>"), "a\n");
	CHECK_STR(text("<td background=x.png><font color=#fff>a</font>"), "a\n");
	CHECK_STR(text("<style>.x{background:#036}</style><td class=x><font color=#fff>a</font>"), "a\n");
	CHECK_STR(text("<td style='color:#fff;background:#fff'>a</td>"), "");
	CHECK_STR(text("<p style='display:none;display:block'>a"), "a\n");
	CHECK_STR(text("<td style='color:#fff;background:#036'>a</td>"), "a\n");
}

static void test_text_max(void)
{
	begin(10);
	for (int i = 0; i < 100; i++)
		html_push(&html, "<p>漢字", strlen("<p>漢字"));
	end();
	CHECK(html.report.truncated);
	CHECK(nout <= 10);
	CHECK(strncmp(out, "漢字\n", 7) == 0);
}

/* A row that is too long to be held: its cells stand one below the other. */
static void test_row_limit(void)
{
	char a[HTML_ROW_MAX], b[200], in[2000], want[2000];

	for (size_t n = HTML_ROW_MAX - 210; n < HTML_ROW_MAX; n++) {
		memset(a, 'a', n);
		memset(b, 'b', sizeof(b) - 1);
		a[n] = b[sizeof(b) - 1] = '\0';
		snprintf(in, sizeof(in), "<table border><tr><td>%s<td>%s<td>c<tr><td>d<td>e</table>", a, b);
		if (n + sizeof(b) <= HTML_ROW_MAX)
			snprintf(want, sizeof(want), "%s | %s | c\nd | e\n", a, b);
		else /* the cell that was one too many still stands close to those that were held */
			snprintf(want, sizeof(want), "%s\n%s\n%sc\n\nd | e\n", a, b,
				n + sizeof(b) == HTML_ROW_MAX + 1 ? "" : "\n");
		CHECK_STR(text(in), want);
	}
	char cells[40 * 5 + 32] = "<table><tr>";
	for (int i = 0; i < 40; i++)
		strcat(cells, "<td>x");
	CHECK(strchr(text(cells), '|') == NULL);
}

static void test_unfinished(void)
{
	CHECK_STR(text("a<"), "a<\n");
	CHECK_STR(text("a<b"), "a\n");
	CHECK_STR(text("a<b x='"), "a\n");
	CHECK_STR(text("a&am"), "a&am\n");
	CHECK_STR(text("a&amp"), "a&\n");
	CHECK_STR(text("a<!-- b"), "a\n");
	CHECK_STR(text("a<script>b"), "a\n");
	CHECK_STR(text("<a href=https://b.example>a"), "a <hxxps://b.example>\n");
	CHECK_STR(text("<table><tr><td>a<td>b"), "a | b\n");
	CHECK_STR(text(""), "");
	CHECK_STR(text("<p>&nbsp;</p>"), "");
}

/* -- Bombs ------------------------------------------------------------------------------------------------- */

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double pushed(const char *head, const char *piece, unsigned times)
{
	static char block[65536];
	size_t n = strlen(piece), many = sizeof(block) / n;

	for (size_t i = 0; i < many; i++)
		memcpy(block + i * n, piece, n);
	double start = cpu();
	begin(OUT_MAX);
	html_push(&html, head, strlen(head));
	for (unsigned i = 0; i < times; i += (unsigned)many)
		html_push(&html, block, n * (times - i < many ? times - i : many));
	html_end(&html);
	return cpu() - start;
}

/* Four times the input costs about four times the time: far from the sixteen of a quadratic reader. */
static void bomb(const char *name, const char *head, const char *piece, unsigned times)
{
	double once = pushed(head, piece, times), more = pushed(head, piece, times * 4);
	size_t n = strlen(piece);
	double mb = (double)n * times * 4 / 1e6;

	printf("%-28s %6.1f MB/s\n", name, mb / more);
	CHECK(more < once * 10 + 0.05);
}

static void test_bombs(void)
{
	static const struct {
		const char *name, *head, *piece;
	} bombs[] = {
		{"elements in elements", "", "<div>"},
		{"unclosed inline and tables", "", "<b><i><font><a href=https://x.example><table>"},
		{"tables in tables", "", "<table><tr><td>"},
		{"lists in lists", "", "<ul><li>x"},
		{"quotes in quotes", "", "<blockquote>x"},
		{"attributes of one tag", "<p ", "a=1 "},
		{"one value", "<a href=\"https://x.example/", "aaaaaaaaaaaaaaaa"},
		{"one style", "<p style=\"", "color:red;"},
		{"one name", "<", "aaaaaaaaaaaaaaaa"},
		{"end tags", "", "</div></table></td></p>"},
		{"hidden in hidden", "", "<div style=display:none>"},
		{"sizes in sizes", "", "<i style=font-size:0><b style=font-size:9px>x"},
		{"open brackets", "", "<"},
		{"almost the end of a script", "<script>", "</scrip"},
		{"almost the end of a comment", "<!--", "--"},
		{"ampersands", "", "&"},
		{"names of characters", "", "&CounterClockwiseContourIntegra"},
		{"noughts", "&#", "0"},
		{"links", "", "<a href=https://x.example/>https://y.example/"},
		{"images", "", "<img alt='x y z'>"},
		{"cells", "<table><tr>", "<td>x"},
		{"rows", "<table>", "<tr><td>x<td>y"},
		{"line ends", "", "<br>"},
		{"no-break spaces", "", "&nbsp;"},
		{"marks", "a", "\xcc\x81"},
		{"ruby", "", "<ruby>x<rt>y"},
		{"h", "", "h"},
	};
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
		bomb(bombs[i].name, bombs[i].head, bombs[i].piece, 400000 / (unsigned)strlen(bombs[i].piece));
	CHECK(sizeof(html) <= 16384);
	printf("struct html: %zu bytes\n", sizeof(html));
}

int main(void)
{
	test_entities();
	test_nul();
	test_names();
	test_alt_max();
	test_report();
	test_colors();
	test_text_max();
	test_row_limit();
	test_unfinished();
	test_bombs();
	return test_end();
}
