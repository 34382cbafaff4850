/*
 * catalogue_flows.h: flows that towns typically need, to begin an application from.
 */
#ifndef CONSOLE_CATALOGUE_FLOWS_H
#define CONSOLE_CATALOGUE_FLOWS_H

#include <stdbool.h>
#include <stddef.h>

struct catalogue_flow {
	const char *word;	 /* of the rule's name */
	const char *title;	 /* N_() */
	const char *ends;	 /* N_(): who calls whom */
	const char *service;	 /* typical, never official; "" = only the supplier knows */
	const char *application; /* "" = none that can be verified, or not one alone */
	const char *sanitised_by;
	bool windowed;
	const char *note; /* N_(); NULL = nothing to say */
};

extern const struct catalogue_flow catalogue_flows[];
size_t catalogue_flows_count(void);

#endif
