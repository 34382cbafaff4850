/* verify_vnc.c: fuzzes the verifier of VNC, which may hand over to that of TLS. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_VNC};

	return verify_fuzz(APP_VNC, false, &policy, data, n);
}
