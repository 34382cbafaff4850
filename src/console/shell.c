/*
 * shell.c: the interactive shell: prompt, line, command, and again.
 *
 * Trust: it is the login shell of people whose rights are what the gate gives their uid, and nothing else of
 * this machine: no line starts a program, opens a file by a name with a path, or reaches another shell. The
 * environment is cleared when it begins; what is read of it is TERM (from a list) and the language. Ctrl-C
 * comes back to the prompt from wherever it is; a lost line ends the shell, and a candidate is kept by then.
 */
#include "shell.h"

#include "shell_edit.h"
#include "shell_filter.h"
#include "shell_pager.h"
#include "shell_run.h"
#include "shell_session.h"
#include "shell_terminal.h"
#include "text.h"

#include <sekisho/clock.h>

#include <errno.h>
#include <locale.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_MS 1000 /* a candidate is kept when nothing was typed for so long */

/* -- words to the user ------------------------------------------------------------------------------------
 */

void shell_show(struct shell *sh, const char *text)
{
	struct pager p;

	terminal_mode(sh->terminal, TERMINAL_WORKING);
	pager_begin(&p, sh->terminal, !sh->no_more);
	pager_text(&p, text);
}

bool shell_ask(struct shell *sh, const char *question, struct buf *ret)
{
	buf_clear(ret);
	return editor_ask(sh->editor, question, ret) == EDIT_LINE;
}

bool shell_confirm(struct shell *sh, const char *question)
{
	struct buf answer = {0};
	bool yes = shell_ask(sh, question, &answer);
	const char *text = buf_str(&answer);

	yes = yes && (strcmp(text, "y") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "はい") == 0);
	buf_free(&answer);
	return yes;
}

static void complain(struct shell *sh, const char *text)
{
	struct buf b = {0};

	buf_printf(&b, "%s\n", text);
	shell_show(sh, buf_str(&b));
	buf_free(&b);
}

/* -- one line
 * ------------------------------------------------------------------------------------------------ */

struct work {
	const struct args *a;
};

static int work(struct console *c, void *arg)
{
	const struct work *w = arg;

	return w->a->command->run(c, w->a);
}

static int run_help(struct console *c, void *arg)
{
	const struct work *w = arg;

	help_print(&c->out, w->a);
	return CONSOLE_OK;
}

/* A verb that changes the shell itself: its output is whole before it is shown. */
static int run_inside(struct shell *sh, const struct args *a)
{
	struct console *c = &sh->console;
	int code = a->command->run(c, a);

	if (c->out.len > 0)
		shell_show(sh, buf_str(&c->out));
	buf_clear(&c->out);
	return code;
}

static int run_command(struct shell *sh, struct args *a, struct filters *f, struct buf *error)
{
	bool json = filters_json(f) || (!a->command->rest && args_option(a, "--json") != NULL);
	struct work w = {a};

	if (filters_json(f) && args_option_index(a->command->options, "--json") < 0) {
		buf_adds(error, _("this command has no JSON form"));
		return CONSOLE_USAGE;
	}
	if (a->command->inside && !a->help)
		return run_inside(sh, a);
	bool live = a->command->live || (!a->command->rest && args_option(a, "--follow") != NULL);
	return shell_run(sh, &(struct run){.work = a->help ? run_help : work,
				     .arg = &w,
				     .filters = f,
				     .json = json,
				     .live = live,
				     .talks = a->command->talks});
}

/* What is wrong with a line, and how the command goes. */
static int usage(struct shell *sh, const struct args *a, struct buf *error)
{
	buf_addc(error, '\n');
	if (a != NULL && a->command != NULL)
		help_usage(error, a);
	shell_show(sh, buf_str(error));
	return CONSOLE_USAGE;
}

static int run_words(struct shell *sh, const struct line *l)
{
	struct typed_words w = {0};
	struct buf error = {0};
	struct args a = {0};
	struct filters *f = filters_new(l, &error);
	int code = CONSOLE_USAGE;

	if (f == NULL || !words_expand(sh->place, l, &w, &error)) {
		usage(sh, NULL, &error);
	} else if (!args_parse(w.place, w.argc, w.argv, &a, &error)) {
		usage(sh, &a, &error);
	} else {
		a.raw = buf_str(&w.raw);
		code = run_command(sh, &a, f, &error);
		if (error.len > 0)
			usage(sh, NULL, &error);
	}
	words_free(&w);
	filters_free(f);
	buf_free(&error);
	return code;
}

