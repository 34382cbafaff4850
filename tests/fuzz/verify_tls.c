/* verify_tls.c: fuzzes the verifier of TLS under a rule with a server name, ALPN and ECH allowed. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = {"renkei.example", "*.town.example"}, *const alpns[] = {"h2", "http/1.1"};
	static const struct verify_policy any = {.application = APP_TLS};
	static const struct verify_policy strict = {.application = APP_TLS, .options = VERIFY_ECH, .server_names = {names, 2},
		.alpns = {alpns, 2}};

	verify_fuzz(APP_TLS, false, &any, data, n);
	return verify_fuzz(APP_TLS, false, &strict, data, n);
}
