/*
 * verified.h: what each application lets a rule demand: facts, not laws.
 */
#ifndef POLICY_VERIFIED_H
#define POLICY_VERIFIED_H

#include <sekisho/inspect.h>

/* Lists that a rule may give; bits. */
#define DEMAND_SERVER_NAMES 0x1u
#define DEMAND_ALPNS 0x2u
#define DEMAND_DOMAIN_NAMES 0x4u /* and question-rate */

/* Does the application travel over this IP protocol, with a verifier for it? */
bool application_over(unsigned application, uint8_t proto);
/* The options (VERIFY_*) and the lists (DEMAND_*) that it has; 0 for what is no application. */
uint32_t application_options(unsigned application);
unsigned application_demands(unsigned application);
/* A screen protocol that is verified as such. */
bool application_is_screen(unsigned application);

/* The bit of an option's word; 0 when there is none. */
uint32_t verify_option_find(const char *word);
/* The word of one bit; NULL when there is none. */
const char *verify_option_word(uint32_t bit);

#endif
