/*
 * The list of a directory's files: the same whole and byte by byte; what is read is JSON to
 * others too, with the same paths and hashes in it; written and read again it is the same; a
 * mistake stands inside the text.
 */
#include <jansson.h>

#include "fuzz.h"
#include "store/objects/object_id.h"
#include "store/objects/tree.h"

struct source {
	const uint8_t *p;
	size_t n, step;
};

static ssize_t
fill(void *arg, const uint8_t **p)
{
	struct source *s = arg;
	size_t n = s->step < s->n ? s->step : s->n;

	*p = s->p;
	s->p += n;
	s->n -= n;
	return (ssize_t)n;
}

static int
put(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

/* An entry as another reader sees it is one of ours. */
static void
check_entry(const struct tree *t, const json_t *e)
{
	const char *path = json_string_value(json_object_get(e, "relpath"));
	const char *md5 = json_string_value(json_object_get(e, "md5"));
	const struct tree_entry *found;
	struct object_id id;

	CHECK(path != NULL && md5 != NULL);
	CHECK(object_id_parse(md5, false, &id) == 0);
	found = tree_find(t, path, strlen(path));
	CHECK(found != NULL && memcmp(found->md5, id.md5, sizeof(id.md5)) == 0);
}

static void
check_json(const struct tree *t, const uint8_t *data, size_t n)
{
	json_error_t e;
	json_t *j = json_loadb((const char *)data, n, JSON_ALLOW_NUL, &e);

	if (j == NULL) {
		/* Numbers that it cannot hold are none of our business. */
		CHECK(strstr(e.text, "too big") != NULL ||
		      strstr(e.text, "overflow") != NULL);
		return;
	}
	CHECK(json_is_array(j) && json_array_size(j) == t->n);
	for (size_t i = 0; i < json_array_size(j); i++)
		check_entry(t, json_array_get(j, i));
	json_decref(j);
}

static void
check_entries(const struct tree *t)
{
	size_t first, n;

	for (size_t i = 0; i < t->n; i++) {
		const struct tree_entry *e = &t->v[i];
		const char *slash = memchr(e->path, '/', e->len);

		CHECK(strlen(e->path) == e->len && e->len > 0 && e->len <= TREE_PATH_MAX);
		CHECK(e->size >= TREE_SIZE_UNKNOWN);
		CHECK(i == 0 || strcmp(e[-1].path, e->path) < 0);
		CHECK(tree_find(t, e->path, e->len) == e);
		tree_below(t, e->path, e->len, &first, &n);
		CHECK(n == 0);
		if (slash == NULL)
			continue;
		tree_below(t, e->path, (size_t)(slash - e->path), &first, &n);
		CHECK(first <= i && i < first + n);
	}
}

static void
check_written(const struct tree *t)
{
	struct tree back = {0};
	struct object_id id, again;
	struct err err = {0};
	struct buf one, two;
	uint64_t bytes;

	buf_init(&one, 0);
	buf_init(&two, 0);
	CHECK(tree_write(t, put, &one) == 0 && !buf_failed(&one));
	for (size_t i = 0; i < one.n; i++)
		CHECK(one.p[i] >= ' ' && one.p[i] <= '~');
	CHECK(tree_id(t, &id, &bytes, &err) == 0 && bytes == one.n && id.dir);
	CHECK(tree_parse("x", one.p, one.n, &back, &err) == 0);
	CHECK(tree_write(&back, put, &two) == 0);
	CHECK(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	CHECK(tree_id(&back, &again, NULL, &err) == 0 && object_id_equal(&id, &again));
	tree_release(&back);
	buf_release(&one);
	buf_release(&two);
}

static void
check_mistake(const struct err *err, const struct tree *t, size_t n)
{
	unsigned long long at;
	const char *byte;

	CHECK(err->code == ERR_INVALID || err->code == ERR_LIMIT);
	CHECK(t->v == NULL && t->n == 0 && t->arena == NULL);
	for (const char *p = err->msg; *p != '\0'; p++)
		CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
	byte = strstr(err->msg, "byte ");
	if (byte != NULL && sscanf(byte, "byte %llu", &at) == 1)
		CHECK(at <= n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct source s = {.p = (const uint8_t *)text, .n = n, .step = 1};
	struct tree t = {0}, slow = {0};
	struct err err = {0}, err2 = {0};
	int rc = tree_parse("x", text, n, &t, &err);

	CHECK(tree_read("x", fill, &s, &slow, &err2) == rc);
	if (rc == 0) {
		CHECK(slow.n == t.n);
		check_json(&t, data, n);
		check_entries(&t);
		check_written(&t);
	} else {
		CHECK(strcmp(err.msg, err2.msg) == 0);
		check_mistake(&err, &t, n);
	}
	tree_release(&t);
	tree_release(&slow);
	free(text);
	return 0;
}
