/*
 * console.c: runs one command line: language, table, verb, output, exit code.
 *
 * Input: argv and the environment of the user, who is not trusted more than his own uid. Everything that is
 * printed went through text_safe() or the JSON writer. Failures are one line on standard error.
 */
#include "console.h"

#include "shell.h"
#include "text.h"

#include <sekisho/json.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All of n bytes, also to a descriptor that is non-blocking. */
static bool write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};
			poll(&wait, 1, -1);
		} else if (done < 0 && errno != EINTR) {
			return false;
		}
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return true;
}

bool console_flush(struct console *c)
{
	bool ok = write_all(c->out_fd, c->out.data, c->out.len);

	buf_clear(&c->out);
	return ok;
}

void console_error_text(const struct buf *text)
{
	write_all(STDERR_FILENO, text->data, text->len);
}

int console_fail(int code, const char *fmt, ...)
{
	struct buf text = {0}, line = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_adds(&line, "sekisho: ");
	text_safe(&line, buf_str(&text));
	buf_addc(&line, '\n');
	console_error_text(&line);
	buf_free(&text);
	buf_free(&line);
	return code;
}

/* --lang anywhere on the line counts before anything is said. */
static void choose_language(int argc, char **argv)
{
	const char *language = NULL;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--lang=", 7) == 0)
			language = argv[i] + 7;
		else if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc)
			language = argv[i + 1];
	}
	i18n_init(language);
}

static int usage_error(const struct args *a, struct buf *error)
{
	struct buf usage = {0};

	console_fail(CONSOLE_USAGE, "%s", buf_str(error));
	help_usage(&usage, a);
	console_error_text(&usage);
	buf_free(&usage);
	return CONSOLE_USAGE;
}

/* Options of every command: language and place. False with a message when one is wrong. */
static bool take_globals(struct console *c, const struct args *a, struct buf *error)
{
	const char *language = args_option(a, "--lang"), *root = args_option(a, "--root");

	if (language != NULL && strcmp(language, "ja") != 0 && strcmp(language, "en") != 0) {
		buf_adds(error, _("--lang takes ja or en"));
		return false;
	}
	if (root == NULL)
		root = getenv("SEKISHO_ROOT");
	c->root = root == NULL ? "" : root;
	c->json = a->command != NULL && args_option(a, "--json") != NULL;
	return true;
}

/* A standard descriptor that is closed would be taken by the next file opened: give it /dev/null instead. */
static bool fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* `sekisho` with no word of its own on a terminal, or as somebody's login shell. */
static bool wants_shell(int argc, char **argv)
{
	if (argv[0] != NULL && argv[0][0] == '-')
		return true;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--root") == 0 || strcmp(argv[i], "--lang") == 0)
			i++;
		else if (strncmp(argv[i], "--root=", 7) != 0 && strncmp(argv[i], "--lang=", 7) != 0)
			return false;
	}
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* A login shell takes no words: `-c` of others who start it is refused. */
static int start_shell(int argc, char **argv)
{
	const bool login = argv[0] != NULL && argv[0][0] == '-';
	struct buf error = {0};
	struct console c = {0};
	struct args a;

	choose_language(login ? 0 : argc, argv);
	if (login && argc > 1)
		return console_fail(CONSOLE_USAGE, "%s", _("this account has a shell of its own, which takes no words"));
	if (login)
		return shell_main("", NULL, true);
	(void)args_parse(PLACE_OUTSIDE, argc, argv, &a, &error); /* that no command is there is said in vain */
	buf_free(&error);
	error = (struct buf){0};
	if (!take_globals(&c, &a, &error))
		return usage_error(&a, &error);
	return shell_main(c.root, args_option(&a, "--lang"), false);
}

int console_main(int argc, char **argv)
{
	struct console c = {.in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO};
	struct buf error = {0};
	struct args a;
	int code;

	if (!fill_descriptors())
		return CONSOLE_ENV;
	signal(SIGPIPE, SIG_IGN);
	if (wants_shell(argc, argv))
		return start_shell(argc, argv);
	choose_language(argc, argv);
	if (!args_parse(PLACE_OUTSIDE, argc, argv, &a, &error) || !take_globals(&c, &a, &error)) {
		code = usage_error(&a, &error);
	} else if (a.help) {
		help_print(&c.out, &a);
		code = CONSOLE_OK;
	} else {
		code = a.command->run(&c, &a);
	}
	if (!console_flush(&c) && errno != EPIPE)
		code = console_fail(CONSOLE_ENV, _("cannot write the output: %s"), strerror(errno));
	buf_free(&error);
	buf_free(&c.out);
	return code;
}

int verb_version(struct console *c, const struct args *a)
{
	(void)a;
	if (c->json) {
		struct json j = json_init(&c->out);
		json_object(&j, NULL);
		json_str(&j, "name", "sekisho");
		json_str(&j, "version", SEKISHO_VERSION);
		json_object_end(&j);
		buf_addc(&c->out, '\n');
		return CONSOLE_OK;
	}
	buf_printf(&c->out, "sekisho %s\n", SEKISHO_VERSION);
	return CONSOLE_OK;
}
