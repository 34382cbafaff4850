/*
 * words.h: the words that people read for what programs say in codes.
 */
#ifndef CONSOLE_WORDS_H
#define CONSOLE_WORDS_H

#include <sekisho/match.h>
#include <sekisho/reason.h>

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* A sentence for the reason, translated. */
const char *words_reason(unsigned code);
/* Why the inspector refused, translated: a sentence. "TLS", "SSH": an application's name. Never NULL. */
const char *words_why(unsigned why);
const char *words_application(unsigned application);

/* What a person can do about it, translated; NULL when there is nothing. */
const char *words_reason_advice(unsigned code);

/* "administrator", ... translated; role: enum msg_role. */
const char *words_role(uint32_t role);

/* "allowed", "blocked", ... translated. */
const char *words_verdict(enum verdict v);

/* 正常, 注意, 異常; and "ok", "caution", "abnormal" for programs. health: enum msg_health. */
const char *words_health(uint32_t health);
const char *words_health_code(uint32_t health);

/* What to do about a finding of the gate, translated; NULL when its code is not known. */
const char *words_finding_advice(const char *code);
/*
 * Appends a finding's text: its sentence translated (when the gate sent the msgid), what the gate wrote behind it
 * ("…: eth3") as it is, and not the cure that may follow behind " — ": words_finding_advice() says it.
 */
void words_finding_text(struct buf *b, const char *text);

/*
 * Appends what a fault record says: a finding's text as above; else the heading for its code and the recorded text
 * as it is, which is technical and in English.
 */
void words_fault(struct buf *b, const char *code, const char *text);

/* Appends "the port differs, the source differs", translated. */
void words_differs(struct buf *b, uint32_t differs);

struct json;
/* A JSON array of the stable words ("port", "source"). */
void words_differs_json(struct json *j, const char *key, uint32_t differs);

/* "tcp/443", "udp", "icmp/echo-request", "47": as the question words are written. */
void words_service(struct buf *b, uint8_t proto, uint16_t port, bool has_port);
/* The protocol alone: "tcp", "icmpv6", or its number. buf: at least 8 bytes; returns buf or a static word. */
const char *words_protocol(uint8_t proto, char *buf);

/*
 * "tcp/443", "udp", "icmp/echo-request", "icmp/8/0", "47" into a question's proto, dport, has_port. ICMP and
 * ICMPv6 follow `family` (0: as written). False when the text is none of these.
 */
bool words_parse_service(const char *text, uint8_t family, struct question *q);

#endif
