/*
 * limits.h: every bound on input, with the reason for its value.
 */
#ifndef SEKISHO_LIMITS_H
#define SEKISHO_LIMITS_H

/* A town has some hundred flows; a data centre that pooled ten towns had 8 k. */
#define LIMIT_RULES 200000
#define LIMIT_HOSTS 200000
/* The NFLOG groups and log buffers are fixed per segment. */
#define LIMIT_SEGMENTS 8
#define LIMIT_INTERFACES 32
#define LIMIT_ROUTERS 256
#define LIMIT_ROUTES 4096
/* Kernel: IFNAMSIZ with its NUL. */
#define LIMIT_IFNAME 16
/* Names are typed and read by people on an 80-column line. */
#define LIMIT_NAME 63
#define LIMIT_LABEL 255
/* Longer than any form's reason field. */
#define LIMIT_TEXT 1024
/* One set-line; a longer one is refused unread. */
#define LIMIT_LINE 8192
/* One policy file: 200 k rules of 300 bytes. */
#define LIMIT_POLICY_BYTES (128u << 20)
/* Disjoint boxes that a policy may expand to. */
#define LIMIT_BOXES 2000000
/* Different verifications (application and what is demanded of it): the number has 16 bits in a mark, 0 means none. */
#define LIMIT_VERIFIEDS 65535
/* Names of one kind that a rule may list: they are compared on the packet path. */
#define LIMIT_VERIFY_NAMES 1000
/* A domain name (RFC 1035) or an ALPN word (RFC 7301) as text. */
#define LIMIT_VERIFY_NAME 255
/* A range of ports between mynumber and anything: the guard's bound. */
#define LIMIT_GUARD_PORTS 16
/* Addresses of one host that talks to or from mynumber: some interfaces, two families; more is a network in disguise. */
#define LIMIT_GUARD_ADDRESSES 8
/* Elements of one interval set: 6.1 kernels grow quadratically beyond (measured). */
#define LIMIT_SET_INTERVALS 1000
/* Own addresses, servers and next hops of mail in each direction: a town has one or two of each. */
#define LIMIT_MAIL_HOSTS 64
/* Networks of clients times next hops whose connections are taken transparently: half of what one set of the
 * kernel may have. */
#define LIMIT_MAIL_TURNED 500u
/* Domains of one list: a county's mail service for its towns. */
#define LIMIT_MAIL_DOMAINS 256
/* Types of attachments with a rule: more than there are in offices. */
#define LIMIT_MAIL_TYPES 320
#define LIMIT_MAIL_TYPE 16
#define LIMIT_MAIL_ROLES 16
/* Everyone who has a section below himself. */
#define LIMIT_SUPERIORS 4096
#define LIMIT_PARTNERS 1024
/* Deputies of all people, those of the past included. */
#define LIMIT_DEPUTIES 64
/* A session ends, or configuration mode, within a day (minutes). */
#define LIMIT_SESSION_MINUTES 1440
/* Different labels: a bit each in the cleaner's report; with their NUL in UTF-8. */
#define LIMIT_MAIL_LABELS 8
#define LIMIT_MAIL_LABEL 64
/* Who gets the alarm mail. As in sekisho.yang. */
#define LIMIT_ALARM_TO 16
/* A mail address as text (RFC 5321, 4.5.3.1.3). */
#define LIMIT_MAIL_ADDRESS 254

#endif
