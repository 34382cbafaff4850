/* verify_rdp.c: fuzzes the verifier of RDP, which hands over to that of TLS, with and without its old security. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy tls = {.application = APP_RDP};
	static const struct verify_policy old = {.application = APP_RDP, .options = VERIFY_STANDARD_SECURITY};

	verify_fuzz(APP_RDP, false, &tls, data, n);
	return verify_fuzz(APP_RDP, false, &old, data, n);
}
