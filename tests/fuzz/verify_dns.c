/* verify_dns.c: fuzzes the verifier of DNS: datagrams, the stream in pieces, each with and without updates. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy plain = {.application = APP_DNS};
	static const struct verify_policy updates = {.application = APP_DNS, .options = VERIFY_UPDATES};

	verify_fuzz(APP_DNS, true, &plain, data, n);
	verify_fuzz(APP_DNS, true, &updates, data, n);
	verify_fuzz(APP_DNS, false, &plain, data, n);
	return verify_fuzz(APP_DNS, false, &updates, data, n);
}
