/*
 * commands_host.c: words of the top: accounts, the clock, restart: what sekisho-hostd keeps.
 */
#include "commands.h"

static const struct argument name_argument[] = {{N_("NAME"), N_("the account")}, END_ARGUMENTS};
static const struct argument role_arguments[] = {
	{N_("NAME"), N_("the account")},
	{N_("ROLE"), N_("viewer, auditor, operator, administrator or maintenance")},
	END_ARGUMENTS,
};
static const struct option add_options[] = {
	{"--role", N_("ROLE"), N_("viewer, auditor, operator, administrator or maintenance"), .required = true},
	{"--person", N_("NAME"), N_("the person's name, as it shall stand in the records"), .required = true},
	OPTION_JSON,
	END_OPTIONS,
};
static const struct argument time_argument[] = {{N_("TIME"), N_("the time that it is")}, END_ARGUMENTS};

static const struct command account_commands[] = {
	{
		.word = "list",
		.options = json_option,
		.help = N_("list the accounts"),
		.run = verb_account_list,
	},
	{
		.word = "add",
		.args = name_argument,
		.options = add_options,
		.help = N_("make an account; prints its temporary password, once"),
		.about = N_("The password must be changed at the first login. A name is never used again, also after the account was disabled."),
		.run = verb_account_add,
	},
	{
		.word = "role",
		.args = role_arguments,
		.options = json_option,
		.help = N_("change what an account may do"),
		.run = verb_account_role,
	},
	{
		.word = "reset",
		.args = name_argument,
		.options = json_option,
		.help = N_("give a new temporary password; prints it, once"),
		.run = verb_account_act,
	},
	{
		.word = "disable",
		.args = name_argument,
		.options = json_option,
		.help = N_("let nobody in by this account any more; its records stay"),
		.run = verb_account_act,
	},
	{
		.word = "enable",
		.args = name_argument,
		.options = json_option,
		.help = N_("let its person in again"),
		.run = verb_account_act,
	},
	END_COMMANDS,
};

const struct command host_commands[] = {
	{
		.word = "account",
		.sub = account_commands,
		.help = N_("the accounts that may log in on the serial line"),
	},
	{
		.word = "password",
		.options = json_option,
		.help = N_("change your own password"),
		.run = verb_password,
	},
	{
		.word = "set-clock",
		.args = time_argument,
		.options = json_option,
		.help = N_("set the clock of the box"),
		.run = verb_set_clock,
	},
	{
		.word = "restart-box",
		.options = json_option,
		.help = N_("restart the box; nothing passes until it is up again"),
		.run = verb_restart_box,
	},
	{
		.word = "power-off",
		.options = json_option,
		.help = N_("switch the box off"),
		.run = verb_restart_box,
	},
	END_COMMANDS,
};
