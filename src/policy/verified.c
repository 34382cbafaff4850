/*
 * verified.c: what a verified policy of the IR demands, as the inspector takes it, and which of two IRs' are equal.
 *
 * Input: an IR that ir_open() accepted. The facts about applications stand here once: by what they travel, which words
 * they have. The guard of the compiler says them with a line, the guard of the IR holds the compiler to them, and a
 * unit test compares them with the verifiers that exist.
 */
#include "verified.h"

#include <sekisho/arena.h>

#include <netinet/in.h>
#include <string.h>

#define TCP 1u
#define UDP 2u

static const struct {
	uint8_t over;
	uint8_t demands;
	uint32_t options; /* beside fast-open, which all over TCP have */
} facts[APP_END] = {
	[APP_TLS] = {TCP, DEMAND_SERVER_NAMES | DEMAND_ALPNS, VERIFY_ECH},
	[APP_HTTP] = {TCP, DEMAND_SERVER_NAMES, VERIFY_CONNECT | VERIFY_UPGRADE},
	[APP_SSH] = {TCP, 0, 0},
	[APP_SMTP] = {TCP, DEMAND_SERVER_NAMES, VERIFY_STARTTLS_REQUIRED},
	[APP_DNS] = {TCP | UDP, DEMAND_DOMAIN_NAMES, VERIFY_UPDATES},
	[APP_NTP] = {UDP, 0, 0},
	[APP_SYSLOG] = {TCP | UDP, 0, 0},
	[APP_SNMP] = {UDP, 0, VERIFY_TRAPS},
	[APP_LDAP] = {TCP | UDP, DEMAND_SERVER_NAMES, VERIFY_STARTTLS_REQUIRED},
	[APP_KERBEROS] = {TCP | UDP, 0, 0},
	[APP_SMB] = {TCP, 0, VERIFY_SMB1_NEGOTIATE},
	[APP_RDP] = {TCP, DEMAND_SERVER_NAMES, VERIFY_STANDARD_SECURITY},
	[APP_VNC] = {TCP, 0, 0},
	[APP_POSTGRESQL] = {TCP, DEMAND_SERVER_NAMES, VERIFY_STARTTLS_REQUIRED},
	[APP_TDS] = {TCP, 0, 0},
	[APP_FTP] = {TCP, DEMAND_SERVER_NAMES, VERIFY_STARTTLS_REQUIRED | VERIFY_ACTIVE_DATA | VERIFY_NO_DATA},
	[APP_POP3] = {TCP, DEMAND_SERVER_NAMES, VERIFY_STARTTLS_REQUIRED},
	[APP_IMAP] = {TCP, DEMAND_SERVER_NAMES, VERIFY_STARTTLS_REQUIRED},
};

bool application_over(unsigned application, uint8_t proto)
{
	uint8_t over = application < APP_END ? facts[application].over : 0;

	return (proto == IPPROTO_TCP && (over & TCP) != 0) || (proto == IPPROTO_UDP && (over & UDP) != 0);
}

uint32_t application_options(unsigned application)
{
	if (application >= APP_END)
		return 0;
	return facts[application].options | ((facts[application].over & TCP) != 0 ? VERIFY_FAST_OPEN : 0);
}

unsigned application_demands(unsigned application)
{
	return application < APP_END ? facts[application].demands : 0;
}

bool application_is_screen(unsigned application)
{
	return application == APP_RDP || application == APP_VNC;
}

static const struct {
	uint32_t bit;
	const char *word;
} options[] = {
#define X(bit, NAME, word) {bit, word},
	VERIFY_OPTIONS(X)
#undef X
};

uint32_t verify_option_find(const char *word)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(options[i].word, word) == 0)
			return options[i].bit;
	return 0;
}

const char *verify_option_word(uint32_t bit)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].bit == bit)
			return options[i].word;
	return NULL;
}

static struct verify_list list_of(const struct ir *ir, struct ir_run run, struct arena *a)
{
	const char **v = ARENA_ARRAY(a, (size_t)run.n + 1, const char *);

	for (uint32_t i = 0; i < run.n; i++)
		v[i] = ir_text(ir, ir->names[run.first + i].name);
	return (struct verify_list){v, run.n};
}

bool ir_verify_policy(const struct ir *ir, uint32_t id, struct arena *a, struct verify_policy *ret)
{
	if (id == 0 || id > ir->nverifieds)
		return false;
	const struct ir_verified *v = &ir->verifieds[id - 1];
	*ret = (struct verify_policy){
		.application = (enum application)v->application,
		.options = v->options,
		.rate = v->rate,
		.one_way = v->one_way != 0,
		.server_names = list_of(ir, v->server_names, a),
		.alpns = list_of(ir, v->alpns, a),
		.domain_names = list_of(ir, v->domain_names, a),
	};
	return true;
}

/* -- two IRs -------------------------------------------------------------------------------------------- */

static bool same_names(const struct ir *a, struct ir_run x, const struct ir *b, struct ir_run y)
{
	if (x.n != y.n)
		return false;
	for (uint32_t i = 0; i < x.n; i++)
		if (strcmp(ir_text(a, a->names[x.first + i].name), ir_text(b, b->names[y.first + i].name)) != 0)
			return false;
	return true;
}

/* The text says it already; a compiler that lies in it gains nothing. */
static bool same_demands(const struct ir *a, const struct ir_verified *x, const struct ir *b, const struct ir_verified *y)
{
	return x->application == y->application && x->options == y->options && x->rate == y->rate &&
	       x->one_way == y->one_way && same_names(a, x->server_names, b, y->server_names) &&
	       same_names(a, x->alpns, b, y->alpns) && same_names(a, x->domain_names, b, y->domain_names);
}

/* Both are sorted by text: one walk through the two. */
uint16_t *ir_renumber(const struct ir *old, const struct ir *new, struct arena *a)
{
	uint16_t *number = ARENA_ARRAY(a, (size_t)old->nverifieds + 1, uint16_t);
	uint32_t i = 0, k = 0;

	while (i < old->nverifieds && k < new->nverifieds) {
		const struct ir_verified *x = &old->verifieds[i], *y = &new->verifieds[k];
		int d = strcmp(ir_text(old, x->text), ir_text(new, y->text));
		if (d == 0 && same_demands(old, x, new, y))
			number[i + 1] = (uint16_t)(k + 1);
		i += d <= 0;
		k += d >= 0;
	}
	return number;
}
