/*
 * pseudonym.c: text without addresses and names (see pseudonym.h).
 *
 * Text is cut into words (letters, digits, . : - _ @ * and bytes beyond ASCII) and what stands in double quotes. JSON's keys
 * and the words of the policy's language are neither names nor addresses and stay. Limits: PAIRS_MAX different ones; beyond,
 * they are replaced all the same and not listed.
 */
#include "pseudonym.h"

#include <sekisho/addr.h>
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/strmap.h>

#include <nettle/sha2.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 65536
#define WORD_MAX 300

struct pseudonym {
	uint8_t key[SHA256_DIGEST_SIZE];
	struct arena *arena;
	struct strmap *names; /* 1: a name; 2: replaced and listed */
	struct {
		const char *real, *shown;
	} *pairs;
	size_t n;
	bool policy, value; /* lines of set; the next word is somebody's own */
};

struct pseudonym *pseudonym_new(const char *key)
{
	struct pseudonym *p = calloc(1, sizeof(*p));
	struct sha256_ctx ctx;

	if (p == NULL)
		return NULL;
	p->arena = arena_new();
	p->names = strmap_new();
	p->pairs = calloc(PAIRS_MAX, sizeof(*p->pairs));
	if (p->arena == NULL || p->pairs == NULL) {
		pseudonym_free(p);
		return NULL;
	}
	sha256_init(&ctx);
	sha256_update(&ctx, strlen(key), (const uint8_t *)key);
	sha256_digest(&ctx, sizeof(p->key), p->key);
	return p;
}

void pseudonym_free(struct pseudonym *p)
{
	if (p == NULL)
		return;
	strmap_free(p->names);
	arena_free(p->arena);
	free(p->pairs);
	free(p);
}

void pseudonym_name(struct pseudonym *p, const char *name)
{
	uint32_t known;

	if (name[0] != '\0' && !strmap_get(p->names, name, &known))
		strmap_add(p->names, arena_printf(p->arena, "%s", name), 1);
}

bool pseudonym_pair(const struct pseudonym *p, size_t i, const char **ret_real, const char **ret_shown)
{
	if (i >= p->n)
		return false;
	*ret_real = p->pairs[i].real;
	*ret_shown = p->pairs[i].shown;
	return true;
}

static void digest(const struct pseudonym *p, char kind, const void *bytes, size_t n, uint8_t ret[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, sizeof(p->key), p->key);
	sha256_update(&ctx, 1, (const uint8_t *)&kind);
	sha256_update(&ctx, n, bytes);
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, ret);
}

static void note(struct pseudonym *p, const char *real, const char *shown)
{
	char key[WORD_MAX + 8];
	uint32_t known;

	/* Its own list: a name may be an address's text too. */
	snprintf(key, sizeof(key), "\001%s", real);
	if (p->n == PAIRS_MAX || strmap_get(p->names, key, &known))
		return;
	strmap_add(p->names, arena_printf(p->arena, "%s", key), 2);
	p->pairs[p->n].real = arena_printf(p->arena, "%s", real);
	p->pairs[p->n++].shown = arena_printf(p->arena, "%s", shown);
}

/* Each byte is changed by what stands before it: what addresses have in common stays in common. */
static void change_bytes(const struct pseudonym *p, char kind, uint8_t *b, size_t from, size_t n)
{
	uint8_t real[16], hash[SHA256_DIGEST_SIZE];

	memcpy(real, b, n);
	for (size_t i = from; i < n; i++) {
		digest(p, kind, real, i, hash);
		b[i] = real[i] ^ hash[0];
	}
}

static bool is_everybodys(const struct addr *a)
{
	static const uint8_t zero[16], ones[4] = {255, 255, 255, 255};

	return memcmp(a->b, zero, sizeof(zero)) == 0 || (a->family == 4 && (a->b[0] == 127 || memcmp(a->b, ones, 4) == 0));
}