int shell_line(struct shell *sh, const char *text)
{
	struct buf error = {0};
	struct line l;
	int code = CONSOLE_OK;

	if (!line_read(&l, text, false, &error))
		code = usage(sh, NULL, &error);
	else if (l.nwords > 0)
		code = run_words(sh, &l);
	line_free(&l);
	buf_free(&error);
	return code;
}

/* A line that was typed: run, remembered, reported, its exit code shown. */
static void typed_line(struct shell *sh, const char *text)
{
	struct buf b = {0};
	int code = shell_line(sh, text);

	editor_remember(sh->editor, text);
	if (text[strspn(text, " \t")] != '\0')
		session_report(sh->session, text, code);
	if (code == RUN_INTERRUPTED)
		complain(sh, _("interrupted"));
	else if (code != CONSOLE_OK) {
		buf_printf(&b, _("(exit code %d)"), code);
		complain(sh, buf_str(&b));
	}
	buf_free(&b);
}

/* -- `?` and Tab ------------------------------------------------------------------------------------------
 */

struct listing {
	unsigned columns;
	struct buf text;   /* of `?` */
	struct buf common; /* of Tab: what all candidates begin with */
	unsigned n, words; /* candidates; those that can be inserted */
	bool name;
};

static void add_row(struct listing *l, const char *word, const char *help)
{
	size_t at = text_width(word) < 18 ? 21 : text_width(word) + 3, indent = 21;

	text_spaces(&l->text, 2);
	if (at + 20 > l->columns) {
		text_safe(&l->text, word);
		buf_addc(&l->text, '\n');
		at = indent = 4;
		text_spaces(&l->text, at);
	} else {
		text_pad(&l->text, word, 18);
		buf_addc(&l->text, ' ');
	}
	text_wrap(&l->text, help, at, indent);
	buf_addc(&l->text, '\n');
}

static void list_offer(void *arg, const char *word, enum offer_kind kind, const char *help)
{
	struct listing *l = arg;

	l->n++;
	add_row(l, word, help == NULL ? "" : help);
	if (kind == OFFER_FORM)
		return;
	l->name = kind == OFFER_NAME;
	if (l->words++ == 0) {
		buf_adds(&l->common, word);
		return;
	}
	const char *common = buf_str(&l->common);
	size_t same = 0;
	while (common[same] != '\0' && common[same] == word[same])
		same++;
	while (same > 0 && ((unsigned char)common[same] & 0xc0) == 0x80)
		same--;
	l->common.len = same;
}

static void listing_free(struct listing *l)
{
	buf_free(&l->text);
	buf_free(&l->common);
}

static void show_help(struct shell *sh, const char *text)
{
	struct listing l = {.columns = sh->terminal->columns};

	words_offer(sh, sh->place, text, list_offer, &l);
	shell_show(sh, l.n > 0 ? buf_str(&l.text) : _("nothing is known that could stand here\n"));
	listing_free(&l);
}

/* Tab: what can be written without a doubt goes to `insert` in the place of *ret_drop bytes. False when
 * nothing can. */
static bool complete(void *arg, const char *text, size_t *ret_drop, struct buf *insert)
{
	struct shell *sh = arg;
	struct listing l = {0};
	size_t typed = words_offer(sh, sh->place, text, list_offer, &l);
	const char *common = buf_str(&l.common);
	/* What is typed may be in quotes: the whole word is written anew. */
	bool grows = l.common.len > 0 &&
		     (strncmp(common, text + strlen(text) - typed, typed) != 0 || l.common.len > typed);

	*ret_drop = typed;
	if (l.words == 1 && l.n == 1) {
		words_quoted(insert, common);
		buf_addc(insert, ' ');
	} else if (l.words > 0 && grows) {
		buf_adds(insert, common);
	}
	listing_free(&l);
	return insert->len > 0;
}

/* -- the loop
 * ------------------------------------------------------------------------------------------------ */

