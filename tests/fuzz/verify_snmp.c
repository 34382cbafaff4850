/* verify_snmp.c: fuzzes the verifier of SNMP, as a rule that takes traps too has it. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy policy = {.application = APP_SNMP, .options = VERIFY_TRAPS};

	return verify_fuzz(APP_SNMP, true, &policy, data, n);
}
