/*
 * shell.h: the interactive shell: what its parts share.
 */
#ifndef CONSOLE_SHELL_H
#define CONSOLE_SHELL_H

#include "args.h"
#include "console.h"
#include "shell_words.h"

struct draft;
struct editor;
struct names;
struct session;
struct terminal;

struct shell {
	struct console console; /* of what runs in the shell's own process */
	enum place place;
	struct terminal *terminal;
	struct editor *editor;
	struct session *session; /* with the gate; NULL when it does not keep one */
	struct draft *draft;	 /* of configuration mode */
	struct names *names;
	bool no_more; /* no pager */
	bool leaving;
	char user[64], host[64];
};

/*
 * The shell, until the user leaves. `login`: it is what the account logs in to, and the environment is not
 * believed. Returns an exit code.
 */
int shell_main(const char *root, const char *language, bool login);

/* Runs one line as if it had been typed. Returns its exit code. */
int shell_line(struct shell *sh, const char *text);

/* Offers names of the policy in force. */
void shell_names(struct shell *sh, enum complete kind, void (*fn)(void *arg, const char *name), void *arg);
void shell_names_free(struct shell *sh);

/* Offers what may follow in a row whose words are those of the policy. */
void shell_schema_offer(
	struct shell *sh, const struct command *row, const char *text, offer_fn *fn, void *arg);

/* Text of ours through the pager. */
void shell_show(struct shell *sh, const char *text);

/* Asks a question; false when it was not answered (Ctrl-C, Ctrl-D, line lost). */
bool shell_ask(struct shell *sh, const char *question, struct buf *ret);
/* Asks for yes or no; everything but a clear yes is no. */
bool shell_confirm(struct shell *sh, const char *question);

/* Configuration mode. begin: false with the message printed. */
bool shell_configure(struct shell *sh);
/* Back to operational mode; asks when there are changes. */
void shell_deconfigure(struct shell *sh);
/* The same without a question: the candidate is kept. */
void shell_deconfigure_now(struct shell *sh);
/* The candidate is kept by the gate, where it keeps them. */
void shell_draft_keep(struct shell *sh);
/* "host a" of `edit host a`, for the prompt; "" at the top. */
const char *shell_level(const struct shell *sh);

int verb_shell_configure(struct console *c, const struct args *a);
int verb_shell_exit(struct console *c, const struct args *a);
int verb_shell_language(struct console *c, const struct args *a);
int verb_shell_length(struct console *c, const struct args *a);
int verb_shell_width(struct console *c, const struct args *a);
int verb_config_set(struct console *c, const struct args *a);
int verb_config_delete(struct console *c, const struct args *a);
int verb_config_rename(struct console *c, const struct args *a);
int verb_config_copy(struct console *c, const struct args *a);
int verb_config_move(struct console *c, const struct args *a);
int verb_config_annotate(struct console *c, const struct args *a);
int verb_config_edit(struct console *c, const struct args *a);
int verb_config_up(struct console *c, const struct args *a);
int verb_config_top(struct console *c, const struct args *a);
int verb_config_show(struct console *c, const struct args *a);
int verb_config_compare(struct console *c, const struct args *a);
int verb_config_load(struct console *c, const struct args *a);
int verb_config_discard(struct console *c, const struct args *a);
int verb_config_check(struct console *c, const struct args *a);
int verb_config_commit(struct console *c, const struct args *a);
int verb_config_confirm(struct console *c, const struct args *a);
int verb_config_rollback(struct console *c, const struct args *a);
int verb_config_update(struct console *c, const struct args *a);
int verb_config_extend(struct console *c, const struct args *a);
int verb_guide_allow(struct console *c, const struct args *a);
int verb_guide_setup(struct console *c, const struct args *a);
int verb_guide_swap(struct console *c, const struct args *a);
int verb_guide_window(struct console *c, const struct args *a);
int verb_guide_renew(struct console *c, const struct args *a);
int verb_shell_draft_from_drop(struct console *c, const struct args *a);

#endif
