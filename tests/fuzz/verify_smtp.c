/* verify_smtp.c: fuzzes the verifier of SMTP, also where the rule demands TLS. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy plain = {.application = APP_SMTP};
	static const struct verify_policy tls = {.application = APP_SMTP, .options = VERIFY_STARTTLS_REQUIRED};

	verify_fuzz(APP_SMTP, false, &plain, data, n);
	return verify_fuzz(APP_SMTP, false, &tls, data, n);
}
