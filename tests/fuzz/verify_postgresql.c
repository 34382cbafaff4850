/* verify_postgresql.c: fuzzes the verifier of PostgreSQL, as a rule that demands TLS has it, and as one that does not. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy any = {.application = APP_POSTGRESQL};
	static const struct verify_policy tls = {.application = APP_POSTGRESQL, .options = VERIFY_STARTTLS_REQUIRED};

	verify_fuzz(APP_POSTGRESQL, false, &tls, data, n);
	return verify_fuzz(APP_POSTGRESQL, false, &any, data, n);
}
