/* tls.c: the words and sentences of tls.h. */
#include <sekisho/i18n.h>
#include <sekisho/tls.h>

static const struct {
	const char *word, *text;
} whys[] = {
#define X(NAME, word, text) {word, text},
	TLS_WHYS(X)
#undef X
}, files[] = {
#define X(NAME, word, text) {word, text},
	TLS_FILES(X)
#undef X
};

static const char *const trusts[] = {
#define X(NAME, word) word,
	TLS_TRUSTS(X)
#undef X
};

const char *tls_why_word(unsigned why)
{
	return why < TLS_WHYS_END ? whys[why].word : "unknown";
}

const char *tls_why_text(unsigned why)
{
	return why < TLS_WHYS_END ? whys[why].text : "";
}

const char *tls_trust_word(unsigned trust)
{
	return trust < TLS_TRUSTS_END ? trusts[trust] : "unknown";
}

const char *tls_file_word(unsigned state)
{
	return state < TLS_FILES_END ? files[state].word : "unknown";
}

const char *tls_file_text(unsigned state)
{
	return state < TLS_FILES_END ? files[state].text : "";
}
