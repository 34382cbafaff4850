/*
 * mask.c: texts without the names and addresses of mynumber hosts (see mask.h).
 *
 * Input: texts of our own processes, in which addresses and names of the policy stand, and words that people typed. One walk:
 * at each place the longest thing that has to go is replaced, else a byte is copied.
 * Limits: texts of TEXT_MAX bytes; the time grows with text times hosts, and texts are a few a minute.
 */
#include <sekisho/mask.h>

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sekisho/addr.h>
#include <sekisho/ir.h>

/* The longest text of a message, several times: what replaces a name may be longer. */
#define TEXT_MAX 2048
/* A shorter text was not cut. */
#define MAY_BE_CUT 100
/* So much of a name at the end of a cut text is taken for the name. */
#define CUT_LEAST 3
/* A label of one character is too common a word. */
#define LABEL_LEAST 4
#define ADDRESS_CHARACTERS "0123456789abcdefABCDEF:."

struct found {
	uint32_t segment;
	uint32_t host; /* IR_NONE: an address that no host has */
	size_t n;      /* bytes of the text */
};

static bool is_mynumber(const struct ir *ir, uint32_t segment)
{
	return ir->segments[segment].kind == KIND_MYNUMBER;
}

/* -- Addresses ------------------------------------------------------------------------------------------- */

static bool has_address(const struct ir *ir, uint32_t host, const struct addr *a)
{
	const struct ir_run run = ir->hosts[host].addrs;

	for (uint32_t i = 0; i < run.n; i++) {
		const struct ir_hostaddr *h = &ir->hostaddrs[run.first + i];
		struct addr_range range = ir_addr_range(h->family, &h->range);
		if (range_has(&range, a))
			return true;
	}
	return false;
}

static bool find_address(const struct ir *ir, const struct addr *a, struct found *ret)
{
	for (uint32_t i = 0; i < ir->nhosts; i++) {
		if (is_mynumber(ir, ir->hosts[i].segment) && has_address(ir, i, a)) {
			*ret = (struct found){ir->hosts[i].segment, i, 0};
			return true;
		}
	}
	for (uint32_t i = 0; i < ir->nnetworks; i++) {
		struct addr_range range = ir_addr_range(ir->networks[i].family, &ir->networks[i].range);
		if (is_mynumber(ir, ir->networks[i].segment) && range_has(&range, a)) {
			*ret = (struct found){ir->networks[i].segment, IR_NONE, 0};
			return true;
		}
	}
	return false;
}

static bool find_mac(const struct ir *ir, const struct mac *mac, struct found *ret)
{
	for (uint32_t i = 0; i < ir->nhosts; i++) {
		const struct ir_host *h = &ir->hosts[i];
		if (is_mynumber(ir, h->segment) && h->has_mac && memcmp(h->mac, mac->b, sizeof(h->mac)) == 0) {
			*ret = (struct found){h->segment, i, 0};
			return true;
		}
	}
	for (uint32_t i = 0; i < ir->nneighs; i++) {
		uint32_t segment = ir->interfaces[ir->neighs[i].interface].segment;
		if (is_mynumber(ir, segment) && memcmp(ir->neighs[i].mac, mac->b, sizeof(mac->b)) == 0) {
			*ret = (struct found){segment, IR_NONE, 0};
			return true;
		}
	}
	return false;
}

/* ::ffff:10.1.2.3 is that address. */
static struct addr plain(struct addr a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct addr v4 = {.family = 4};

	if (a.family != 6 || memcmp(a.b, mapped, sizeof(mapped)) != 0)
		return a;
	memcpy(v4.b, a.b + 12, 4);
	return v4;
}

enum answer { NO_ADDRESS, ANOTHER, OURS };

/* Are exactly these bytes an address, or a MAC address, and whose? */
static enum answer whose(const struct ir *ir, const char *text, size_t n, struct found *ret)
{
	char word[ADDR_TEXT_MAX];
	struct addr a;
	struct mac mac;

	memcpy(word, text, n);
	word[n] = '\0';
	if (addr_parse(word, &a)) {
		a = plain(a);
		return find_address(ir, &a, ret) ? OURS : ANOTHER;
	}
	if (mac_parse(word, &mac))
		return find_mac(ir, &mac, ret) ? OURS : ANOTHER;
	return NO_ADDRESS;
}

