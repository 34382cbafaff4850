/* verify_smb.c: fuzzes the verifier of SMB, as a rule that also takes SMB 1's question has it. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_SMB, .options = VERIFY_SMB1_NEGOTIATE};

	return verify_fuzz(APP_SMB, false, &policy, data, n);
}
