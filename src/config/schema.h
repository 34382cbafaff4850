/*
 * schema.h: the words of the policy: sekisho.yang as libyang compiled it, in the shape in which people write
 * it.
 *
 * A place is a schema node with a word: a container, list, leaf or leaf-list. Transparent containers have
 * none and are left out; a list's key is not among its children but beside them.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;
struct ly_ctx;
struct lys_module;
struct lysc_node;
struct lysc_type;

/* Kinds of objects that one word may name. */
#define PLACE_NAMES 3

enum place_kind {
	PLACE_ROOT,
	PLACE_CONTAINER,
	PLACE_LIST,
	PLACE_LEAF,
	PLACE_LEAFLIST,
};

struct place {
	enum place_kind kind;
	unsigned id;		      /* 0 .. schema_places() - 1 */
	const char *word;	      /* "" for the root */
	size_t len;		      /* of word */
	const struct lysc_node *node; /* NULL for the root */
	const struct lysc_type *type; /* of a leaf or leaf-list */
	const struct place *parent;   /* the place within which the word stands; NULL for the root */
	struct place **children;      /* in the order of the schema */
	size_t nchildren;
	struct place *key;	  /* of a list */
	const struct place *bare; /* the child whose value may follow without its word, or NULL */
	bool flag;		  /* a boolean: the word alone means true */
	bool has_must;
	uint32_t required;     /* bits of the children that must be given */
	uint32_t required_bit; /* own bit in the parent's `required`; 0 = optional */
	uint32_t max;	       /* instances within one parent */
	const char *text, *ja; /* what it means, English and Japanese; NULL where there is none */
	const char *remark; /* printed as a comment behind a line that holds the leaf, or NULL */
	const char *example, *fallback; /* fallback: the default value */
	const char *units, *ja_units;
	const struct place *names[PLACE_NAMES]; /* lists of the top whose entries the value may name; NULL behind the last */
	const struct field *field;		/* where it goes in the model; containers need none */
};

/*
 * Loads the schema on first use; the result stays for the life of the process, so that a jailed process can
 * have it from before its jail. NULL when libyang refuses, with the reason in *ret_why.
 */
const struct place *schema_open(const char **ret_why);

struct ly_ctx *schema_ctx(void);
const struct lys_module *schema_module(void);
unsigned schema_places(void);

/* The child of `place` with this word, or NULL. */
const struct place *place_child(const struct place *place, const char *word, size_t len);

/* The argument of a sekisho: extension on a schema node's or enum's extensions; NULL when it is not there. */
struct lysc_ext_instance;
const char *schema_ext(const struct lysc_ext_instance *exts, const char *name);

#endif
