/*
 * html_link.c: where a link really leads, written behind its text: "text <hxxps://host/path>".
 *
 * The address is read as browsers read it (blanks and controls inside are skipped, \ is /, any number of slashes, what stands
 * before @ is not the host) and written so that no program makes a link of it: hxxp, ASCII only, rest in %XX. If the text
 * looks like another address, that is said. Behind a host with "xn--" stands what that means, where it is Japanese or Korean (idn.h). Programs, data and files (javascript:, data:, ...) are named, never written.
 * Anchors, relative addresses and links around nothing visible show nothing.
 */
#include "html_private.h"

#include "bytes.h"

enum kind { KIND_NONE, KIND_WEB, KIND_MAIL, KIND_TEL, KIND_REFUSED };

static void add(struct html *h, char c)
{
	if (h->ntarget < HTML_SHOWN_MAX)
		h->target[h->ntarget] = c;
	if (h->ntarget < UINT16_MAX)
		h->ntarget++;
}

static void add_string(struct html *h, const char *s)
{
	while (*s != '\0')
		add(h, *s++);
}

static bool is_plain(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"';
}

static void add_hex(struct html *h, uint8_t c)
{
	static const char hex[] = "0123456789ABCDEF";

	add(h, '%');
	add(h, hex[c >> 4]);
	add(h, hex[c & 15]);
}

static inline void add_escaped(struct html *h, uint8_t c)
{
	if (is_plain(c))
		add(h, (char)c);
	else
		add_hex(h, c);
}

/* May one of eight bytes not be written as it is, or is it a backslash? */
static bool some_escaped(uint64_t word)
{
	uint64_t w = word & ~BYTES_TOPS;

	w = (word & BYTES_TOPS) | bytes_below(w, '#') | bytes_equal(w, 0x7f) | bytes_equal(w | BYTES_ONES * 2, '>') |
		bytes_equal(w, '\\');
	return w != 0;
}

/* Leaves out what browsers leave out. Works in place; returns the length. */
static size_t clean(char *s, size_t n)
{
	size_t from = 0, to;

	for (; n - from >= 8; from += 8) { /* nearly always there is nothing */
		uint64_t w = bytes_load(s + from) & ~BYTES_TOPS;
		if ((bytes_below(w, ' ' + 1) | bytes_equal(w, 0x7f)) != 0)
			break;
	}
	for (to = from; from < n; from++) {
		uint8_t c = (uint8_t)s[from];
		if (c >= ' ' && c != 0x7f && (c != ' ' || to > 0))
			s[to++] = s[from];
	}
	while (to > 0 && s[to - 1] == ' ')
		to--;
	return to;
}

/* Length of the scheme before ':', in lower case in place; 0: none. */
static size_t scheme_length(char *s, size_t n)
{
	for (size_t i = 0; i < n && i < 32; i++) {
		uint8_t c = (uint8_t)s[i];
		if (c == ':') {
			for (size_t j = 0; j < i; j++)
				s[j] = (char)html_lower((uint8_t)s[j]);
			return i;
		}
		if (!html_alnum(c) && (i == 0 || (c != '+' && c != '-' && c != '.')))
			return 0;
	}
	return 0;
}

/* What is behind the host. A backslash is a slash, if it is not in the query. */
static void add_path(struct html *h, const char *s, size_t n)
{
	for (size_t i = 0; i < n && h->ntarget <= HTML_SHOWN_MAX; i++) {
		for (; n - i >= 8 && h->ntarget <= HTML_SHOWN_MAX - 8 && !some_escaped(bytes_load(s + i)); i += 8) {
			memcpy(h->target + h->ntarget, s + i, 8);
			h->ntarget += 8;
		}
		if (i == n)
			break;
		bool slash = s[i] == '\\' && memchr(s, '?', i) == NULL && memchr(s, '#', i) == NULL;
		add_escaped(h, slash ? '/' : (uint8_t)s[i]);
	}
}

