/*
 * check.h: what the schema says of a whole object: what must be there, how many, what goes together.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

struct diag_list;
struct node;

/* Checks everything below root; findings name the line of the object or leaf. */
void check(const struct node *root, struct diag_list *diags);

#endif
