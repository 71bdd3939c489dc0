/*
 * JSON: what is read, written by our writer and read again is the same, on one line and
 * indented; its depth keeps to the limit, and a mistake stands inside the text.
 */
#include <jansson.h>

#include "base/json.h"
#include "fuzz.h"

static size_t
put(struct json_writer *w, const json_t *j)
{
	size_t depth = 0, below, i;
	const char *key;
	json_t *v;

	switch (json_typeof(j)) {
	case JSON_OBJECT:
		json_begin_object(w);
		json_object_foreach((json_t *)(uintptr_t)j, key, v)
		{
			json_key(w, key);
			below = put(w, v);
			depth = below > depth ? below : depth;
		}
		json_end(w);
		return depth + 1;
	case JSON_ARRAY:
		json_begin_array(w);
		json_array_foreach(j, i, v)
		{
			below = put(w, v);
			depth = below > depth ? below : depth;
		}
		json_end(w);
		return depth + 1;
	case JSON_STRING:
		json_strn(w, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		json_int(w, json_integer_value(j));
		break;
	case JSON_REAL:
		json_double(w, json_real_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		json_bool(w, json_is_true(j));
		break;
	case JSON_NULL:
		json_put_null(w);
		break;
	}
	return 0;
}

/* Numbers may change between whole and real: 1e3 is written 1000. */
static int
same(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) >= json_number_value(b) &&
		       json_number_value(a) <= json_number_value(b);
	if (json_is_object(a) && json_is_object(b)) {
		json_object_foreach((json_t *)(uintptr_t)a, key, v)
		{
			if (!same(v, json_object_get(b, key)))
				return 0;
		}
		return json_object_size(a) == json_object_size(b);
	}
	if (json_is_array(a) && json_is_array(b)) {
		json_array_foreach(a, i, v)
		{
			if (!same(v, json_array_get(b, i)))
				return 0;
		}
		return json_array_size(a) == json_array_size(b);
	}
	return json_equal(a, b);
}

static void
check_again(const json_t *j, int indent)
{
	struct json_writer w;
	struct buf b;
	json_t *back;

	buf_init(&b, 0);
	json_init(&w, &b, indent);
	CHECK(put(&w, j) <= JSON_DEPTH_MAX);
	CHECK(!buf_failed(&b));
	CHECK(indent != 0 || memchr(b.p, '\n', b.n) == NULL);
	back = json_parse(b.p, b.n, NULL);
	CHECK(back != NULL && same(j, back));
	json_decref(back);
	buf_release(&b);
}

static void
check_mistake(const struct err *err, const char *p, size_t n)
{
	size_t lines = 1, line = 0, column = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	CHECK(sscanf(err->msg, "line %zu column %zu: ", &line, &column) == 2);
	CHECK(line >= 1 && line <= lines);
	CHECK(column >= 1 && column <= n + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = fuzz_text(data, n);
	struct err err = {0};
	json_t *j = json_parse(p, n, &err);

	if (j != NULL) {
		check_again(j, 0);
		check_again(j, 2);
		json_decref(j);
	} else {
		check_mistake(&err, p, n);
	}
	free(p);
	return 0;
}