static void web(struct html *h, const char *scheme, const char *s, size_t n)
{
	size_t at = 0, end = 0;

	while (n > 0 && (*s == '/' || *s == '\\'))
		s++, n--;
	for (end = 0; end < n && s[end] != '/' && s[end] != '\\' && s[end] != '?' && s[end] != '#'; end++)
		if (s[end] == '@')
			at = end + 1;
	add_string(h, scheme);
	h->host = h->ntarget;
	for (size_t i = at; i < end; i++)
		add_escaped(h, (uint8_t)html_lower((uint8_t)s[i]));
	h->nhost = (uint16_t)(h->ntarget - h->host);
	h->target_kind = h->nhost > 0 && h->ntarget < HTML_SHOWN_MAX ? KIND_WEB : KIND_REFUSED;
	add_path(h, s + end, n - end);
}

static void mail(struct html *h, const char *s, size_t n)
{
	h->target_kind = KIND_MAIL;
	for (size_t i = 0; i < n && s[i] != '?'; i++) {
		add_escaped(h, (uint8_t)s[i]);
		if (s[i] == '@')
			h->host = h->ntarget;
	}
	h->nhost = (uint16_t)(h->ntarget - h->host);
	if (h->ntarget > HTML_SHOWN_MAX) /* not all of it is there to compare */
		h->host = h->nhost = 0;
}

static void read_target(struct html *h)
{
	char *s = h->tag.href;
	size_t n = clean(s, h->tag.nhref), scheme = scheme_length(s, n);
	const char *rest = s + scheme + 1;

	h->ntarget = h->host = h->nhost = 0;
	h->target_kind = KIND_NONE;
	if (scheme == 0) {
		if (n > 2 && (s[0] == '/' || s[0] == '\\') && (s[1] == '/' || s[1] == '\\'))
			web(h, "hxxp://", s, n);
	} else if (html_is(s, scheme, "http")) {
		web(h, "hxxp://", rest, n - scheme - 1);
	} else if (html_is(s, scheme, "https")) {
		web(h, "hxxps://", rest, n - scheme - 1);
	} else if (html_is(s, scheme, "ftp")) {
		web(h, "fxp://", rest, n - scheme - 1);
	} else if (html_is(s, scheme, "mailto")) {
		mail(h, rest, n - scheme - 1);
	} else if (html_is(s, scheme, "tel")) {
		h->target_kind = KIND_TEL;
		for (size_t i = scheme + 1; i < n; i++)
			add_escaped(h, (uint8_t)s[i]);
	} else {
		h->target_kind = KIND_REFUSED;
		for (size_t i = 0; i < scheme; i++)
			add(h, s[i]);
	}
}

void html_link_begin(struct html *h)
{
	html_link_end(h);
	if (!(h->tag.seen & 1u << A_HREF) || h->hide != SCOPE_NONE)
		return;
	read_target(h);
	h->link = h->target_kind != KIND_NONE;
	h->nvisible = 0;
	h->visible_more = h->visible_any = h->visible_image = false;
}

/* Keeps the text for the comparison: ASCII in lower case (wide forms too), everything else as one blank. */
void html_link_text(struct html *h, uint32_t p)
{
	h->visible_any = true;
	if (p - 0xff01 < 0x5e)
		p -= 0xfee0;
	if (p == 0x3002)
		p = '.'; /* browsers take this for a dot in names of hosts */
	if (h->nvisible == sizeof(h->visible)) {
		h->visible_more = true;
		return;
	}
	h->visible[h->nvisible++] = (char)(p < 0x7f ? html_lower(p) : ' ');
}

void html_link_run(struct html *h, const char *utf8, size_t n)
{
	const uint8_t *s = (const uint8_t *)utf8;

	h->visible_any = true;
	for (size_t i = 0; i < n && !h->visible_more;) {
		if (s[i] < 0x80 && h->nvisible < sizeof(h->visible)) {
			h->visible[h->nvisible] = (char)html_lower(s[i]);
			h->nvisible += s[i++] != ' ';
			continue;
		}
		size_t more = s[i] < 0x80 ? 1 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : 4;
		uint32_t p = s[i] & (more == 1 ? 0x7fu : 0x7fu >> more);
		for (size_t j = 1; j < more; j++)
			p = p << 6 | (s[i + j] & 0x3fu);
		if (p != ' ')
			html_link_text(h, p);
		i += more;
	}
}