/* Configuration mode lasts so long and no longer, unless it is extended. */
static bool time_is_up(const struct shell *sh)
{
	int64_t until = session_configure_until(sh->session);

	return sh->place == PLACE_CONFIGURE && until != 0 && clock_wall().sec >= until;
}

static void make_prompt(struct shell *sh, struct buf *b)
{
	const char *level = shell_level(sh);

	buf_clear(b);
	if (sh->place == PLACE_CONFIGURE && level[0] != '\0') {
		buf_printf(b, "[%s]", level);
		size_t width = text_width(buf_str(b)) + strlen(sh->user) + strlen(sh->host) + 4;
		buf_addc(b, width > sh->terminal->columns / 2 ? '\n' : ' ');
	}
	if (strlen(sh->user) + strlen(sh->host) + 3 < sh->terminal->columns / 2)
		buf_printf(b, "%s@%s", sh->user, sh->host);
	else
		buf_adds(b, "sekisho");
	buf_adds(b, sh->place == PLACE_CONFIGURE ? "# " : "> ");
}

/* One line from the keyboard, `?` and Tab included. False when the shell ends. */
static bool one_line(struct shell *sh, struct buf *prompt, struct buf *text)
{
	make_prompt(sh, prompt);
	buf_clear(text);
	switch (editor_read(sh->editor, buf_str(prompt), text)) {
	case EDIT_LINE:
		typed_line(sh, buf_str(text));
		break;
	case EDIT_HELP:
	case EDIT_COMPLETE:
		show_help(sh, buf_str(text));
		break;
	case EDIT_TOO_LONG:
		buf_printf(text, _("the line is too long (at most %d characters); nothing was done"),
			LINE_BYTES_MAX / 4);
		complain(sh, buf_str(text));
		break;
	case EDIT_EOF:
		if (sh->place == PLACE_CONFIGURE)
			shell_deconfigure(sh);
		else
			sh->leaving = true;
		break;
	case EDIT_IDLE:
		if (sh->leaving)
			complain(sh, _("nothing was done for too long: logged out"));
		break;
	case EDIT_INTERRUPT:
		break;
	case EDIT_END:
		return false;
	}
	return true;
}

static void loop(struct shell *sh)
{
	struct buf prompt = {0}, text = {0};

	while (!sh->leaving && !terminal_ended() && one_line(sh, &prompt, &text))
		if (time_is_up(sh)) {
			complain(sh, _("the time of configuration mode is over; your candidate is kept, `configure` takes it up again"));
			shell_deconfigure_now(sh);
		}
	if (sh->draft != NULL)
		shell_draft_keep(sh);
	buf_free(&prompt);
	buf_free(&text);
}

/* Nothing was typed for so long: the candidate is kept; false when the session or its configuration mode is at its end. */
static bool idle(void *arg, unsigned seconds)
{
	struct shell *sh = arg;
	uint32_t limit = session_idle_seconds(sh->session);

	if (sh->draft != NULL)
		shell_draft_keep(sh);
	sh->leaving = limit != 0 && seconds >= limit;
	return !sh->leaving && !time_is_up(sh);
}

/* -- begin and end
 * -------------------------------------------------------------------------------------------- */

/* Names of the one who is here and of the machine, without any library that reads more than /etc/passwd. */
static void find_names(struct shell *sh)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p = NULL;

	snprintf(sh->user, sizeof(sh->user), "#%u", (unsigned)getuid());
	while (f != NULL && (p = fgetpwent(f)) != NULL && p->pw_uid != getuid())
		;
	if (p != NULL)
		snprintf(sh->user, sizeof(sh->user), "%s", p->pw_name);
	if (f != NULL)
		fclose(f);
	if (gethostname(sh->host, sizeof(sh->host)) != 0)
		snprintf(sh->host, sizeof(sh->host), "sekisho");
	sh->host[sizeof(sh->host) - 1] = '\0';
}

/* Nothing of the environment is handed on or believed; libraries find what we set. */
static void fix_environment(const char *terminal_name)
{
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("TERM", terminal_name, 1);
	setenv("LANG", "C.UTF-8", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* Is a language named by the environment of the login, or given? Else the terminal decides. */
static const char *named_language(const char *given)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	if (given != NULL)
		return given;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *v = getenv(names[i]);
		if (v != NULL && v[0] != '\0')
			return strncmp(v, "ja", 2) == 0 ? "ja" : strncmp(v, "en", 2) == 0 ? "en" : NULL;
	}
	return NULL;
}

