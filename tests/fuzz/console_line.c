/* console_line.c: a line of the shell: words, abbreviations, pipes, and the table of commands behind them. */
#include "shell_filter.h"
#include "shell_line.h"
#include "shell_words.h"

#include "args.h"

#include <sekisho/buf.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_place(enum place place, const struct line *l)
{
	struct typed_words w = {0};
	struct buf error = {0};
	struct args a;

	if (words_expand(place, l, &w, &error)) {
		if (w.argc < 1 || w.argv[w.argc] != NULL)
			abort();
		if (args_parse(w.place, w.argc, w.argv, &a, &error) && a.command == NULL && !a.help)
			abort();
	}
	words_free(&w);
	buf_free(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = {0}, error = {0};
	struct line l;

	buf_add(&text, data, size);
	for (int unfinished = 0; unfinished < 2; unfinished++) {
		if (line_read(&l, buf_str(&text), unfinished, &error)) {
			for (unsigned i = 0; i < l.nwords; i++)
				if (l.words[i].end > strlen(l.raw) || l.words[i].start >= l.words[i].end)
					abort();
			try_place(PLACE_OPERATE, &l);
			try_place(PLACE_CONFIGURE, &l);
			filters_free(filters_new(&l, &error));
		}
		line_free(&l);
	}
	buf_free(&text);
	buf_free(&error);
	return 0;
}