/* -- Comparison -------------------------------------------------------------------------------------------- */

static size_t host_length(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && (html_alnum((uint8_t)s[i]) || s[i] == '.' || s[i] == '-' || s[i] == '_'))
		i++;
	return i;
}

/* Is it a name of a host (and not, say, of a file)? */
static bool is_host(const char *s, size_t n)
{
	static const char *const long_ends[] = {"com", "net", "org", "info", "biz", "gov", "edu", "mil", "int", "app", "dev",
		"xyz", "site", "online", "shop", "top", "cloud", "page", "link", "live", "club", "tokyo"};
	static const char *const files[] = {"js", "sh", "py", "md", "ps", "gz", "rb", "pl", "cc", "so"};
	size_t end = n;

	while (end > 0 && s[end - 1] != '.')
		end--;
	if (end < 2)
		return false;
	const char *last = s + end;
	size_t length = n - end;
	for (size_t i = 0; i < sizeof(long_ends) / sizeof(long_ends[0]); i++)
		if (html_is(last, length, long_ends[i]))
			return true;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (html_is(last, length, files[i]))
			return false;
	return length == 2 && (uint32_t)last[0] - 'a' < 26 && (uint32_t)last[1] - 'a' < 26;
}

/* Behind "://" in the text: what stands before @ is no host, as in web(). Returns its length. */
static size_t after_scheme(const char **s, size_t n)
{
	const char *p = *s;
	size_t end = 0, at = 0;

	for (; end < n && p[end] != '/' && p[end] != '?' && p[end] != '#' && p[end] > ' '; end++)
		if (p[end] == '@')
			at = end + 1;
	*s = p + at;
	return host_length(p + at, end - at);
}

/* The first host that the text names; NULL: none. */
static const char *visible_host(const struct html *h, size_t *ret)
{
	const char *s = h->visible, *end = s + h->nvisible;

	for (const char *p = s; p < end; p++) {
		size_t n = (size_t)(end - p);
		if (n > 4 && memcmp(p, "://", 3) == 0) {
			p += 3;
			*ret = after_scheme(&p, n - 3);
			return *ret > 0 ? p : NULL;
		}
		if (p > s && (html_alnum((uint8_t)p[-1]) || p[-1] == '.' || p[-1] == '-' || p[-1] == '_'))
			continue; /* within a name that was looked at */
		size_t length = host_length(p, n);
		while (length > 0 && p[length - 1] == '.')
			length--;
		if (length > 3 && is_host(p, length) && (p + length == end || p[length] != '@')) {
			*ret = length;
			return p;
		}
	}
	return NULL;
}

/* small is in small letters. */
static bool same_letters(const char *s, const char *small, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((char)html_lower((uint8_t)s[i]) != small[i])
			return false;
	return true;
}

static void cut_www(const char **s, size_t *n)
{
	if (*n > 4 && same_letters(*s, "www.", 4))
		*s += 4, *n -= 4;
}

/* Does the text name a host that is not the target's, nor one that it belongs to? */
static bool deceives(const struct html *h)
{
	size_t nseen = 0, nreal = h->nhost;
	const char *seen = visible_host(h, &nseen), *real = h->target + h->host;
	const char *port = memchr(real, ':', nreal);

	if (seen == NULL || h->target_kind == KIND_TEL || h->target_kind == KIND_REFUSED)
		return false;
	if (port != NULL)
		nreal = (size_t)(port - real);
	cut_www(&seen, &nseen);
	cut_www(&real, &nreal);
	if (nreal < nseen || !same_letters(real + nreal - nseen, seen, nseen))
		return true;
	return nreal > nseen && real[nreal - nseen - 1] != '.';
}

