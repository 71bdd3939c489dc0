/* YAML round trips: what is refused by name, limits, and values made in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/yaml_doc.h"

static void
refused(const char *text, const char *why)
{
	struct yaml_doc *doc;
	struct err err = {0};

	assert_int_equal(yaml_doc_parse("f", text, strlen(text), &doc, &err), -1);
	assert_null(doc);
	assert_int_equal(err.code, ERR_INVALID);
	if (strstr(err.msg, why) == NULL)
		fail_msg("%s\nsays '%s', not '%s'", text, err.msg, why);
}

static void
refuses_by_name(void **state)
{
	(void)state;
	refused("a: !!str 1\n", "f:1:4: a tag");
	refused("%YAML 1.2\n---\na: 1\n", "f:1:1: a directive");
	refused("a: &x {}\nb:\n  <<: *x\n", "f:3:3: a merge key (<<)");
	refused("a: =\n", "f:1:4: a plain =");
	refused("a: 2020-01-01 12:00:00\n", "f:1:4: a time of day");
	refused("a: &x 2020-01-01\n", "f:1:4: an anchor of a date");
	refused("a: | # c\n  x\n", "f:1:6: a comment behind | or >");
	refused("a: [1, # c\n  2]\n", "inside of [] or {}");
	refused("a: {b: 1,\n\n  c: 2}\n", "inside of [] or {}");
	refused("a: 1\t# c\n", "a tab, or another character");
	refused("a: \"x\xE2\x80\xA8y\"\n",
		"a NUL, a byte order mark or a line separator");
	refused("a: \xFF\n", "f:1:4: not UTF-8");
	refused("a: 1\n--- \nb: 2\n", "f:2:1: a second document");
	refused("a: *x\n", "f:1:4: an alias");
	refused("a: &x [*x]\n", "an alias of what has no such anchor before it");
	refused("a: 1\na: 2\n", "the key 'a' stands there twice");
	refused("[a]: 1\n", "a key that is not a plain word");
	refused("&x a: 1\n", "a key that is not a plain word");
	refused("a: -0x1F\n", "f:1:4: a number that DVC itself could not write");
	refused("a: 0x_\n", "a number that DVC itself could not write");
	refused("x\n", "a single value");
	refused("a: [\n", "f:");
	refused("a: 'x\n", "f:");
}

static void
limits(void **state)
{
	struct yaml_doc *doc;
	struct err err = {0};
	struct buf b;

	(void)state;
	for (int depth = 64; depth <= 65; depth++) {
		buf_init(&b, 0);
		buf_adds(&b, "a: ");
		for (int i = 0; i < depth - 1; i++)
			buf_addc(&b, '[');
		for (int i = 0; i < depth - 1; i++)
			buf_addc(&b, ']');
		buf_addc(&b, '\n');
		assert_int_equal(yaml_doc_parse("f", b.p, b.n, &doc, &err),
				 depth == 64 ? 0 : -1);
		if (depth == 64) {
			struct buf out;

			buf_init(&out, 0);
			assert_int_equal(yaml_doc_dump(doc, &out, &err), 0);
			buf_release(&out);
		} else {
			assert_non_null(strstr(err.msg, "more than 64 levels"));
		}
		yaml_doc_free(doc);
		buf_release(&b);
	}
	for (size_t over = 0; over <= 1; over++) {
		buf_init(&b, YAML_DOC_MAX + 16);
		buf_adds(&b, "a: 1\n#");
		while (b.n < YAML_DOC_MAX - 1 + over)
			buf_add(&b, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
				YAML_DOC_MAX - 1 + over - b.n < 32
				    ? YAML_DOC_MAX - 1 + over - b.n
				    : 32);
		buf_addc(&b, '\n');
		assert_int_equal(yaml_doc_parse("f", b.p, b.n, &doc, &err),
				 over == 0 ? 0 : -1);
		if (over != 0)
			assert_int_equal(err.code, ERR_LIMIT);
		yaml_doc_free(doc);
		buf_release(&b);
	}
}

/* A file that has no room for the document. */
static void
a_full_file(void **state)
{
	struct yaml_doc *doc = yaml_doc_new();
	struct err err = {0};
	struct buf out;

	(void)state;
	yaml_val_put(doc, yaml_doc_root(doc), "key", yaml_val_str(doc, "value"));
	buf_init(&out, 10);
	assert_int_equal(yaml_doc_dump(doc, &out, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	buf_release(&out);
	yaml_doc_free(doc);
}

static void
makes_values(void **state)
{
	static const char *const drop[] = {"size", NULL};
	struct yaml_doc *doc = yaml_doc_new();
	struct yaml_val *top = yaml_doc_root(doc), *list = yaml_val_seq(doc);
	struct yaml_val *inner = yaml_val_map(doc);
	struct err err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	yaml_val_add(doc, list, yaml_val_int(doc, INT64_MIN));
	yaml_val_add(doc, list, yaml_val_float(doc, 1e-5));
	yaml_val_add(doc, list, yaml_val_float(doc, -(double)INFINITY));
	yaml_val_add(doc, list, yaml_val_null(doc));
	yaml_val_add(doc, list, yaml_val_bool(doc, true));
	yaml_val_put(doc, inner, "size", yaml_val_int(doc, 3));
	yaml_val_put(doc, inner, "b\"\\\x7F\xC3\xA9\xF0\x9F\x98\x80\n",
		     yaml_val_str(doc, "1e3"));
	yaml_val_put(doc, inner, "a", yaml_val_strn(doc, "x\0y", 3));
	yaml_val_put(doc, top, "z", list);
	yaml_val_put(doc, top, "m", inner);
	yaml_val_put(doc, top, "gone", yaml_val_str(doc, "\xFF"));
	yaml_val_json(top, drop, &out);
	assert_string_equal(out.p,
			    "{\"gone\": \"\\ufffd\", \"m\": {\"a\": \"x\\u0000y\", "
			    "\"b\\\"\\\\\\u007f\\u00e9\\ud83d\\ude00\\n\": "
			    "\"1e3\"}, \"z\": [-9223372036854775808, 1e-05, "
			    "-Infinity, null, true]}");
	yaml_val_drop(top, "gone");
	yaml_val_drop(top, "never there");
	yaml_val_put(doc, top, "z", yaml_val_get(inner, "size"));
	buf_clear(&out);
	assert_int_equal(yaml_doc_dump(doc, &out, &err), 0);
	assert_string_equal(out.p, "z: 3\nm:\n  size: 3\n"
				   "  ? \"b\\\"\\\\\\x7F\xC3\xA9\xF0\x9F\x98\x80\\n\"\n"
				   "  : '1e3'\n  a: \"x\\0y\"\n");
	assert_int_equal(yaml_val_count(list), 5);
	assert_string_equal(yaml_val_text(yaml_val_at(list, 1)), "1e-05");
	assert_null(yaml_val_at(list, 5));
	assert_null(yaml_val_get(list, "a"));
	assert_null(yaml_val_text(list));
	buf_release(&out);
	yaml_doc_free(doc);
}

/* DVC's own writer would make another text of it. */
static void
does_not_repeat_faults(void **state)
{
	static const char text[] = "a:\n- >-\n  b \n# c\n";
	struct yaml_doc *doc;
	struct err err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(yaml_doc_parse("f", text, strlen(text), &doc, &err), 0);
	assert_int_equal(yaml_doc_dump(doc, &out, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.msg, "f: what DVC would write here would change 'a'");
	yaml_doc_free(doc);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_by_name),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(a_full_file),
	    cmocka_unit_test(makes_values),
	    cmocka_unit_test(does_not_repeat_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
