/* verify_pop3.c: fuzzes the verifier of POP3, also where the rule demands TLS. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy plain = {.application = APP_POP3};
	static const struct verify_policy tls = {.application = APP_POP3, .options = VERIFY_STARTTLS_REQUIRED};

	verify_fuzz(APP_POP3, false, &plain, data, n);
	return verify_fuzz(APP_POP3, false, &tls, data, n);
}