/* Is the text the target itself? Then it need not be repeated. */
static bool same(const struct html *h)
{
	const char *seen = h->visible, *real = h->target;
	size_t n = h->nvisible, nreal = h->ntarget;

	if (h->visible_more || nreal > HTML_SHOWN_MAX)
		return false;
	if (h->target_kind == KIND_WEB) {
		real += h->host;
		nreal -= h->host;
		for (size_t i = 0; i + 3 <= n && i < 6; i++)
			if (memcmp(seen + i, "://", 3) == 0) {
				seen += i + 3;
				n -= i + 3;
				break;
			}
	}
	while (n > 0 && seen[n - 1] == '/')
		n--;
	while (nreal > 0 && real[nreal - 1] == '/')
		nreal--;
	return n == nreal && same_letters(real, seen, n);
}

/* Do the digits of the text give the telephone number? */
static bool same_number(const struct html *h)
{
	size_t j = 0;

	for (size_t i = 0; i < h->nvisible; i++) {
		if ((uint32_t)(uint8_t)h->visible[i] - '0' >= 10)
			continue;
		while (j < h->ntarget && j < HTML_SHOWN_MAX && (uint32_t)(uint8_t)h->target[j] - '0' >= 10)
			j++;
		if (j >= h->ntarget || j >= HTML_SHOWN_MAX || h->target[j++] != h->visible[i])
			return false;
	}
	return h->nvisible > 0;
}

/* The host of the target in the letters that it stands for, where that can be no other's. Appends; returns the end. */
static char *put_unicode(const struct html *h, char *p)
{
	char shown[IDN_SHOWN_MAX + 1];
	const char *host = h->target + h->host;

	if (h->nhost == 0 || h->host + h->nhost > HTML_SHOWN_MAX)
		return p;
	if (idn_shown(host, host_length(host, h->nhost), shown) == 0)
		return p;
	p = stpcpy(p, " (");
	p = stpcpy(p, shown);
	return stpcpy(p, ")");
}

static void show(struct html *h)
{
	static const char *const warnings[] = {"【注意:表示と異なる宛先】", "[WARNING: not the address shown]"};
	static const char *const refusals[] = {"[リンクを除去: ", "[link removed: "};
	bool english = h->options.english, refused = h->target_kind == KIND_REFUSED;
	size_t n = h->ntarget < HTML_SHOWN_MAX ? h->ntarget : HTML_SHOWN_MAX;
	char *p = h->shown;

	p = stpcpy(p, refused ? refusals[english] : "<");
	memcpy(p, h->target, n);
	p += n;
	if (h->ntarget > HTML_SHOWN_MAX)
		p = stpcpy(p, "…");
	p = stpcpy(p, refused ? "]" : ">");
	if (!refused && h->target_kind != KIND_TEL)
		p = put_unicode(h, p);
	h->space = true;
	html_say(h, h->shown, (size_t)(p - h->shown));
	h->report.refused += refused;
	h->report.links += !refused;
	if (!refused && deceives(h)) {
		html_mark(h, warnings[english]);
		h->report.deceptive++;
	}
}

void html_link_end(struct html *h)
{
	if (!h->link)
		return;
	h->link = false;
	if (!h->visible_any && h->visible_image && h->hide == SCOPE_NONE) {
		html_mark(h, h->options.english ? "[image]" : "[画像]");
		h->visible_any = true;
	}
	if (!h->visible_any || (h->target_kind != KIND_REFUSED && same(h)) || (h->target_kind == KIND_TEL && same_number(h)))
		return;
	uint8_t breaks = h->breaks, spaces = h->spaces, wides = h->wides;
	bool space = h->space, newline = h->newline;
	h->breaks = h->spaces = h->wides = 0; /* the target stands on the line of the text */
	h->newline = false;
	show(h);
	h->breaks = breaks;
	h->spaces = spaces;
	h->wides = wides;
	h->space = space;
	h->newline = newline;
}
