/*
 * JSON as Python reads it: what is read, written and read again is the same text; mistakes
 * stand inside the file; depth keeps to its limit.
 */
#include "base/arena.h"
#include "base/yaml.h"
#include "fuzz.h"
#include "store/pipeline/json_value.h"
#include "store/pipeline/value_text.h"

static unsigned
depth_of(const struct yaml_node *v)
{
	unsigned depth = 0, d;

	for (size_t i = 0; v->kind == YAML_SEQ && i < v->seq.n; i++)
		depth = (d = depth_of(v->seq.v[i])) > depth ? d : depth;
	for (size_t i = 0; v->kind == YAML_MAP && i < v->map.n; i++)
		depth = (d = depth_of(v->map.v[i].val)) > depth ? d : depth;
	return v->kind == YAML_SEQ || v->kind == YAML_MAP ? depth + 1 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct arena *a = fuzz_need(arena_new(0));
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *v, *again;
	struct buf once, twice;

	buf_init(&once, 0);
	buf_init(&twice, 0);
	if (json_value_parse(a, d, "f.json", text, n, &v) == 0) {
		CHECK(diag_errors(d) == 0);
		CHECK(depth_of(v) <= JSON_VALUE_DEPTH_MAX);
		value_put_json(v, &once);
		value_put_repr(v, &twice);
		CHECK(!buf_failed(&once) && !buf_failed(&twice));
		buf_clear(&twice);
		CHECK(json_value_parse(a, d, "g.json", once.p, once.n, &again) == 0);
		value_put_json(again, &twice);
		CHECK(strcmp(once.p, twice.p) == 0);
	} else {
		CHECK(diag_errors(d) == 1);
	}
	buf_release(&once);
	buf_release(&twice);
	diag_free(d);
	arena_free(a);
	free(text);
	return 0;
}
