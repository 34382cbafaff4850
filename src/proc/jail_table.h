/* jail_table.h: the form of the jail table; only jail.c and its table know it. */
#ifndef SEKISHO_JAIL_TABLE_H
#define SEKISHO_JAIL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <sekisho/jail.h>

/* What a path of the row allows; the details for Landlock are in jail.c. */
enum jail_path_use {
	JAIL_LOOK,  /* read files below, not list directories */
	JAIL_READ,  /* JAIL_LOOK and list directories */
	JAIL_TUNE,  /* JAIL_READ and write to files that are there (/proc/sys) */
	JAIL_STORE, /* a directory of its own: make, write, rename and remove files and directories below */
};

struct jail_path {
	enum jail_path_use use;
	bool below_root; /* relative to the root given to jail_enter(), else as it stands */
	const char *path;
};

enum jail_action {
	JAIL_ALLOW,
	JAIL_REFUSE, /* fails with EPERM: libraries try it and can live without */
	JAIL_ABSENT, /* fails with ENOSYS: libraries take an older call instead */
};

enum jail_test {
	JAIL_ALWAYS,
	JAIL_EQUAL,  /* argument == value */
	JAIL_MASKED, /* (argument & mask) == value */
};

/*
 * A system call, under conditions on different arguments that must all hold. Several entries for a name: any
 * of them.
 */
struct jail_call {
	const char *name;
	enum jail_action action;
	struct jail_condition {
		enum jail_test test;
		unsigned arg;
		uint64_t value, mask;
	} when[2];
};

struct jail_limit {
	__rlimit_resource_t resource;
	rlim_t value;
};

#define JAIL_LISTS_MAX 8
#define JAIL_PATHS_MAX 10
#define JAIL_LIMITS_MAX 6

struct jail_spec {
	const char *name;
	uid_t uid;
	uint64_t capabilities;			     /* bits 1 << CAP_… */
	uint16_t calls_port;			     /* the one TCP port that it may connect to; 0: none */
	bool zones_root;			     /* chroot to the time zones: there is no other file */
	bool empty_root;			     /* chroot to an empty directory */
	const struct jail_call *calls[JAIL_LISTS_MAX];    /* lists that end with a NULL name */
	struct jail_path paths[JAIL_PATHS_MAX];	     /* ends with a NULL path */
	struct jail_limit limits[JAIL_LIMITS_MAX];	     /* ends with value 0 on resource 0 (RLIMIT_CPU) */
};

#define JAIL_ZONES "/usr/share/zoneinfo"

extern const struct jail_spec jail_table[JAIL_ROWS];

/* jail_verify() asks for personality(JAIL_PROBE): only our filter answers it with JAIL_PROBE_ERRNO. */
#define JAIL_PROBE 0x5e4b15u
#define JAIL_PROBE_ERRNO 3999

#endif