/* "10.1.10.5", "2001:db8::5", "02:00:00:01:00:05" */
static bool put_address(struct pseudonym *p, const char *word, struct buf *out)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;
	struct mac m;

	if (mac_parse(word, &m)) {
		change_bytes(p, 'm', m.b, 3, 6);
		mac_format(&m, text);
	} else if (addr_parse(word, &a)) {
		if (!is_everybodys(&a))
			change_bytes(p, a.family == 4 ? '4' : '6', a.b, 0, addr_len(a.family));
		addr_format(&a, text);
	} else {
		return false;
	}
	note(p, word, text);
	buf_adds(out, text);
	return true;
}

static void put_name(struct pseudonym *p, const char *word, struct buf *out)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t hash[SHA256_DIGEST_SIZE];
	char text[16] = "n-";

	digest(p, 'n', word, strlen(word), hash);
	for (size_t i = 0; i < 8; i++)
		text[2 + i] = letters[hash[i] % 32];
	note(p, word, text);
	buf_adds(out, text);
}

static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* A domain's name: its last part begins with a letter. Not an interface such as eth2.20. */
static bool is_domain(const char *s)
{
	const char *dot = strrchr(s, '.');

	return dot != NULL && dot != s && isalpha((unsigned char)dot[1]);
}

/* Words of the policy's language behind which stands what a person wrote. */
static bool is_before_own(const char *word)
{
	static const char *const words[] = {"label", "section", "location", "external", "purpose", "applicant", "name",
		"reason", "approved-by", "number", "user", "contact", "hostname"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void put_word(struct pseudonym *p, const char *word, bool quoted, struct buf *out)
{
	bool own = p->policy && (p->value || quoted);
	uint32_t known;

	if (word[0] == '\0')
		return;
	p->value = is_before_own(word);
	if (put_address(p, word, out))
		return;
	if (own || strmap_get(p->names, word, &known) || !is_ascii(word) || strchr(word, '@') != NULL || is_domain(word))
		put_name(p, word, out);
	else
		buf_adds(out, word);
}

static bool is_word(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || strchr(".:-_@*", c) != NULL;
}

/* A word with a sign at its end that belongs to the sentence: "eth0:", "end." */
static size_t trimmed(const char *word, size_t n)
{
	while (n > 0 && strchr(".:-", word[n - 1]) != NULL && !(n >= 2 && word[n - 1] == ':' && word[n - 2] == ':'))
		n--;
	return n;
}

static const char *take_plain(struct pseudonym *p, const char *s, struct buf *out)
{
	char word[WORD_MAX];
	size_t n = 0;

	while (is_word((unsigned char)s[n]) && s[n] != '\0' && n < sizeof(word) - 1)
		n++;
	size_t keep = trimmed(s, n);
	memcpy(word, s, keep);
	word[keep] = '\0';
	put_word(p, word, false, out);
	buf_add(out, s + keep, n - keep);
	return s + n;
}

/* What stands in quotes: in a policy one name, in our own output a sentence. */
static const char *take_quoted(struct pseudonym *p, const char *s, struct buf *out)
{
	char word[WORD_MAX];
	size_t n = strcspn(s + 1, "\"\n");

	if (s[1 + n] != '"' || n >= sizeof(word)) {
		buf_addc(out, '"');
		return s + 1;
	}
	memcpy(word, s + 1, n);
	word[n] = '\0';
	buf_addc(out, '"');
	if (!p->policy) {
		/* A sentence of ours: word by word. */
		for (const char *w = word; *w != '\0';) {
			if (is_word((unsigned char)*w))
				w = take_plain(p, w, out);
			else
				buf_addc(out, *w++);
		}
	} else {
		put_word(p, word, true, out);
	}
	buf_addc(out, '"');
	return s + n + 2;
}

void pseudonym_text(struct pseudonym *p, const char *s, bool policy, struct buf *out)
{
	p->policy = policy;
	p->value = false;
	while (*s != '\0') {
		/* A remark is somebody's own from its sign to the end of the line. */
		if (policy && *s == '#') {
			s += strcspn(s, "\n");
			continue;
		}
		if (*s == '"')
			s = take_quoted(p, s, out);
		else if (is_word((unsigned char)*s))
			s = take_plain(p, s, out);
		else
			buf_addc(out, *s++);
	}
}
