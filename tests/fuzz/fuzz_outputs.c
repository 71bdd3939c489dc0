/*
 * The `outputs` file: keys are names, values are text, each key once; written again as blocks
 * it is the same; a mistake stands on a line of the file.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/outputs.h"

static void
check_output(const struct outputs *o, size_t i)
{
	const struct output *v = &o->v[i];
	size_t nkey = strlen(v->key);
	uint32_t c;
	int len;

	CHECK(nkey >= 1 && nkey <= OUTPUTS_KEY_MAX);
	CHECK(v->key[0] != '-' && (v->key[0] < '0' || v->key[0] > '9'));
	for (size_t k = 0; k < nkey; k++)
		CHECK(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789_-",
			     v->key[k]) != NULL);
	CHECK(strlen(v->value) == v->len && v->len <= OUTPUTS_VALUE_MAX);
	for (size_t k = 0; k < v->len; k += (size_t)len) {
		len = utf8_decode(v->value + k, v->len - k, &c);
		CHECK(len >= 1);
	}
	/* The first of its name, so the only one. */
	CHECK(outputs_get(o, v->key) == v);
}

static void
check_same(const struct outputs *a, const struct outputs *b)
{
	CHECK(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		CHECK(strcmp(a->v[i].key, b->v[i].key) == 0);
		CHECK(a->v[i].len == b->v[i].len);
		CHECK(memcmp(a->v[i].value, b->v[i].value, a->v[i].len) == 0);
	}
}

/* A line that no value holds. */
static void
find_end(const struct outputs *o, char *end, size_t cap)
{
	size_t i, k = 0;

	do {
		(void)snprintf(end, cap, "END%zu", k++);
		for (i = 0; i < o->n && strstr(o->v[i].value, end) == NULL; i++)
			;
	} while (i < o->n);
}

static void
check_again(const struct outputs *o)
{
	struct outputs back;
	struct err err = {0};
	struct buf b;
	char end[32];

	buf_init(&b, 0);
	find_end(o, end, sizeof(end));
	for (size_t i = 0; i < o->n; i++)
		buf_addf(&b, "%s<<%s\n%s\n%s\n", o->v[i].key, end, o->v[i].value, end);
	CHECK(!buf_failed(&b));
	if (b.n <= OUTPUTS_FILE_MAX) {
		CHECK(outputs_parse(&back, b.p, b.n, &err) == 0);
		check_same(o, &back);
		outputs_release(&back);
	}
	buf_release(&b);
}

static void
check_mistake(const struct err *err, const char *p, size_t n)
{
	size_t lines = 1, line = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	CHECK(sscanf(err->msg, "outputs:%zu: ", &line) == 1);
	CHECK(line >= 1 && line <= lines);
	CHECK(err->code == ERR_INVALID || err->code == ERR_LIMIT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = fuzz_text(data, n);
	struct outputs o, file;
	struct err err = {0};
	int rc = outputs_parse(&o, p, n, &err);

	if (rc == 0) {
		for (size_t i = 0; i < o.n; i++)
			check_output(&o, i);
		check_again(&o);
	} else {
		CHECK(o.n == 0 && o.v == NULL && o.text == NULL);
		check_mistake(&err, p, n);
	}
	if (n % 4 == 0) {
		fuzz_put(ATTEMPT_OUTPUTS, p, n);
		CHECK(outputs_read(fuzz_dir(), &file, &err) == rc);
		check_same(&o, &file);
		outputs_release(&file);
	}
	outputs_release(&o);
	free(p);
	return 0;
}