/* "10.1.2.3", "10.1.2.3:22", "10.1.2.0/24", "fd00::1.": the longest beginning that is an address counts, and its length. */
static bool match_address(const struct ir *ir, const char *text, size_t at, struct found *ret)
{
	const char *p = text + at;
	size_t n = strspn(p, ADDRESS_CHARACTERS),
	       most = n < MAC_TEXT_MAX ? strspn(p, ADDRESS_CHARACTERS "-") : n; /* 02-00-... */

	/* In the middle of a number or of a word there begins none. */
	if (n == 0 || (at > 0 && (isalnum((unsigned char)text[at - 1]) || text[at - 1] == '_')))
		return false;
	for (n = most < ADDR_TEXT_MAX ? most : ADDR_TEXT_MAX - 1; n >= 2; n--) {
		enum answer answer = whose(ir, p, n, ret);
		if (answer == NO_ADDRESS)
			continue;
		if (answer == ANOTHER)
			return false;
		ret->n = n;
		if (p[n] == '/' && isdigit((unsigned char)p[n + 1]))
			ret->n += 1 + strspn(p + n + 1, "0123456789");
		return true;
	}
	return false;
}

/* -- Names ----------------------------------------------------------------------------------------------- */

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* How much of the text at `at` is this name, 0: nothing. */
static size_t match_name(const char *text, size_t at, size_t length, const char *name, size_t least)
{
	size_t n = strlen(name), left = length - at;

	if (n < least)
		return 0;
	if (left < n && length >= MAY_BE_CUT && left >= CUT_LEAST && strncasecmp(text + at, name, left) == 0)
		n = left;
	else if (left < n || strncasecmp(text + at, name, n) != 0)
		return 0;
	if (in_word(name[0]) && at > 0 && in_word(text[at - 1]))
		return 0;
	return in_word(name[n - 1]) && in_word(text[at + n]) ? 0 : n;
}

static void match_names(const struct ir *ir, const char *text, size_t at, size_t length, struct found *best)
{
	for (uint32_t i = 0; i < ir->nhosts; i++) {
		const struct ir_host *h = &ir->hosts[i];
		if (!is_mynumber(ir, h->segment))
			continue;
		size_t name = match_name(text, at, length, ir_text(ir, h->name), 1);
		size_t label = match_name(text, at, length, ir_text(ir, h->label), LABEL_LEAST);
		size_t n = name > label ? name : label;
		if (n > best->n)
			*best = (struct found){h->segment, i, n};
	}
}

/* -- What stands there instead --------------------------------------------------------------------------- */

/* The host's number among those of its segment, as the policy has them. */
static uint32_t number_of(const struct ir *ir, uint32_t host)
{
	uint32_t n = 1;

	for (uint32_t i = 0; i < host; i++)
		n += ir->hosts[i].segment == ir->hosts[host].segment;
	return n;
}

static int write_instead(const struct ir *ir, bool english, const struct found *f, char *out, size_t size)
{
	const struct ir_segment *s = &ir->segments[f->segment];
	const char *called = ir_text(ir, s->label)[0] != '\0' ? ir_text(ir, s->label) : ir_text(ir, s->name);

	if (f->host == IR_NONE)
		return snprintf(out, size, english ? "(an address of %s)" : "(%sのアドレス)", called);
	if (english)
		return snprintf(out, size, "(host %u of %s)", number_of(ir, f->host), called);
	return snprintf(out, size, "(%sの端末%u)", called, number_of(ir, f->host));
}

/* As the texts of messages: cut at a character, zero behind. */
static void give(const char *text, char *ret, size_t size)
{
	size_t n = strlen(text);

	memset(ret, 0, size);
	if (n >= size)
		for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	memcpy(ret, text, n);
}

void mask_text(const struct ir *ir, bool english, const char *text, char *ret, size_t size)
{
	char out[TEXT_MAX];
	size_t length = strlen(text), n = 0;

	for (size_t at = 0; at < length && n < sizeof(out) - 1;) {
		struct found f = {0};
		if (!match_address(ir, text, at, &f))
			match_names(ir, text, at, length, &f);
		if (f.n == 0) {
			out[n++] = text[at++];
			continue;
		}
		int w = write_instead(ir, english, &f, out + n, sizeof(out) - n);
		n = w > 0 && (size_t)w < sizeof(out) - n ? n + (size_t)w : sizeof(out) - 1;
		at += f.n;
	}
	out[n] = '\0';
	give(out, ret, size);
}
