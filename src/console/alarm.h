/* alarm.h: alarm mail in `sekisho status`. */
#ifndef CONSOLE_ALARM_H
#define CONSOLE_ALARM_H

#include <sekisho/msg.h>

struct arena;
struct json;

/* One line: what was sent last, what waits, why it fails. */
const char *alarm_text(struct arena *a, const struct msg_alarm_status *s);
/* The member "alarm". */
void alarm_json(struct json *j, const struct msg_alarm_status *s);

#endif
