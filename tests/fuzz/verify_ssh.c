/* verify_ssh.c: fuzzes the verifier of SSH. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_SSH};

	return verify_fuzz(APP_SSH, false, &policy, data, n);
}
