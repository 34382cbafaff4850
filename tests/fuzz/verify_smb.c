/* verify_smb.c: fuzzes the verifier of SMB, as a rule that also takes SMB 1's question has it, and as one that does not. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy strict = {.application = APP_SMB};
	static const struct verify_policy lax = {.application = APP_SMB, .options = VERIFY_SMB1_NEGOTIATE};

	verify_fuzz(APP_SMB, false, &strict, data, n);
	return verify_fuzz(APP_SMB, false, &lax, data, n);
}
