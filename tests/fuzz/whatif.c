/*
 * whatif.c: fuzzes the reader of records in a file (`sekisho what-if --drops`): any bytes. Beside not crashing it must
 * hold that something is said of them, for people and for programs.
 */
#include "whatif.h"

#include <sekisho/arena.h>
#include <sekisho/buf.h>
#include <sekisho/diag.h>
#include <sekisho/ir.h>
#include <sekisho/json.h>

#include <stdlib.h>
#include <string.h>

static const char base[] = "set segment a kind other interface e0 address 10.1.0.1/24 network 10.1.0.0/24\n"
			   "set segment b kind other interface e1 address 10.2.0.1/24 network 10.2.0.0/24\n"
			   "set host a0 segment a address 10.1.0.5 mac 02:00:00:00:00:05\nset host b0 segment b address 10.2.0.5\n"
			   "set allow r from a0 to b0 service tcp/1-500 purpose x applicant y";

static struct ir compile(const char *behind)
{
	static struct arena *kept[2]; /* for the life of the process */
	static unsigned n;
	struct arena *arena = kept[n++ % 2] = arena_new();
	struct buf text = {0}, block = {0};
	struct diag_list diags;
	struct model *m;
	struct ir ir;

	if (arena == NULL)
		abort();
	diag_init(&diags, arena);
	buf_printf(&text, "%s%s\n", base, behind);
	if (!config_read(arena, (const char *)text.data, text.len, &diags, &m) ||
		!policy_compile(m, (struct wall){1795000000}, &diags, &block) || ir_open(block.data, block.len, &ir) != NULL)
		abort();
	buf_free(&text);
	return ir;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ir old, new;
	static bool ready;
	struct buf text = {0}, object = {0};
	struct json j = json_init(&object);

	if (!ready) {
		old = compile("");
		new = compile(" hours 08:00-09:00");
		ready = true;
	}
	struct whatif *w = whatif_new(&old, &new, (struct wall){1795000000});
	whatif_read(w, (const char *)data, size);
	whatif_text(w, &text);
	json_object(&j, NULL);
	whatif_json(w, &j);
	json_object_end(&j);
	if (text.len == 0 || object.data[object.len - 1] != '}')
		abort();
	whatif_free(w);
	buf_free(&text);
	buf_free(&object);
	return 0;
}
