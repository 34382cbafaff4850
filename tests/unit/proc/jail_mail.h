/* jail_mail.h: 0 when it worked, else errno. Standard input and output and descriptor 5 are what MAIL_FD_… name. */
#ifndef JAIL_MAIL_H
#define JAIL_MAIL_H

int write_out(void);
int read_in(void);
int write_log(void);
int seal_report(void);
int take_job(void);
int make_descriptor(void);
int renumber(void);
int limit_processor(void);
int set_alarm(void);
int ward_off_alarm(void);
int outlive_parent(void);
int use_little_memory(void);
/* Of sekisho-tls and its children: standard input is the connection, descriptor 4 leads to sekisho-sign. */
int write_network(void);
int end_stream(void);
int ask_signature(void);

#endif
