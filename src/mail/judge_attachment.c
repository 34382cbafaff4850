/*
 * judge_attachment.c: what the policy says of a mail's attachments.
 *
 * An attachment is known by words: the end of its name (of both names, where headers disagree), and what its content shows
 * where that is not what such a name promises. `program` and `macro` are words as well: it can run, or something in it.
 * Each word has a row in the policy or falls under the words for all; the strictest of them holds. Where only listed types
 * may leave, a word without a row does not, and neither does a program in an archive.
 */
#include "judge_private.h"

#include <sekisho/attachment.h>
#include <sekisho/sniff.h>

#include <inttypes.h>
#include <string.h>

/* What the rules say of one attachment. */
struct view {
	uint32_t demands;
	bool refused_type, refused_all;
};

static const struct ir_mail_type *row_of(const struct judge_case *c, const char *word)
{
	struct ir_run run = c->m->types;
	uint32_t lo = 0, hi = run.n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct ir_mail_type *t = &c->ir->mail_types[run.first + mid];
		int d = strcmp(word, ir_text(c->ir, t->name));
		if (d == 0)
			return t;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static void add_row(struct view *v, const struct judge_case *c, const struct ir_mail_type *t)
{
	if (t != NULL) {
		v->refused_type = v->refused_type || (t->demands & MAIL_DEMAND_REFUSE) != 0;
		v->demands |= t->demands;
		return;
	}
	v->refused_type = v->refused_type || c->m->listed_only != 0;
	v->refused_all = v->refused_all || (c->m->demands & MAIL_DEMAND_REFUSE) != 0;
	v->demands |= c->m->demands;
}

/* The end of a name in lower case, "" without one. Blanks and dots behind it do not count, as Windows does not count them. */
static void extension(const char *name, char ret[LIMIT_MAIL_TYPE + 2])
{
	size_t n = strlen(name), k = 0;

	while (n > 0 && (name[n - 1] == '.' || name[n - 1] == ' '))
		n--;
	size_t at = n;
	while (at > 0 && name[at - 1] != '.')
		at--;
	/* One that is too long for any row stays so. */
	for (; at > 0 && at < n && k < LIMIT_MAIL_TYPE + 1; at++)
		ret[k++] = name[at] >= 'A' && name[at] <= 'Z' ? (char)(name[at] - 'A' + 'a') : name[at];
	ret[k] = '\0';
}

/* Is the word among those joined by blanks? */
static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = words; *s != '\0';) {
		size_t k = strcspn(s, " ");
		if (k == n && memcmp(s, word, n) == 0)
			return true;
		s += k + strspn(s + k, " ");
	}
	return false;
}

/* The rows for what the content shows: by its own word, else by the ends of names that such content has. */
static void add_content(struct view *v, const struct judge_case *c, enum sniff_kind kind)
{
	const struct sniff_type *type = sniff_type(kind);
	const struct ir_mail_type *t = row_of(c, type->word);
	bool any = t != NULL;

	if (t != NULL)
		add_row(v, c, t);
	for (const char *s = type->extensions; t == NULL && *s != '\0';) {
		char word[LIMIT_MAIL_TYPE + 1];
		size_t n = strcspn(s, " ");
		if (n < sizeof(word)) {
			memcpy(word, s, n);
			word[n] = '\0';
			const struct ir_mail_type *other = row_of(c, word);
			if (other != NULL)
				add_row(v, c, other);
			any = any || other != NULL;
		}
		s += n + strspn(s + n, " ");
	}
	if (!any)
		add_row(v, c, NULL);
}

/* One of its names, and the content where it is not what the name says. */
static void add_name(struct view *v, const struct judge_case *c, const char *name, enum sniff_kind kind)
{
	char word[LIMIT_MAIL_TYPE + 2];
	bool known = kind != SNIFF_DATA && kind != SNIFF_EMPTY;

	extension(name, word);
	if (word[0] != '\0')
		add_row(v, c, row_of(c, word));
	if (known && (word[0] == '\0' || !has_word(sniff_type(kind)->extensions, word)))
		add_content(v, c, kind);
	if (!known && word[0] == '\0')
		add_row(v, c, NULL);
}

static struct view look(const struct judge_case *c, const struct mailreport_part *p)
{
	enum sniff_kind kind = p->kind < SNIFF_KINDS ? (enum sniff_kind)p->kind : SNIFF_DATA;
	const struct ir_mail_type *program = row_of(c, "program"), *macro = row_of(c, "macro");
	struct view v = {0};

