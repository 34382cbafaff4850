/*
 * charset_cat.c: standard input from a charset to UTF-8, for test_charset_tools.py.
 * usage: charset_cat [--settle] LABEL; on standard error: the charset and the number of errors.
 */
#include <sekisho/charset.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 64 << 20 };

int main(int argc, char **argv)
{
	bool settle = argc == 3 && strcmp(argv[1], "--settle") == 0;
	static char out[DECODER_OUT(65536)];
	struct decoder d;

	if (argc != 2 + settle)
		return 2;
	char *in = malloc(INPUT_MAX);
	size_t n = in != NULL ? fread(in, 1, INPUT_MAX, stdin) : 0;
	enum charset charset = charset_find(argv[1 + settle], strlen(argv[1 + settle]));
	if (settle)
		charset = charset_settle(charset, in, n);
	decoder_begin(&d, charset);
	for (size_t i = 0; i < n; i += 65536)
		fwrite(out, 1, decoder_push(&d, in + i, n - i < 65536 ? n - i : 65536, out), stdout);
	fwrite(out, 1, decoder_end(&d, out), stdout);
	fprintf(stderr, "%s %llu\n", charset_name(charset), (unsigned long long)d.errors);
	free(in);
	return 0;
}
