/*
 * mail_text_input.c: HTML as the mail programs write it, Japanese prose, and the bombs: small pieces that cost a reader of HTML
 * more than their bytes, if it keeps a tree, looks back or looks ahead. Made from a counter, so each run measures the same.
 */
#include "mail_text_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char *s;
	size_t n, cap;
};

static void add(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->n + n >= t->cap) {
		t->cap = (t->n + n) * 2 + 4096;
		t->s = realloc(t->s, t->cap);
		if (t->s == NULL)
			abort();
	}
	memcpy(t->s + t->n, s, n + 1);
	t->n += n;
}

static void add_number(struct text *t, unsigned v)
{
	char s[16];
	snprintf(s, sizeof(s), "%u", v);
	add(t, s);
}

/* '{' in a pattern is the number, '}' the next sentence. */
static const char *const sentences[] = {
	"平素より大変お世話になっております。",
	"標記の件につきまして、下記のとおりご案内いたします。",
	"ご不明な点がございましたら、担当までお問い合わせください。",
	"会議資料は前日までに各課へ配布する予定です。",
	"システム停止中はご利用いただけませんので、ご注意願います。",
	"Please find the agenda and the minutes of the last meeting below.",
	"申請書の様式は令和8年4月1日から変わります（旧様式は使えません）。",
	"参加を希望される方は、10月15日（水）までにご返信ください。",
};

static void add_pattern(struct text *t, const char *pattern, unsigned v)
{
	char one[2] = "";

	for (; *pattern != '\0'; pattern++) {
		one[0] = *pattern;
		if (*pattern == '{')
			add_number(t, v);
		else if (*pattern == '}')
			add(t, sentences[v++ % (sizeof(sentences) / sizeof(sentences[0]))]);
		else
			add(t, one);
	}
}

const char *const input_html_kinds[] = {"newsletter", "word", "webmail", "table"};
const unsigned input_html_count = 4;

static const char *const heads[] = {
	"<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
	"<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">"
	"<title>お知らせ</title><style type=\"text/css\">body{margin:0;padding:0} table td{border-collapse:collapse}\n"
	"@media only screen and (max-width:480px){.w320{width:320px !important}}</style></head>"
	"<body bgcolor=\"#ffffff\" style=\"margin:0;padding:0;-webkit-text-size-adjust:100%\">\n"
	"<div style=\"display:none;max-height:0;overflow:hidden\">今月のお知らせです&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;</div>\n",
	"<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\">\n<head>\n"
	"<meta name=Generator content=\"Microsoft Word 15 (filtered medium)\">\n<style><!--\n/* Font Definitions */\n"
	"@font-face\n\t{font-family:\"ＭＳ ゴシック\";\n\tpanose-1:2 11 6 9 7 2 5 8 2 4;}\np.MsoNormal, li.MsoNormal\n\t{margin:0mm;\n"
	"\tfont-size:10.5pt;\n\tfont-family:\"游ゴシック\";}\n--></style><!--[if gte mso 9]><xml>\n"
	"<o:shapedefaults v:ext=\"edit\" spidmax=\"1026\" />\n</xml><![endif]--></head>\n"
	"<body lang=JA link=\"#0563C1\" vlink=\"#954F72\" style='word-wrap:break-word;text-justify-trim:punctuation'>"
	"<div class=WordSection1>\n",
	"<html><head><meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\"></head><body dir=\"auto\">",
	"<html><body><h2>集計</h2><table border=\"1\" cellspacing=\"0\" cellpadding=\"4\">"
	"<tr><th>番号</th><th>課</th><th>件名</th><th>金額</th></tr>\n",
};

static const char *const pieces[] = {
	"<table width=\"600\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" align=\"center\" role=\"presentation\" "
	"style=\"border-collapse:collapse;mso-table-lspace:0pt;mso-table-rspace:0pt\">\n<tr>\n"
	"<td width=\"200\" valign=\"top\" style=\"padding:10px 20px;font-family:Meiryo,'Hiragino Kaku Gothic ProN',sans-serif;"
	"font-size:14px;line-height:1.6;color:#333333\">\n<a href=\"https://www.town.example.jp/news/{?utm_source=mail&amp;"
	"utm_medium=email&amp;utm_campaign=2026-10\" target=\"_blank\" style=\"color:#0066cc;text-decoration:underline\">"
	"<img src=\"https://img.town.example.jp/news/{.jpg\" width=\"180\" height=\"120\" border=\"0\" alt=\"お知らせの写真 {\" "
	"style=\"display:block;border:0;outline:none\"></a></td>\n<td style=\"padding:10px;font-size:14px;color:#333333\">"
	"<span style=\"font-weight:bold;font-size:16px\">}</span><br>\n}} <a href=\"https://www.town.example.jp/d/{\" "
	"style=\"color:#0066cc\">詳しくはこちら</a></td>\n</tr>\n<tr><td colspan=\"2\" height=\"20\" "
	"style=\"font-size:0;line-height:0\">"
	"&nbsp;</td></tr>\n</table>\n",
	"<p class=MsoNormal><span style='font-size:10.5pt;font-family:\"游ゴシック\"'>}<span lang=EN-US><o:p></o:p></span></span></p>\n"
	"<p class=MsoNormal><span lang=EN-US><o:p>&nbsp;</o:p></span></p>\n"
	"<p class=MsoListParagraph style='margin-left:18.0pt;mso-para-margin-left:0gd;text-indent:-18.0pt;mso-list:l0 level1 lfo1'>"
	"<![if !supportLists]><span lang=EN-US style='mso-list:Ignore'>{.<span style='font:7.0pt \"Times New Roman\"'>&nbsp;&nbsp; "
	"</span></span><![endif]>}<b><span lang=EN-US style='color:red'>{</span></b>}<span lang=EN-US><o:p></o:p></span></p>\n",
	"<div>}</div><div>}<br></div><div><br></div><blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px #ccc solid;"
	"padding-left:1ex\"><div dir=\"ltr\">} <a href=\"mailto:kikaku{@town.example.jp\">kikaku{@town.example.jp</a> "
	"wrote:<br>"
	"&gt; }<br>}</div></blockquote><ul><li>}</li><li><b>{</b> &amp; }</li></ul>\n",
	"<tr><td align=\"right\">{</td><td>企画財政課</td><td>}</td><td align=\"right\">1,{</td></tr>\n",
};

