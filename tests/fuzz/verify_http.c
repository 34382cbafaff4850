/* verify_http.c: fuzzes the verifier of HTTP/1 under a rule without demands, and under one with names, CONNECT and Upgrade. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = {"intra.example", "*.town.example"};
	static const struct verify_policy any = {.application = APP_HTTP};
	static const struct verify_policy named = {.application = APP_HTTP, .options = VERIFY_CONNECT | VERIFY_UPGRADE,
		.server_names = {names, 2}};

	verify_fuzz(APP_HTTP, false, &any, data, n);
	return verify_fuzz(APP_HTTP, false, &named, data, n);
}
