/* verify_ntp.c: fuzzes the verifier of NTP. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_NTP};

	return verify_fuzz(APP_NTP, true, &policy, data, n);
}
