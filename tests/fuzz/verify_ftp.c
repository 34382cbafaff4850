/* verify_ftp.c: fuzzes the verifier of FTP: data connections of the server, of the client too, and none. */
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct verify_policy plain = {.application = APP_FTP};
	static const struct verify_policy active = {.application = APP_FTP, .options = VERIFY_ACTIVE_DATA};
	static const struct verify_policy none = {.application = APP_FTP,
		.options = VERIFY_NO_DATA | VERIFY_STARTTLS_REQUIRED};

	verify_fuzz(APP_FTP, false, &plain, data, n);
	verify_fuzz(APP_FTP, false, &active, data, n);
	return verify_fuzz(APP_FTP, false, &none, data, n);
}
