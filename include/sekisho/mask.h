/*
 * mask.h: texts that leave the town's closed segments name no host of a mynumber segment.
 *
 * Law: what is sent from the gate by itself (alarm mail, daily reports) never carries an address, a MAC address, a name or a
 * label of a host of a mynumber segment. Each is replaced by what the segment is called and the host's number in the policy:
 * 「マイナンバー利用事務系の端末3」. Whoever has the policy can find it (hosts of that segment, in the order in which
 * the policy names them); who only has the mail cannot. An address of the segment that no host has becomes
 * 「マイナンバー利用事務系のアドレス」.
 */
#ifndef SEKISHO_MASK_H
#define SEKISHO_MASK_H

#include <stdbool.h>
#include <stddef.h>

struct ir;

/*
 * Writes text to ret (size bytes, cut at a character, as MSG_TEXT does) without what names mynumber hosts. Rather too much
 * than too little is replaced: names of hosts as whole words in any case, labels anywhere, and what may be the beginning of
 * one where a long text was cut.
 */
void mask_text(const struct ir *ir, bool english, const char *text, char *ret, size_t size);

#endif
