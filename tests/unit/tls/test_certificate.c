/* test_certificate.c: a certificate's file from one state to the next; the one of before stays in use until the new one is good. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certificate.h"
#include "remote_key.h"
#include "selfmade.h"
#include "test.h"

static struct selfmade first, second;

static int file(const void *p, size_t n)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	CHECK_INT(write(fd, p, n), n);
	return fd;
}

static void take(struct certificate *c, const void *p, size_t n, bool keyed)
{
	struct msg_tls_file m = {.n = 1, .keyed = keyed, .state = TLS_FILE_GOOD};
	int fd = file(p, n);

	MSG_TEXT(m.name, "gate");
	certificate_take(c, &m, fd, remote_key_make);
	close(fd);
}

static void lose(struct certificate *c, enum tls_file state)
{
	struct msg_tls_file m = {.n = 1, .keyed = 1, .state = state};

	MSG_TEXT(m.name, "gate");
	certificate_take(c, &m, -1, remote_key_make);
}

static void key_of(const struct selfmade *s, uint8_t ret[32])
{
	size_t n = 32;

	CHECK_INT(gnutls_x509_crt_get_key_id(s->crt, GNUTLS_KEYID_USE_SHA256, ret, &n), 0);
}

static bool uses(const struct certificate *c, const struct selfmade *s)
{
	uint8_t key[32];

	key_of(s, key);
	return c->used != NULL && memcmp(c->used->key, key, sizeof(key)) == 0;
}

static void test_states(void)
{
	struct certificate c = {0};
	struct msg_tls_certificate told;
	uint8_t one[32], two[32], none[32] = {0};

	key_of(&first, one);
	key_of(&second, two);
	take(&c, first.pem.data, first.pem.size, true);
	CHECK(c.state == TLS_FILE_NO_KEY && c.used == NULL);
	certificate_tell(&c, &told);
	CHECK(told.state == TLS_FILE_NO_KEY && !told.in_use && told.not_after > 0 && strcmp(told.names, "gate-01.example") == 0);
	certificate_take_key(&c, two);
	CHECK(c.state == TLS_FILE_OTHER_KEY && c.used == NULL);
	certificate_take_key(&c, one);
	CHECK(c.state == TLS_FILE_GOOD && uses(&c, &first));
	/* The next one, its key behind it; meanwhile the first. */
	take(&c, second.pem.data, second.pem.size, true);
	CHECK(c.state == TLS_FILE_OTHER_KEY && uses(&c, &first));
	certificate_tell(&c, &told);
	CHECK(told.in_use && told.state == TLS_FILE_OTHER_KEY);
	certificate_take_key(&c, two);
	CHECK(c.state == TLS_FILE_GOOD && uses(&c, &second));
	/* Its file goes away, is junk, or not taken: said, and nothing else. */
	lose(&c, TLS_FILE_MISSING);
	CHECK(c.state == TLS_FILE_MISSING && uses(&c, &second));
	lose(&c, TLS_FILE_UNREADABLE);
	CHECK(c.state == TLS_FILE_UNREADABLE && uses(&c, &second));
	take(&c, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 58, true);
	CHECK(c.state == TLS_FILE_MALFORMED && uses(&c, &second));
	take(&c, second.pem.data, second.pem.size, true);
	CHECK(c.state == TLS_FILE_GOOD && uses(&c, &second));
	certificate_take_key(&c, none);
	CHECK(c.state == TLS_FILE_OTHER_KEY && uses(&c, &second));
	certificate_clear(&c);
	CHECK(c.used == NULL && c.name[0] == '\0');
}

/* Key before certificate; an authority needs none, and changes at once. */
static void test_orders(void)
{
	struct certificate c = {0};
	uint8_t one[32];

	key_of(&first, one);
	lose(&c, TLS_FILE_MISSING);
	certificate_take_key(&c, one);
	CHECK(c.state == TLS_FILE_MISSING && c.used == NULL);
	take(&c, first.pem.data, first.pem.size, true);
	CHECK(c.state == TLS_FILE_GOOD && uses(&c, &first));
	take(&c, second.pem.data, second.pem.size, false); /* another use of the name: nothing of before counts */
	CHECK(c.state == TLS_FILE_GOOD && uses(&c, &second) && !c.keyed);
	certificate_clear(&c);
}

/* Whatever a file holds, it is a certificate or none. */
static void test_files(void)
{
	static char text[TLS_FILE_BYTES + 1];
	static const char *const bad[] = {"", "x", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(chain_read(bad[i], strlen(bad[i]), true, remote_key_make) == NULL);
	for (size_t cut = 1; cut < first.pem.size; cut += 7) {
		struct chain *c = chain_read(first.pem.data, cut, true, remote_key_make);
		CHECK(c == NULL || cut + 26 >= first.pem.size); /* of the last line GnuTLS asks for no more than its beginning */
		chain_free(c);
	}
	for (int i = 0; i < 11 && n + first.pem.size < sizeof(text); i++, n += first.pem.size)
		memcpy(text + n, first.pem.data, first.pem.size);
	CHECK(chain_read(text, n, true, remote_key_make) == NULL); /* eleven certificates are no chain */
	struct chain *many = chain_read(text, n, false, remote_key_make);
	CHECK(many != NULL); /* but authorities there may be as many */
	chain_free(many);
	memset(text, 'x', sizeof(text));
	CHECK(chain_read(text, sizeof(text), false, remote_key_make) == NULL);
}

int main(void)
{
	first = selfmade(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), "gate-01.example", 100, NULL);
	second = selfmade(GNUTLS_PK_RSA, 2048, "gate-01.example", 100, NULL);
	test_states();
	test_orders();
	test_files();
	selfmade_free(&first);
	selfmade_free(&second);
	return test_end();
}
