/* verify_kerberos.c: fuzzes the verifier of Kerberos: over TCP, and the same input as datagrams. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_KERBEROS};

	verify_fuzz(APP_KERBEROS, false, &policy, data, n);
	return verify_fuzz(APP_KERBEROS, true, &policy, data, n);
}
