/*
 * parts_gmime.c: what GMime sees in each mail named: a line with the number of leaf parts, of all entities, the type of the
 * first leaf, its charset, and the SHA-256 of its decoded bytes.
 */
#include <gmime/gmime.h>

#include <stdio.h>

struct seen {
	unsigned leaves, entities;
	char type[80];
	const char *charset;
	char *hash;
};

static char *hash_of(GMimePart *part)
{
	GMimeStream *memory = g_mime_stream_mem_new();
	GMimeDataWrapper *content = g_mime_part_get_content(part);

	if (content != NULL)
		g_mime_data_wrapper_write_to_stream(content, memory);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
	char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes->data, bytes->len);
	g_object_unref(memory);
	return hash;
}

static void look(GMimeObject *parent, GMimeObject *o, gpointer arg)
{
	struct seen *s = arg;
	GMimeContentType *type = g_mime_object_get_content_type(o);

	(void)parent;
	s->entities++;
	if (!GMIME_IS_PART(o) || s->leaves++ > 0)
		return;
	snprintf(s->type, sizeof(s->type), "%s/%s", g_mime_content_type_get_media_type(type),
		g_mime_content_type_get_media_subtype(type));
	s->charset = g_mime_content_type_get_parameter(type, "charset");
	s->hash = hash_of(GMIME_PART(o));
}

int main(int argc, char **argv)
{
	g_mime_init();
	for (int i = 1; i < argc; i++) {
		struct seen s = {0};
		GMimeStream *file = g_mime_stream_file_open(argv[i], "rb", NULL);
		if (file == NULL)
			return 1;
		GMimeParser *parser = g_mime_parser_new_with_stream(file);
		GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
		if (message != NULL)
			g_mime_message_foreach(message, look, &s);
		printf("%u %u %s %s %s\n", s.leaves, s.entities, s.leaves > 0 ? s.type : "-", s.charset != NULL ? s.charset : "-",
			s.hash != NULL ? s.hash : "-");
		g_free(s.hash);
		if (message != NULL)
			g_object_unref(message);
		g_object_unref(parser);
		g_object_unref(file);
	}
	return 0;
}
