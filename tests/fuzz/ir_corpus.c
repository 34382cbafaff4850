/*
 * ir_corpus.c: writes the kept inputs of the fuzzer of the IR anew, from policies: after a change of the
 * records.
 *
 * usage: ir_corpus DIRECTORY POLICY...      (each becomes DIRECTORY/NAME.ir)
 */
#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/model.h>

#include <stdio.h>
#include <string.h>

static bool write_one(const char *dir, const char *path)
{
	char out[4096], chunk[4096];
	const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	struct buf text = {0}, block = {0};
	struct arena *arena = arena_new();
	struct diag_list diags;
	struct model *m = NULL;
	size_t n;
	FILE *f = fopen(path, "rb");

	if (f == NULL || arena == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	fclose(f);
	diag_init(&diags, arena);
	bool ok = config_read(arena, buf_str(&text), text.len, &diags, &m) &&
		  policy_compile(m, (struct wall){1795136400}, &diags, &block);
	diag_print(&diags, path, stderr);
	snprintf(out, sizeof(out), "%s/%.*s.ir", dir, (int)strcspn(name, "."), name);
	if (ok && (f = fopen(out, "wb")) != NULL) {
		ok = fwrite(block.data, 1, block.len, f) == block.len;
		ok = fclose(f) == 0 && ok;
	}
	buf_free(&text);
	buf_free(&block);
	arena_free(arena);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = argc > 2;

	for (int i = 2; i < argc; i++)
		ok = write_one(argv[1], argv[i]) && ok;
	return ok ? 0 : 1;
}
