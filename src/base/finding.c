/*
 * finding.c: the table of findings (see finding.h).
 */
#include <sekisho/finding.h>

#include <stddef.h>

enum kind { S, E };

static const struct {
	const char *code, *text, *cure;
	uint32_t severity;
	enum kind kind;
} findings[FINDING_END] = {
#define X(NAME, code, severity, kind, text, cure) [FINDING_##NAME] = {code, text, cure, severity, kind},
	FINDINGS(X)
#undef X
};

const char *finding_code(unsigned f)
{
	return f < FINDING_END ? findings[f].code : "unknown";
}

const char *finding_text(unsigned f)
{
	return f < FINDING_END ? findings[f].text : N_("unknown finding");
}

const char *finding_cure(unsigned f)
{
	return f < FINDING_END ? findings[f].cure : N_("report a defect");
}

uint32_t finding_severity(unsigned f)
{
	return f < FINDING_END ? findings[f].severity : 2;
}

int finding_is_event(unsigned f)
{
	return f < FINDING_END && findings[f].kind == E;
}
