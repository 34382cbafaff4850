/*
 * support.c: `sekisho show support`: what a vendor's engineer needs, without the town's addresses and names.
 *
 * The same answers that the verbs give, as JSON, and the policy in force, all with pseudonyms (pseudonym.h); at its head a
 * manifest with the length and hash of each section. With the same --key the same things have the same names in every bundle;
 * without one the key is random and forgotten. --table prints who is who, for the town's own eyes, and nothing else.
 */
#include "args.h"
#include "console.h"
#include "pseudonym.h"
#include "running.h"
#include "seen.h"

#include <sekisho/clock.h>
#include <sekisho/i18n.h>

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Words as they would be typed; each prints what it has and waits for nothing. */
static const char *const sections[][4] = {
	{"status"}, {"show", "rules"}, {"show", "interfaces"}, {"show", "neighbours"}, {"show", "routes"}, {"show", "clock"},
	{"show", "hardware"}, {"log", "summary"}, {"log", "faults"},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static void title_of(size_t i, char *ret, size_t size)
{
	ret[0] = '\0';
	for (size_t k = 0; k < 4 && sections[i][k] != NULL; k++)
		snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", k > 0 ? " " : "", sections[i][k]);
}

/* Runs one verb as if it had been typed with --json; what it says goes to ret. */
static void run_section(const struct console *c, size_t i, struct buf *ret)
{
	struct console own = *c;
	struct buf error = {0};
	struct args a;
	char *argv[8], words[6][32];
	int argc = 0;

	snprintf(words[0], sizeof(words[0]), "sekisho");
	argv[argc++] = words[0];
	for (size_t k = 0; k < 4 && sections[i][k] != NULL; k++, argc++) {
		snprintf(words[argc], sizeof(words[argc]), "%s", sections[i][k]);
		argv[argc] = words[argc];
	}
	argv[argc++] = (char[]){"--json"};
	argv[argc] = NULL;
	own.out = (struct buf){0};
	own.json = true;
	if (args_parse(PLACE_OUTSIDE, argc, argv, &a, &error))
		a.command->run(&own, &a);
	buf_add(ret, own.out.data, own.out.len);
	buf_free(&own.out);
	buf_free(&error);
}

/* Every name of the policy in force. */
static void take_names(struct pseudonym *p, const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->nsegments; i++) {
		pseudonym_name(p, ir_text(ir, ir->segments[i].name));
		pseudonym_name(p, ir_text(ir, ir->segments[i].label));
	}
	for (uint32_t i = 0; i < ir->nhosts; i++)
		pseudonym_name(p, ir_text(ir, ir->hosts[i].name));
	for (uint32_t i = 0; i < ir->nrules; i++) {
		pseudonym_name(p, ir_text(ir, ir->rules[i].name));
		/* Groups and services that rules name. */
		pseudonym_name(p, ir_text(ir, ir->rules[i].from));
		pseudonym_name(p, ir_text(ir, ir->rules[i].to));
	}
	pseudonym_name(p, ir_text(ir, ir->system->hostname));
}

struct bundle {
	struct pseudonym *names;
	struct buf body[SECTIONS + 1];
};

static int gather(struct console *c, struct bundle *b)
{
	struct buf text = {0};
	struct seen s;
	int code = seen_open(c, MSG_VERB_POLICY, &s);

	if (code == CONSOLE_OK)
		take_names(b->names, &s.ir);
	seen_close(&s);
	for (size_t i = 0; code == CONSOLE_OK && i < SECTIONS; i++) {
		buf_clear(&text);
		run_section(c, i, &text);
		pseudonym_text(b->names, buf_str(&text), false, &b->body[i]);
	}
	buf_clear(&text);
	if (code == CONSOLE_OK)
		code = running_read(c, &text);
	if (code == CONSOLE_OK)
		pseudonym_text(b->names, buf_str(&text), true, &b->body[SECTIONS]);
	buf_free(&text);
	return code;
}

static void put_hash(struct buf *out, const struct buf *body)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, body->len, body->data != NULL ? body->data : (const uint8_t *)"");
	sha256_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_printf(out, "%02x", digest[i]);
}

static void print_bundle(struct buf *out, const struct bundle *b)
{
	char title[64], at[CLOCK_TEXT_MAX];

	buf_printf(out, "sekisho support %s %s\n", SEKISHO_VERSION, clock_format(clock_wall(), at));
	for (size_t i = 0; i <= SECTIONS; i++) {
		i < SECTIONS ? title_of(i, title, sizeof(title)) : (void)snprintf(title, sizeof(title), "policy");
		buf_printf(out, "section %zu bytes %zu sha256 ", i + 1, b->body[i].len);
		put_hash(out, &b->body[i]);
		buf_printf(out, " %s\n", title);
	}
	for (size_t i = 0; i <= SECTIONS; i++) {
		buf_printf(out, "\n== section %zu\n", i + 1);
		buf_add(out, b->body[i].data, b->body[i].len);
	}
}

static void print_table(struct buf *out, const struct pseudonym *p)
{
	const char *real, *shown;

	for (size_t i = 0; pseudonym_pair(p, i, &real, &shown); i++)
		buf_printf(out, "%s\t%s\n", shown, real);
}

int verb_show_support(struct console *c, const struct args *a)
{
	const char *key = args_option(a, "--key");
	char language[16];
	struct bundle b = {0};
	char own[65] = "";
	uint8_t bytes[32];

	if (key != NULL && strlen(key) < 8)
		return console_fail(CONSOLE_USAGE, "%s", _("--key takes at least 8 signs: short ones can be guessed"));
	if (key == NULL && getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes))
		for (size_t i = 0; i < sizeof(bytes); i++)
			snprintf(own + 2 * i, 3, "%02x", bytes[i]);
	b.names = key != NULL || own[0] != '\0' ? pseudonym_new(key != NULL ? key : own) : NULL;
	if (b.names == NULL)
		return console_fail(CONSOLE_ENV, "%s", _("no memory"));
	snprintf(language, sizeof(language), "%s", i18n_language());
	/* For whoever reads it at the vendor's: sentences in one language, so that a name is not taken for one. */
	i18n_init("en");
	int code = gather(c, &b);
	i18n_init(language);
	if (code == CONSOLE_OK && args_option(a, "--table") != NULL)
		print_table(&c->out, b.names);
	else if (code == CONSOLE_OK)
		print_bundle(&c->out, &b);
	for (size_t i = 0; i <= SECTIONS; i++)
		buf_free(&b.body[i]);
	pseudonym_free(b.names);
	return code;
}
