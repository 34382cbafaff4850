/* verify_snmp.c: fuzzes the verifier of SNMP, as a rule that takes traps too has it, and as one that does not. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy ask = {.application = APP_SNMP};
	static const struct verify_policy traps = {.application = APP_SNMP, .options = VERIFY_TRAPS};

	verify_fuzz(APP_SNMP, true, &ask, data, n);
	return verify_fuzz(APP_SNMP, true, &traps, data, n);
}
