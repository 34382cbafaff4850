/*
 * smtp_client.c (fuzz): whatever a next hop replies, what is kept of it is printable, what we send is commands and text of ours,
 * and a message counts as sent only by a reply that came after its dot. The first byte chooses options and cuts.
 */
#include <sekisho/smtp_client.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct smtp_client client;
static bool dotted; /* the dot was written */
static unsigned messages;

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void check_reply(const struct smtp_reply *r)
{
	if (r == NULL)
		return;
	need(smtp_code_valid(r->code));
	need(r->enhanced[0] == '\0' || smtp_enhanced_valid(r->enhanced, r->code));
	need(strlen(r->text) < sizeof(r->text));
	for (const char *p = r->text; *p != '\0'; p++)
		need(*p >= ' ' && *p < 0x7f);
}

/* All that is queued is written. */
static void flush(void)
{
	size_t n;
	const char *p = smtp_client_output(&client, &n);

	need(n == 0 || p[n - 1] == '\n');
	for (size_t i = 0; i < n; i++)
		need((p[i] >= ' ' && p[i] < 0x7f) || p[i] == '\r' || p[i] == '\n');
	if (n >= 5 && memcmp(p + n - 5, "\r\n.\r\n", 5) == 0)
		dotted = true;
	smtp_client_sent(&client, 0, n);
}

static void begin_message(void)
{
	struct smtp_mail mail = {.size = 10, .body = SMTP_BODY_7BIT, .ret = SMTP_RET_HDRS};
	struct smtp_rcpt rcpt = {.notify = SMTP_NOTIFY_FAILURE, .orcpt = "rfc822;c@d.jp"};
	struct smtp_origin origin = {.name = "mx.example", .address = "192.0.2.1"};
	size_t taken;

	smtp_address_parse("<c@d.jp>", 8, &rcpt.to, &taken);
	dotted = false;
	if (messages++ < 50 && smtp_client_mail(&client, 0, &mail, &origin) == 0)
		while (smtp_client_rcpt(&client, 0, &rcpt) == 0 && client.nrcpt < 3)
			;
}

static void event(const struct smtp_client_event *e)
{
	check_reply(e->reply);
	if (e->kind == SMTP_CLIENT_STARTTLS) {
		smtp_client_secured(&client, 0);
	} else if (e->kind == SMTP_CLIENT_READY || e->kind == SMTP_CLIENT_RESET) {
		begin_message();
	} else if (e->kind == SMTP_CLIENT_MAIL || e->kind == SMTP_CLIENT_RCPT) {
		struct smtp_rcpt rcpt = {0};
		size_t taken;
		smtp_address_parse("<e@d.jp>", 8, &rcpt.to, &taken);
		if (client.nrcpt == 0)
			smtp_client_rcpt(&client, 0, &rcpt);
		else
			smtp_client_data(&client, 0);
	} else if (e->kind == SMTP_CLIENT_DATA && e->reply->code == 354) {
		need(smtp_client_write(&client, 0, ".x\r\n", 4) == 4);
		need(smtp_client_finish(&client, 0) == 0);
	} else if (e->kind == SMTP_CLIENT_DATA) {
		smtp_client_reset(&client, 0);
	} else if (e->kind == SMTP_CLIENT_SENT) {
		need(dotted);
		begin_message();
	} else if (e->kind == SMTP_CLIENT_GONE) {
		need(smtp_client_over(&client));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 3, 64, SIZE_MAX};

	if (size == 0)
		return 0;
	uint8_t choice = data[0];
	struct smtp_client_options options = {.name = "gate.example", .tls = choice & 4, .need_tls = choice & 8, .forward = choice & 16};
	smtp_client_begin(&client, &options, 0);
	messages = 0;
	dotted = false;
	for (size_t i = 1; i < size;) {
		struct smtp_client_event e;
		size_t some = size - i < steps[choice & 3] ? size - i : steps[choice & 3];
		size_t took = smtp_client_push(&client, 0, data + i, some, &e);
		need(took <= some && took > 0 && client.count <= SMTP_CLIENT_QUEUE && client.nout <= SMTP_CLIENT_OUT);
		bool over = e.kind == SMTP_CLIENT_GONE;
		event(&e);
		flush();
		if (over)
			break;
		i += took;
	}
	return 0;
}
