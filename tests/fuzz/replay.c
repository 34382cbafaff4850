/*
 * replay.c: runs a fuzz target without a fuzzing engine: each file of the given directories (or single
 * files), then mutations of each: cut, grown, bits flipped, bytes and words overwritten, two files joined.
 * The mutations come from a fixed seed, so a failure repeats; SEKISHO_FUZZ_RUNS=N tries N mutations a file
 * (default 300), all within SEKISHO_FUZZ_SECONDS (default 5).
 *
 * A crash names its input: the last line printed, and the bytes in ./crash-NAME when it was a mutation.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)1 << 20)
#define FILES_MAX 4096

static struct input {
	char *path;
	uint8_t *data;
	size_t size;
} inputs[FILES_MAX];
static size_t ninputs;

/* What runs now, for the crash handler. */
static const uint8_t *current;
static size_t current_size;
static const char *current_path;

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "%s: %s\n", what, path);
	exit(1);
}

static void add_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);

	if (f == NULL || data == NULL || ninputs == FILES_MAX)
		fail("cannot read", path);
	size_t n = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	inputs[ninputs++] = (struct input){strdup(path), data, n};
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct input *)a)->path, ((const struct input *)b)->path);
}

static void add(const char *path)
{
	struct stat st;
	char name[4096];

	if (stat(path, &st) < 0)
		fail("not there", path);
	if (!S_ISDIR(st.st_mode)) {
		add_file(path);
		return;
	}
	DIR *d = opendir(path);
	if (d == NULL)
		fail("cannot open", path);
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			add_file(name);
	}
	closedir(d);
}

/* Signal-safe: the input's name, and its bytes in a file. */
static void on_crash(int signo)
{
	static const char text[] = "\ncrashed on (a mutation of) ";
	int fd = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (write(2, text, sizeof(text) - 1) < 0 || write(2, current_path, strlen(current_path)) < 0 ||
		write(2, "; bytes in ./crash-input\n", 25) < 0 || write(fd, current, current_size) < 0)
		signo = SIGABRT;
	signal(signo, SIG_DFL);
	raise(signo);
}

/* A copy of exactly this size, so that a sanitizer sees a read behind its end. */
static void run(const char *path, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy == NULL)
		fail("no memory for", path);
	memcpy(copy, data, size);
	current = copy;
	current_size = size;
	current_path = path;
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* xorshift64*: small, and the same everywhere. */
static uint64_t draw(void)
{
	static uint64_t x = 0x5e4b15c0de;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 0x2545f4914f6cdd1du;
}

static size_t mutate_once(uint8_t *p, size_t n)
{
	static const uint32_t words[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fffffff, 0x80000000u, 0xffffffffu, 0x10000};
	uint32_t word = words[draw() % (sizeof(words) / sizeof(words[0]))];
	size_t at = n ? draw() % n : 0, len = n - at < 4 ? n - at : 4;

	switch (draw() % 6) {
	case 0:
		return at; /* cut */
	case 1:
		if (n > 0)
			p[at] ^= (uint8_t)(1u << draw() % 8);
		return n;
	case 2:
		if (n > 0)
			p[at] = (uint8_t)draw();
		return n;
	case 3:
		memcpy(p + at, &word, len);
		return n;
	case 4:
		if (n < INPUT_MAX) {
			memmove(p + at + 1, p + at, n - at);
			p[at] = (uint8_t)draw();
		}
		return n < INPUT_MAX ? n + 1 : n;
	default: { /* the beginning of another file over the end of this one */
		const struct input *o = &inputs[draw() % ninputs];
		size_t most = o->size < INPUT_MAX - at ? o->size : INPUT_MAX - at;
		memcpy(p + at, o->data, most);
		return at + most;
	}
	}
}

static long number(const char *name, long otherwise)
{
	const char *v = getenv(name);

	return v != NULL ? strtol(v, NULL, 10) : otherwise;
}

static unsigned long mutate_all(void)
{
	long runs = number("SEKISHO_FUZZ_RUNS", 300);
	time_t end = time(NULL) + number("SEKISHO_FUZZ_SECONDS", 5);
	uint8_t *p = malloc(INPUT_MAX);
	unsigned long done = 0;

	if (p == NULL)
		fail("no memory", "");
	/* Round by round, so that every file has its turn when time is short. */
	for (long i = 0; i < runs && time(NULL) < end; i++) {
		for (size_t f = 0; f < ninputs && time(NULL) < end; f++, done++) {
			size_t n = inputs[f].size;
			memcpy(p, inputs[f].data, n);
			for (uint64_t k = 1 + draw() % 4; k > 0; k--)
				n = mutate_once(p, n);
			run(inputs[f].path, p, n);
		}
	}
	free(p);
	return done;
}

int main(int argc, char **argv)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

	for (int i = 1; i < argc; i++)
		add(argv[i]);
	if (ninputs == 0)
		fail("no corpus", argc > 1 ? argv[1] : "(no argument)");
	qsort(inputs, ninputs, sizeof(inputs[0]), by_path);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], on_crash);
	run("(empty)", (const uint8_t *)"", 0);
	for (size_t i = 0; i < ninputs; i++)
		run(inputs[i].path, inputs[i].data, inputs[i].size);
	unsigned long mutations = mutate_all();
	printf("%zu inputs, %lu mutations\n", ninputs, mutations);
	for (size_t i = 0; i < ninputs; i++) {
		free(inputs[i].path);
		free(inputs[i].data);
	}
	return 0;
}