static void greet(struct shell *sh, bool asked_terminal)
{
	struct buf b = {0};

	buf_printf(&b, "sekisho %s\n", SEKISHO_VERSION);
	session_greeting(sh->session, &b);
	buf_adds(&b, _("`?` lists what can be typed; `help guide` explains the work step by step.\n"));
	if (asked_terminal)
		buf_adds(&b, i18n_language()[0] == 'j' ? "English: set cli language en\n"
						       : "Japanese: set cli language ja\n");
	shell_show(sh, buf_str(&b));
	buf_free(&b);
}

static int start(struct shell *sh, const char *named)
{
	sh->editor = editor_new(sh->terminal, complete, idle, sh, KEEP_MS);
	if (sh->editor == NULL)
		return console_fail(CONSOLE_ENV, "%s", strerror(ENOMEM));
	find_names(sh);
	sh->session = session_open(&sh->console, sh->host, sizeof(sh->host));
	greet(sh, named == NULL);
	loop(sh);
	session_close(sh->session);
	editor_free(sh->editor);
	shell_names_free(sh);
	return CONSOLE_OK;
}

int shell_main(const char *root, const char *language, bool login)
{
	static struct terminal terminal;
	struct shell sh = {
		.console = {.root = login ? "" : root, .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO},
		.place = PLACE_OPERATE,
		.terminal = &terminal};
	const char *named = named_language(language);

	if (!terminal_open(&terminal))
		return console_fail(CONSOLE_USAGE, "%s", _("this is no terminal"));
	fix_environment(terminal.name);
	bool japanese = terminal_probe(&terminal);
	i18n_init(named != NULL ? named : japanese ? "ja" : "en");
	sh.console.shell = &sh;
	int code = start(&sh, named);
	buf_free(&sh.console.out);
	terminal_close(&terminal);
	return code;
}

/* -- commands of the shell itself ---------------------------------------------------------------------------
 */

int verb_shell_configure(struct console *c, const struct args *a)
{
	(void)a;
	return shell_configure(c->shell) ? CONSOLE_OK : CONSOLE_REFUSED;
}

int verb_shell_exit(struct console *c, const struct args *a)
{
	(void)a;
	if (c->shell->place == PLACE_CONFIGURE)
		shell_deconfigure(c->shell);
	else
		c->shell->leaving = true;
	return CONSOLE_OK;
}

int verb_shell_language(struct console *c, const struct args *a)
{
	(void)c;
	if (strcmp(a->words[0], "ja") != 0 && strcmp(a->words[0], "en") != 0)
		return console_fail(CONSOLE_USAGE, "%s", _("the languages are ja and en"));
	i18n_init(a->words[0]);
	return CONSOLE_OK;
}

/* 0, or least..TERMINAL_SIZE_MAX; -1 when it is neither. */
static int size_argument(const char *text, int least)
{
	char *end;
	long v = strtol(text, &end, 10);

	return *text == '\0' || *end != '\0' || v < 0 || v > TERMINAL_SIZE_MAX || (v != 0 && v < least)
		       ? -1
		       : (int)v;
}

int verb_shell_length(struct console *c, const struct args *a)
{
	int v = size_argument(a->words[0], TERMINAL_ROWS_MIN);

	if (v < 0)
		return console_fail(CONSOLE_USAGE, _("a number from %d to %d, or 0 for no pages"),
			TERMINAL_ROWS_MIN, TERMINAL_SIZE_MAX);
	c->shell->no_more = v == 0;
	c->shell->terminal->fixed_rows = (unsigned)v;
	terminal_resize(c->shell->terminal);
	return CONSOLE_OK;
}

int verb_shell_width(struct console *c, const struct args *a)
{
	int v = size_argument(a->words[0], TERMINAL_COLUMNS_MIN);

	if (v < 0)
		return console_fail(CONSOLE_USAGE, _("a number from %d to %d, or 0 for the terminal's own"),
			TERMINAL_COLUMNS_MIN, TERMINAL_SIZE_MAX);
	c->shell->terminal->fixed_columns = (unsigned)v;
	terminal_resize(c->shell->terminal);
	return CONSOLE_OK;
}
