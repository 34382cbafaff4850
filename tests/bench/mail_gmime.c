/*
 * mail_gmime.c: the peer of mail_clean: GMime parses each mail, decodes every part, brings text to UTF-8 and throws away what
 * is between < and > of HTML. It writes nothing, hashes nothing, lists nothing and verifies nothing.
 * usage: mail_gmime SET ROUNDS, and output, as mail_clean.
 */
#include <gmime/gmime.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "mail_set.h"

static guint64 mails, written;

/* The least that makes text of HTML. */
static size_t strip(const char *p, size_t n)
{
	size_t kept = 0;
	gboolean tag = FALSE;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '<')
			tag = TRUE;
		else if (p[i] == '>')
			tag = FALSE;
		else
			kept += !tag;
	}
	return kept;
}

static void text_part(GMimePart *part, gboolean html)
{
	char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));

	if (text != NULL)
		written += html ? strip(text, strlen(text)) : strlen(text);
	g_free(text);
}

static void other_part(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *null = g_mime_stream_null_new();

	if (content != NULL)
		written += (guint64)g_mime_data_wrapper_write_to_stream(content, null);
	g_object_unref(null);
}

static void each(GMimeObject *parent, GMimeObject *o, gpointer arg)
{
	(void)parent;
	(void)arg;
	if (GMIME_IS_TEXT_PART(o))
		text_part(GMIME_PART(o), g_mime_content_type_is_type(g_mime_object_get_content_type(o), "text", "html"));
	else if (GMIME_IS_PART(o))
		other_part(GMIME_PART(o));
	else if (GMIME_IS_MESSAGE_PART(o) && g_mime_message_part_get_message(GMIME_MESSAGE_PART(o)) != NULL)
		g_mime_message_foreach(g_mime_message_part_get_message(GMIME_MESSAGE_PART(o)), each, NULL);
}

static void one(const guint8 *mail, size_t n)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)mail, n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message != NULL) {
		if (g_mime_message_get_subject(message) != NULL)
			written += strlen(g_mime_message_get_subject(message));
		g_mime_message_foreach(message, each, NULL);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
	mails++;
}

static void begin(void)
{
	mails = written = 0;
}

int main(int argc, char **argv)
{
	struct rusage u;
	size_t size;

	g_mime_init();
	double seconds = mail_set_run(argc, argv, begin, one, &size);
	getrusage(RUSAGE_SELF, &u);
	printf("{\"bytes\":%zu,\"mails\":%llu,\"seconds\":%.6f,\"written\":%llu,\"rss\":%ld}\n", size,
		(unsigned long long)mails, seconds, (unsigned long long)written, u.ru_maxrss);
	return 0;
}
