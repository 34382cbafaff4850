/* verify_postgresql.c: fuzzes the verifier of PostgreSQL. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_POSTGRESQL};

	return verify_fuzz(APP_POSTGRESQL, false, &policy, data, n);
}
