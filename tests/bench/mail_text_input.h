/* mail_text_input.h: what mail_text measures: mails and bombs that are made, the same every time. */
#include <stddef.h>
#include <stdint.h>

/* About as many bytes of one kind; *ret_n tells how many. To be freed. */
char *input_html(unsigned kind, size_t about, size_t *ret_n);
extern const char *const input_html_kinds[];
extern const unsigned input_html_count;

/* Japanese prose in UTF-8, lines of mail. */
char *input_japanese(size_t about, size_t *ret_n);

/* A head once, then the piece again and again. */
struct bomb {
	const char *name, *head, *piece;
};
extern const struct bomb input_bombs[];
extern const unsigned input_nbombs;
/* The bomb of about as many bytes: '{' in a piece is a number that counts up. To be freed. */
char *input_bomb(const struct bomb *bomb, size_t about, size_t *ret_n);
