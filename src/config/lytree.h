/*
 * lytree.h: our tree as libyang's data tree: for `must` expressions, and to hold our verdict against
 * libyang's.
 */
#ifndef CONFIG_LYTREE_H
#define CONFIG_LYTREE_H

struct lyd_node;
struct node;

/*
 * Builds the libyang nodes of a node with all below it and the parents above it (without their other
 * children). The root gives the whole policy. Each lyd_node's priv is its struct node. The result is the
 * first top-level sibling (NULL for an empty tree), to be freed with lyd_free_all(); *ret_failed: libyang
 * refused a node.
 */
struct lyd_node *lytree_build(const struct node *node, int *ret_failed);

#endif
