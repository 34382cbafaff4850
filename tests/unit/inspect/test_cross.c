/*
 * test_cross.c: each kept conversation under the verifier of every other application: none comes as far as an answer that
 * refers to a request, and most are refused with their first bytes.
 */
#include "script.h"
#include "test.h"
#include "verify.h"

static const struct {
	const char *file;
	enum application application;
} conversations[] = {
	{"verify_tls/tls13", APP_TLS},
	{"verify_tls/tls13retry", APP_TLS},
	{"verify_tls/tls12", APP_TLS},
	{"verify_ssh/ssh", APP_SSH},
	{"verify_ssh/sshdh", APP_SSH},
	{"verify_http/keep", APP_HTTP},
	{"verify_rdp/tls", APP_RDP},
	{"verify_rdp/old", APP_RDP},
	{"verify_vnc/auth", APP_VNC},
	{"verify_vnc/none", APP_VNC},
	{"verify_vnc/tls", APP_VNC},
};

static bool decided(const struct outcome *o)
{
	return o->status == VERIFY_DECIDED || o->status == VERIFY_ACCEPT || o->level == LEVEL_RELATES;
}

/* Under the widest policy that there is: every option, no name. */
static void under(size_t i, const struct line *lines, size_t n, enum application application)
{
	struct verify_policy policy = {.application = application, .options = ~(uint32_t)VERIFY_STARTTLS_REQUIRED};
	struct outcome o = script_run(application, &policy, lines, n);
	bool own = application == conversations[i].application;

	if (own ? !decided(&o) : decided(&o) || o.status != VERIFY_REFUSE)
		printf("%s under %s: status %u level %u %s\n", conversations[i].file, application_word(application), o.status,
			o.level, inspect_why_word(o.why));
	CHECK(decided(&o) == own);
	CHECK(own || o.status == VERIFY_REFUSE);
}

int main(void)
{
	size_t n;
	const struct verifier *v = verifier_table(&n);

	for (size_t i = 0; i < sizeof(conversations) / sizeof(conversations[0]); i++) {
		struct line lines[64];
		size_t said = script_load(conversations[i].file, lines, 64);
		for (size_t k = 0; k < n; k++)
			if (v[k].stream != NULL)
				under(i, lines, said, v[k].application);
	}
	return test_end();
}
