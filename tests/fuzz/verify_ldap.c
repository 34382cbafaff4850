/* verify_ldap.c: fuzzes the verifier of LDAP: over TCP, with and without the demand of TLS, and the same as datagrams. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy any = {.application = APP_LDAP};
	static const struct verify_policy tls = {.application = APP_LDAP, .options = VERIFY_STARTTLS_REQUIRED};

	verify_fuzz(APP_LDAP, false, &tls, data, n);
	verify_fuzz(APP_LDAP, false, &any, data, n);
	return verify_fuzz(APP_LDAP, true, &any, data, n);
}
