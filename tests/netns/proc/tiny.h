/* tiny.h: what the test asks of tiny_gate, in msg_request.argument. */
#ifndef TINY_H
#define TINY_H

enum tiny_action {
	TINY_NOTHING,
	TINY_HANG,
	TINY_ILL,
	TINY_PEER_BROKEN,
	TINY_COMPILE,
	TINY_PROVE,
	TINY_BAD_LANGUAGE,
	TINY_GARBAGE,
	TINY_FORBIDDEN,
	TINY_EXIT,
	TINY_FLOOD,
	TINY_BUSY,
	TINY_INSPECTOR_BROKEN,
	TINY_LISTEN,
	TINY_DEAF,
	TINY_MAIL_BROKEN,
};

#endif
