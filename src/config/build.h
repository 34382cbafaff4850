/*
 * build.h: tree -> struct model.
 */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

struct arena;
struct model;
struct node;

/*
 * Fills a new model in the arena with all that the tree holds and the schema's defaults for the rest. The
 * tree's values are not copied: they live in the same arena.
 */
struct model *build(struct arena *arena, const struct node *root);

/* The zone that the policy names, or the schema's default. */
const char *build_timezone(const struct node *root);

#endif