	add_name(&v, c, p->name, kind);
	if (p->other[0] != '\0')
		add_name(&v, c, p->other, kind);
	if ((p->flags & ATTACHMENT_MACROS) != 0 && macro != NULL)
		add_row(&v, c, macro);
	if ((p->flags & ATTACHMENT_PROGRAM) != 0 && program != NULL)
		add_row(&v, c, program);
	else if ((p->flags & ATTACHMENT_PROGRAM) != 0 && (sniff_type(kind)->traits & SNIFF_IS_PROGRAM) == 0)
		v.refused_type = v.refused_type || c->m->listed_only != 0;
	return v;
}

void judge_attachments(struct judge_case *c)
{
	uint32_t shown = 0;

	for (uint32_t i = 0; i < c->head->shown; i++) {
		const struct mailreport_part *p = &c->parts[i];
		if ((p->marks & MAILREPORT_ATTACHED) == 0)
			continue;
		struct view v = look(c, p);
		shown++;
		c->partly = c->partly || (p->flags & ATTACHMENT_PARTLY) != 0;
		c->demands |= v.demands & ~(uint32_t)MAIL_DEMAND_REFUSE;
		c->refused_type = c->refused_type == NULL && v.refused_type ? p : c->refused_type;
		c->refused_all = c->refused_all == NULL && v.refused_all ? p : c->refused_all;
		c->largest = c->largest == NULL || p->size > c->largest->size ? p : c->largest;
	}
	c->partly = c->partly || c->head->attachments > shown;
	if (c->head->attachments > shown) {
		c->demands |= c->m->demands & ~(uint32_t)MAIL_DEMAND_REFUSE;
		c->uncounted = c->m->types.n > 0 || c->m->listed_only != 0 || c->m->max_file_size != 0 || c->m->demands != 0;
	}
	c->unseen = c->head->attachments_encrypted > 0 || (c->head->flags & MAIL_FLAG(ENCRYPTED)) != 0;
	c->labelled = (c->head->labels & c->env->labels) != 0;
	if (c->unseen && !c->labelled)
		c->demands |= c->m->encrypted & ~(uint32_t)MAIL_DEMAND_REFUSE;
}

/* A label demands that what is confidential stands in attachments that are encrypted as a whole; nothing else is attached. */
bool judge_label(const struct judge_case *c, struct judgement *ret)
{
	bool all = c->head->attachments > 0 && c->head->attachments_encrypted == c->head->attachments && !c->partly;
	uint32_t i = 0;

	if (!c->labelled || all)
		return false;
	while (i < c->ir->nlabels && (c->head->labels & c->env->labels & (1u << i)) == 0)
		i++;
	return judge_say(ret, MAIL_REASON_LABEL_UNPROTECTED, "%s", i < c->ir->nlabels ? ir_text(c->ir, c->ir->labels[i].text) : "");
}

bool judge_attachments_refused(const struct judge_case *c, struct judgement *ret)
{
	return c->refused_all != NULL && judge_say(ret, MAIL_REASON_ATTACHMENTS_REFUSED, "%s", c->refused_all->name);
}

bool judge_attachment_type(const struct judge_case *c, struct judgement *ret)
{
	return c->refused_type != NULL && judge_say(ret, MAIL_REASON_ATTACHMENT_TYPE, "%s", c->refused_type->name);
}

bool judge_attachment_encrypted(const struct judge_case *c, struct judgement *ret)
{
	if (!c->unseen || c->labelled || (c->m->encrypted & MAIL_DEMAND_REFUSE) == 0)
		return false;
	for (uint32_t i = 0; i < c->head->shown; i++)
		if ((c->parts[i].flags & ATTACHMENT_ENCRYPTED) != 0)
			return judge_say(ret, MAIL_REASON_ATTACHMENT_ENCRYPTED, "%s", c->parts[i].name);
	return judge_say(ret, MAIL_REASON_ATTACHMENT_ENCRYPTED, NULL);
}

bool judge_attachment_size(const struct judge_case *c, struct judgement *ret)
{
	return c->m->max_file_size > 0 && c->largest != NULL && c->largest->size > c->m->max_file_size &&
	       judge_say(ret, MAIL_REASON_ATTACHMENT_SIZE, "%" PRIu64 ", limit %" PRIu64 ": %s", c->largest->size,
		       c->m->max_file_size, c->largest->name);
}

bool judge_attachment_count(const struct judge_case *c, struct judgement *ret)
{
	if (c->m->max_files > 0 && c->head->attachments > c->m->max_files)
		return judge_say(
			ret, MAIL_REASON_ATTACHMENT_COUNT, "found %u, limit %u", c->head->attachments, c->m->max_files);
	return c->uncounted &&
	       judge_say(ret, MAIL_REASON_ATTACHMENT_COUNT, "found %u, limit %u", c->head->attachments, MAILREPORT_PARTS);
}
