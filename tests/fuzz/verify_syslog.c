/* verify_syslog.c: fuzzes the verifier of syslog, over UDP and TCP. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_SYSLOG};

	verify_fuzz(APP_SYSLOG, false, &policy, data, n);
	return verify_fuzz(APP_SYSLOG, true, &policy, data, n);
}