char *input_html(unsigned kind, size_t about, size_t *ret_n)
{
	struct text t = {0};

	add(&t, heads[kind]);
	for (unsigned i = 1; t.n < about; i++)
		add_pattern(&t, pieces[kind], i);
	*ret_n = t.n;
	return t.s;
}

char *input_japanese(size_t about, size_t *ret_n)
{
	struct text t = {0};

	for (unsigned i = 0; t.n < about; i++)
		add_pattern(&t, i % 7 == 6 ? "\r\n記\r\n{. }\r\n" : "}\r\n", i);
	*ret_n = t.n;
	return t.s;
}

const struct bomb input_bombs[] = {
	{"elements in elements", "", "<div>"},
	{"elements, text between", "", "<div>x"},
	{"unclosed inline and tables", "", "<b><i><font><a href=https://x.example><table>"},
	{"inline in inline", "", "<b>"},
	{"inline of unknown name", "", "<o:p>"},
	{"tables in tables", "", "<table><tr><td>"},
	{"lists in lists", "", "<ul><li>x"},
	{"numbered lists in lists", "", "<ol><li>x"},
	{"items", "<ol>", "<li>x"},
	{"quotes in quotes", "", "<blockquote>x"},
	{"lines in quotes", "<blockquote><blockquote><blockquote><blockquote><blockquote><blockquote><blockquote><blockquote>", "<br>x"},
	{"attributes of one tag", "<p ", "a{=1 "},
	{"short attributes", "<p ", "a=1 "},
	{"attributes without value", "<p ", "a "},
	{"styles of one tag", "<p ", "style=color:red "},
	{"known attributes", "", "<p bgcolor=white color=red style=display:block class=x>"},
	{"slashes in a tag", "<p ", "/"},
	{"equal signs in a tag", "<p ", "=a"},
	{"quotes in a tag", "<p ", "\"a'"},
	{"one value", "<a href=\"https://x.example/", "aaaaaaaaaaaaaaaa"},
	{"one value of kanji", "<img alt=\"", "漢字"},
	{"one value of entities", "<a href=\"https://x.example/", "&amp;"},
	{"ampersands in a value", "<a href=\"", "&"},
	{"data address", "<img src=\"data:image/png;base64,", "iVBORw0KGgoAAAANSUhEUgAA"},
	{"one style", "<p style=\"", "color:red;"},
	{"styles", "", "<p style=\"color:red;font-size:1px\">x"},
	{"properties without name", "", "<p style=;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;>"},
	{"short properties", "", "<p style=\"a:b;c:d;e:f;g:h;i:j;k:l;m:n;o:p;q:r;s:t;u:v;w:x;y:z\">"},
	{"brackets in a style", "", "<p style=\"background:url((((((((((((((((((((((((((((((((((((((;\">"},
	{"comments in a style", "", "<p style=\"/**//**//**//**//**//**//**//**//*/**/\">"},
	{"one name", "<", "aaaaaaaaaaaaaaaa"},
	{"one name of an attribute", "<p ", "aaaaaaaaaaaaaaaa"},
	{"names of kanji", "", "<漢字>"},
	{"end tags", "", "</div></table></td></p>"},
	{"end tags in a scope", "<div style=display:none>", "</b></i>"},
	{"hidden in hidden", "", "<div style=display:none>"},
	{"hidden text", "<div style=display:none>", "x漢字 "},
	{"hidden elements", "", "<i hidden>x</i>y"},
	{"sizes in sizes", "", "<i style=font-size:0><b style=font-size:9px>x"},
	{"white on white", "", "<font color=white>x</font>"},
	{"templates in templates", "", "<template>"},
	{"pictures in svg", "<svg>", "<g><path d=\"M0 0\"/></g>"},
	{"open brackets", "", "<"},
	{"brackets and letters", "", "<a"},
	{"brackets and blanks", "", "< "},
	{"ends of nothing", "", "</"},
	{"empty tags", "", "<>"},
	{"mail addresses", "", "<a@b.example>"},
	{"near-miss tags", "", "<tabl><divv><styl><tdd>"},
	{"almost the end of a script", "<script>", "</scrip"},
	{"one script", "<script>", "var a = 1 < 2;\n"},
	{"one style sheet", "<style>", "p.a { color: red }\n"},
	{"scripts", "", "<script>x</script>"},
	{"almost the end of <xmp>", "<xmp>", "</xm"},
	{"plaintext", "<plaintext>", "<p>x "},
	{"one comment", "<!--", " a comment of words"},
	{"comments", "", "<!--x-->"},
	{"empty comments", "", "<!-->"},
	{"almost the end of a comment", "<!--", "--"},
	{"dashes and marks", "<!--", "--!"},
	{"dash by dash", "<!--", "- "},
	{"declarations", "", "<!x>"},
	{"CDATA", "", "<![CDATA[x]]>"},
	{"ampersands", "", "&"},
	{"entities", "", "&lt;"},
	{"entities, long", "", "&CounterClockwiseContourIntegral;"},
	{"entities that are none", "", "&CounterClockwiseContourIntegra"},
	{"entities unfinished", "", "&notit"},
	{"entities of two characters", "", "&NotEqualTilde;"},
	{"numbers", "", "&#12354;"},
	{"numbers, hexadecimal", "", "&#x3042;"},
	{"noughts", "&#", "0"},
	{"nines", "&#", "9"},
	{"links", "", "<a href=https://x.example/>https://y.example/"},
	{"links, ended", "", "<a href=\"https://x.example/{\">y</a> "},
	{"links of a program", "", "<a href=\"java&Tab;script:alert(1)\">x</a>"},
	{"one link of much text", "<a href=https://x.example/>", "text of a link, "},
	{"underscores in links", "", "<a href=https://x.example/>_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a</a>"},
	{"points in a link", "<a href=https://x.example/>", "a."},
	{"bases", "", "<base href=https://x.example/>"},
	{"images", "", "<img alt='x y z'>"},
	{"images in links", "", "<a href=https://x.example><img></a>"},
	{"cells", "<table><tr>", "<td>x"},
	{"rows", "<table>", "<tr><td>x<td>y"},
	{"rows of titles", "<table border>", "<tr><th>x<td>y"},
	{"long cells", "<table><tr>", "<td>a long cell of words that fill a row of the table until it is too long"},
	{"line ends", "", "<br>"},
	{"lines", "", "x<br>"},
	{"paragraphs", "", "<p>x"},
	{"rules", "", "<hr>"},
	{"headings", "", "<h1>x"},
	{"terms", "<dl>", "<dt>x<dd>y"},
	{"struck out", "", "<s>x</s>"},
	{"short quotes", "", "<q>x</q>"},
	{"powers", "", "x<sup>2</sup>"},
	{"ruby", "", "<ruby>x<rt>y"},
	{"forms", "", "<form><input value=x><select><option>y</select></form>"},
	{"<pre>", "<pre>", "x  y\n"},
	{"blanks", "", " "},
	{"blanks and letters", "", "x  "},
	{"newlines", "", "\n"},
	{"letters and newlines", "", "x\n"},
	{"no-break spaces", "", "&nbsp;"},
	{"wide spaces", "", "　"},
	{"wide spaces between", "", "漢　"},
	{"marks", "a", "\xcc\x81"},
	{"marks, one each", "", "a\xcc\x81"},
	{"invisible", "", "\xe2\x80\x8b"},
	{"directions", "", "\xe2\x80\xaex"},
	{"filler", "", "\xcd\x8f\xc2\xa0\xe2\x80\x8c"},
	{"half-width kana", "", "ｱｲｳ"},
	{"Greek", "", "αβγ "},
	{"emoji", "", "😀"},
	{"private use", "", "\xee\x80\x80"},
	{"no UTF-8", "", "\xff"},
	{"half characters", "", "\xe3\x81"},
	{"overlong", "", "\xc0\xaf"},
	{"controls", "", "\x01"},
	{"h", "", "h"},
	{"http", "", "http"},
	{"addresses", "", "http://x "},
	{"colons", "", ":"},
	{"kanji", "", "漢字"},
	{"words", "", "plain words of a mail, and no tag at all "},
};
const unsigned input_nbombs = sizeof(input_bombs) / sizeof(input_bombs[0]);

char *input_bomb(const struct bomb *bomb, size_t about, size_t *ret_n)
{
	struct text t = {0};

	add(&t, bomb->head);
	for (unsigned i = 0; t.n < about; i++)
		for (const char *p = bomb->piece; *p != '\0'; p++) {
			char one[2] = {*p, '\0'};
			if (*p == '{')
				add_number(&t, i);
			else
				add(&t, one);
		}
	*ret_n = t.n;
	return t.s;
}
