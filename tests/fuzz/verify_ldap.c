/* verify_ldap.c: fuzzes the verifier of LDAP: over TCP, and the same input as datagrams. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_LDAP};

	verify_fuzz(APP_LDAP, false, &policy, data, n);
	return verify_fuzz(APP_LDAP, true, &policy, data, n);
}
