/* verify_imap.c: fuzzes the verifier of IMAP, also where the rule demands TLS. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy plain = {.application = APP_IMAP};
	static const struct verify_policy tls = {.application = APP_IMAP, .options = VERIFY_STARTTLS_REQUIRED};

	verify_fuzz(APP_IMAP, false, &plain, data, n);
	return verify_fuzz(APP_IMAP, false, &tls, data, n);
}
