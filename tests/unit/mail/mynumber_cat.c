/*
 * mynumber_cat.c: texts on standard input, each ended by a NUL, in; for each a line out: score, hits, named, judged,
 * exempt. For test_mynumber_rates.py. With an argument: the seconds it took for all of them, and their bytes, on
 * standard error.
 */
#include <sekisho/mynumber.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
	static struct mynumber m;
	struct mynumber_report r;
	size_t n = 0, room = 1 << 20, all = 0;
	char *text = malloc(room);
	clock_t spent = 0;

	for (int c = getchar(); text != NULL && c != EOF; c = getchar()) {
		if (n == room)
			text = realloc(text, room *= 2);
		if (text == NULL)
			return 1;
		if (c != '\0') {
			text[n++] = (char)c;
			continue;
		}
		clock_t start = clock();
		mynumber_begin(&m, &(struct mynumber_options){.kanji = true});
		mynumber_push(&m, text, n);
		mynumber_end(&m, &r);
		spent += clock() - start;
		printf("%u %u %u %u %u\n", r.score, r.hits, r.named, r.judged, r.exempt);
		all += n;
		n = 0;
	}
	if (argc > 1)
		fprintf(stderr, "%s: %.4f s %zu\n", argv[1], (double)spent / CLOCKS_PER_SEC, all);
	free(text);
	return 0;
}
