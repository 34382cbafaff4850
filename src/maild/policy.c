/*
 * policy.c: the generation in force, as the mail gate reads it: mapped from a sealed memfd, checked by ir_open() once more.
 *
 * A session keeps the policy under which it began a mail: a commit in the middle of one changes nothing for it.
 */
#include "maild.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IR_BYTES_MAX ((off_t)1 << 30)

static const char *map_ir(struct policy *p, int fd)
{
	struct stat st;

	if (!memfd_is_sealed(fd) || fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > IR_BYTES_MAX)
		return "it is not sealed, or has no possible size";
	p->size = (size_t)st.st_size;
	void *map = mmap(NULL, p->size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return "it cannot be mapped";
	p->map = map;
	return ir_open(map, p->size, &p->ir);
}

/* The own domains: those for which mail is taken, and those that may send. */
static int write_domains(const struct policy *p, int fd)
{
	for (unsigned w = 0; w < MAILD_WAYS; w++) {
		const struct ir_mail *way = p->way[w];
		for (uint32_t i = 0; way != NULL && i < way->domains.n; i++)
			if (dprintf(fd, "%s\n", ir_text(&p->ir, p->ir.names[way->domains.first + i].name)) < 0)
				return -errno;
	}
	return memfd_seal(fd);
}

struct policy *policy_new(uint32_t number, int ir_fd, const char **ret_error)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		close(ir_fd);
		*ret_error = "no memory";
		return NULL;
	}
	*p = (struct policy){.number = number, .users = 1, .domains = memfd_sealable("domains")};
	*ret_error = map_ir(p, ir_fd);
	close(ir_fd);
	for (unsigned w = 0; *ret_error == NULL && w < MAILD_WAYS; w++)
		p->way[w] = ir_mail(&p->ir, (enum mail_direction)w);
	if (*ret_error == NULL && (p->domains < 0 || write_domains(p, p->domains) != 0))
		*ret_error = "the list of domains cannot be written";
	if (*ret_error != NULL) {
		policy_free(p);
		return NULL;
	}
	snprintf(p->hostname, sizeof(p->hostname), "%s", ir_text(&p->ir, p->ir.system->hostname));
	snprintf(p->zone, sizeof(p->zone), "%s", ir_text(&p->ir, p->ir.system->timezone));
	return p;
}

struct policy *policy_use(struct policy *p)
{
	if (p != NULL)
		p->users++;
	return p;
}

void policy_free(struct policy *p)
{
	if (p == NULL || --p->users > 0)
		return;
	if (p->map != NULL)
		munmap(p->map, p->size);
	if (p->domains >= 0)
		close(p->domains);
	free(p);
}
