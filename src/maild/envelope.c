/*
 * envelope.c: sender and recipients of a mail on its way, packed: a recipient is some forty bytes, and a thousand clients may
 * name a hundred each.
 *
 * A recipient is three strings with their NUL (address, ORCPT) and a byte before them (NOTIFY).
 */
#include "maild.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void envelope_clear(struct envelope *e)
{
	free(e->list);
	*e = (struct envelope){0};
}

static int reserve(struct envelope *e, size_t n)
{
	if (e->n + n <= e->cap)
		return 0;
	size_t cap = e->cap == 0 ? 256 : e->cap * 2;
	while (cap < e->n + n)
		cap *= 2;
	char *p = realloc(e->list, cap);
	if (p == NULL)
		return -ENOMEM;
	e->list = p;
	e->cap = cap;
	return 0;
}

int envelope_add(struct envelope *e, const struct smtp_rcpt *r)
{
	size_t to = strlen(r->to.text) + 1, orcpt = strlen(r->orcpt) + 1;

	if (e->n + to + orcpt + 1 >= MSG_MAIL_RECIPIENTS)
		return -E2BIG;
	if (reserve(e, 1 + to + orcpt) != 0)
		return -ENOMEM;
	e->list[e->n] = (char)r->notify;
	memcpy(e->list + e->n + 1, r->to.text, to);
	memcpy(e->list + e->n + 1 + to, r->orcpt, orcpt);
	e->n += 1 + to + orcpt;
	e->count++;
	return 0;
}

bool envelope_next(const struct envelope *e, size_t *at, struct smtp_rcpt *ret)
{
	size_t taken;
	char path[SMTP_PATH_MAX + 2];

	if (*at >= e->n)
		return false;
	*ret = (struct smtp_rcpt){.notify = (uint8_t)e->list[*at]};
	const char *to = e->list + *at + 1, *orcpt = to + strlen(to) + 1;
	*at = (size_t)(orcpt + strlen(orcpt) + 1 - e->list);
	/* It was written by the same parser: this only fills the parts anew. */
	path[0] = '<';
	memcpy(path + 1, to, strlen(to));
	path[strlen(to) + 1] = '>';
	smtp_address_parse(path, strlen(to) + 2, &ret->to, &taken);
	memcpy(ret->orcpt, orcpt, strlen(orcpt) + 1);
	return true;
}
