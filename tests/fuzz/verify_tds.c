/* verify_tds.c: fuzzes the verifier of TDS. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_TDS};

	return verify_fuzz(APP_TDS, false, &policy, data, n);
}
