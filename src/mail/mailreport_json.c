/*
 * mailreport_json.c: a report on a mail as JSON, for `sekisho clean --report` and the ledger. Words, never codes.
 *
 * Input: a report that mailreport_open() has checked. Never fails.
 */
#include <sekisho/mailreport.h>

#include <stdio.h>
#include <string.h>

#include <sekisho/attachment.h>
#include <sekisho/json.h>

static const char *const forwards[] = {"resent", "x-forwarded", "auto-submitted", "delivered", "outside-from"};
static const char *const marks[] = {"attached", "names-differ", "text-taken", "cut"};

/* null: nothing was hashed. */
static void put_hash(struct json *j, const char *key, const uint8_t hash[32])
{
	static const uint8_t none[32];
	char text[65];

	if (memcmp(hash, none, sizeof(none)) == 0) {
		json_null(j, key);
		return;
	}
	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	json_str(j, key, text);
}

static void put_flags(struct json *j, const char *key, uint64_t flags, const char *(*word)(unsigned bit))
{
	json_array(j, key);
	for (unsigned i = 0; i < 64; i++)
		if (flags >> i & 1)
			json_str(j, NULL, word(i));
	json_array_end(j);
}

static const char *forward_word(unsigned bit)
{
	return bit < sizeof(forwards) / sizeof(forwards[0]) ? forwards[bit] : "unknown";
}

static void put_part_flags(struct json *j, const struct mailreport_part *p)
{
	json_array(j, "flags");
	for (unsigned i = 0; attachment_flag_word(i) != NULL; i++)
		if (p->flags >> i & 1)
			json_str(j, NULL, attachment_flag_word(i));
	for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (p->marks >> i & 1)
			json_str(j, NULL, marks[i]);
	json_array_end(j);
}

static void put_part(struct json *j, const struct mailreport_part *p)
{
	json_object(j, NULL);
	json_str(j, "name", p->name);
	json_str(j, "other", p->other[0] != '\0' ? p->other : NULL);
	json_str(j, "declared", p->declared);
	json_str(j, "sniffed", sniff_type(p->kind)->word);
	json_uint(j, "size", p->size);
	put_hash(j, "sha256", p->sha256);
	json_str(j, "why", mailreport_why_word(p->why));
	put_part_flags(j, p);
	json_uint(j, "entries", p->entries);
	json_uint(j, "depth", p->depth);
	json_object_end(j);
}

static void put_mynumber(struct json *j, const struct mailreport *r)
{
	json_object(j, "mynumber");
	json_uint(j, "hits", r->mynumber_hits);
	json_uint(j, "score", r->mynumber_score);
	json_array(j, "masked");
	for (size_t i = 0; i < MAILREPORT_MASKED && r->mynumber_masked[i][0] != '\0'; i++)
		json_str(j, NULL, r->mynumber_masked[i]);
	json_array_end(j);
	json_object_end(j);
}

static void put_head(struct json *j, const struct mailreport *r)
{
	json_str(j, "verdict", r->reason == 0 ? "pass" : "refused");
	json_str(j, "reason", r->reason == 0 ? NULL : mail_reason_word(r->reason));
	json_str(j, "direction", r->direction == 0 ? "in" : "out");
	json_str(j, "receipt", r->receipt);
	json_str(j, "charset", r->charset);
	json_uint(j, "size", r->size_in);
	json_uint(j, "size_out", r->size_out);
	json_uint(j, "text", r->text_bytes);
	put_hash(j, "sha256", r->sha256_in);
	put_hash(j, "sha256_out", r->sha256_out);
	json_str(j, "message_id", r->message_id);
	json_str(j, "from", r->from);
	json_uint(j, "from_count", r->from_count);
	json_uint(j, "recipients", r->recipients);
	json_uint(j, "recipients_external", r->recipients_external);
	json_uint(j, "labels", r->labels);
	json_uint(j, "received", r->received);
	json_uint(j, "passes", r->passes);
}

void mailreport_json(const struct mailreport_view *view, struct buf *out)
{
	const struct mailreport *r = view->head;
	struct json j = json_init(out);

	json_object(&j, NULL);
	put_head(&j, r);
	put_flags(&j, "forward", r->forward, forward_word);
	put_flags(&j, "flags", r->flags, mail_flag_word);
	put_flags(&j, "structure", r->structure, mime_flag_word);
	json_uint(&j, "hidden", r->hidden);
	json_uint(&j, "deceptive", r->deceptive);
	put_mynumber(&j, r);
	json_uint(&j, "attachments", r->attachments);
	json_uint(&j, "attachments_bytes", r->attachments_bytes);
	json_uint(&j, "parts_total", r->parts_total);
	json_array(&j, "removed");
	for (uint32_t i = 0; i < r->shown; i++)
		put_part(&j, &view->parts[i]);
	json_array_end(&j);
	json_object_end(&j);
}
