/*
 * Files of params and metrics by themselves: the first byte tells the format (j: JSON, t: TOML,
 * else YAML; a capital letter: what a program has written).  Mistakes stand inside the text; what is
 * read is read the same again from the JSON that is written of it.
 */
#include <ctype.h>
#include <stdbool.h>

#include "base/yaml.h"
#include "fuzz.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value_text.h"

/* In JSON all keys are texts. */
static bool
has_text_keys(const struct yaml_node *v)
{
	for (size_t i = 0; v->kind == YAML_SEQ && i < v->seq.n; i++)
		if (!has_text_keys(v->seq.v[i]))
			return false;
	for (size_t i = 0; v->kind == YAML_MAP && i < v->map.n; i++)
		if (v->map.v[i].key->kind != YAML_STR || !has_text_keys(v->map.v[i].val))
			return false;
	return true;
}

static void
read_json(struct arena *a, const struct yaml_node *v)
{
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *back = NULL;
	struct buf text, same;

	buf_init(&text, 0);
	buf_init(&same, 0);
	value_put_json(v, &text);
	CHECK(!buf_failed(&text));
	if (has_text_keys(v)) {
		CHECK(params_parse(a, d, "x.json", text.p, text.n, &back) == 0);
		value_put_json(back, &same);
		CHECK(strcmp(text.p, same.p) == 0);
	}
	buf_release(&text);
	buf_release(&same);
	diag_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char kind = n > 0 ? (char)data[0] : 'y';
	char *text = fuzz_text(data + (n > 0), n - (n > 0));
	const char *name = tolower((unsigned char)kind) == 'j'	 ? "x.json"
			   : tolower((unsigned char)kind) == 't' ? "x.toml"
								 : "x.yaml";
	struct arena *a = fuzz_need(arena_new((size_t)64 << 20));
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *v = NULL;
	struct buf out;
	int rc;

	n -= n > 0;
	rc = (isupper((unsigned char)kind) ? params_parse_dates
					   : params_parse)(a, d, name, text, n, &v);
	CHECK(rc >= 0);
	CHECK((rc == 0) == (diag_errors(d) == 0));
	fuzz_check_diag(d, text, n);
	if (rc == 0) {
		buf_init(&out, 0);
		value_put_repr(v, &out);
		value_put_plain(v, &out);
		CHECK(!buf_failed(&out));
		buf_release(&out);
		read_json(a, v);
	}
	diag_free(d);
	arena_free(a);
	free(text);
	return 0;
}
