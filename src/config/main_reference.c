/*
 * main_reference.c: writes the manual of the policy's words to standard output; a program of the build only.
 */
#include <sekisho/buf.h>
#include <sekisho/config.h>

#include <stdio.h>

int main(void)
{
	struct buf b = {0};

	if (!config_reference(&b)) {
		fputs("policy-reference: the schema does not load\n", stderr);
		return 3;
	}
	bool ok = fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
	buf_free(&b);
	return ok ? 0 : 3;
}
