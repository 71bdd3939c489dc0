/*
 * YAML that is written back: what was read stands in what is written, and a change to what
 * stands there already changes nothing.
 */
#include "base/yaml.h"
#include "fuzz.h"
#include "store/dvc/yaml_doc.h"

/* Aliases make a small text a huge value. */
static bool
has_alias(const char *p, size_t n)
{
	return memchr(p, '*', n) != NULL;
}

static void
put_json(struct yaml_doc *doc, struct buf *out)
{
	buf_clear(out);
	yaml_val_json(yaml_doc_root(doc), NULL, out);
}

/* What is not equal to itself is a change, as a key a new one without its comments. */
static bool
has_nan(const char *p, size_t n)
{
	for (size_t i = 0; i + 3 < n; i++)
		if (strncasecmp(p + i, ".nan", 4) == 0)
			return true;
	return false;
}

/* What is read from the text itself is no change. */
static void
apply_itself(struct yaml_doc *doc, const char *text, size_t n, const struct buf *want)
{
	struct arena *a = fuzz_need(arena_new(0));
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *top;
	struct buf out;
	struct err err;

	buf_init(&out, 0);
	if (yaml_parse(a, d, diag_file(d, "f", text, n), text, n, &top) == 0 &&
	    top->kind == YAML_MAP &&
	    yaml_doc_apply(doc, yaml_val_from(doc, top), &err) == 0) {
		CHECK(yaml_doc_dump(doc, &out, &err) == 0);
		CHECK(out.n == want->n && memcmp(out.p, want->p, out.n) == 0);
	}
	buf_release(&out);
	diag_free(d);
	arena_free(a);
}

static void
read_back(struct yaml_doc *doc, const struct buf *out)
{
	struct yaml_doc *back;
	struct buf a, b;
	struct err err;

	buf_init(&a, 0);
	buf_init(&b, 0);
	CHECK(yaml_doc_parse("f", out->p, out->n, &back, &err) == 0);
	put_json(doc, &a);
	put_json(back, &b);
	CHECK(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
	yaml_doc_free(back);
	buf_release(&a);
	buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct yaml_doc *doc;
	struct err err = {0};
	struct buf out;

	buf_init(&out, 0);
	if (yaml_doc_parse("f", text, n, &doc, &err) == 0) {
		bool written = yaml_doc_dump(doc, &out, &err) == 0;

		CHECK(written || err.code == ERR_INVALID);
		CHECK(out.n != 0 && out.p[out.n - 1] == '\n');
		if (written && !has_alias(text, n)) {
			read_back(doc, &out);
			if (!has_nan(text, n))
				apply_itself(doc, text, n, &out);
		}
		yaml_doc_free(doc);
	} else {
		CHECK(err.code == ERR_INVALID);
		CHECK(strncmp(err.msg, "f:", 2) == 0);
	}
	buf_release(&out);
	free(text);
	return 0;
}
