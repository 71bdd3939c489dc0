/*
 * YAML: what is parsed has sound places, and a tree printed and parsed again is the same
 * tree.
 */
#include <math.h>

#include "base/utf8.h"
#include "base/yaml.h"
#include "fuzz.h"

static void put_node(struct buf *, const struct yaml_node *);

static void
put_quoted(struct buf *b, const char *p, size_t n)
{
	uint32_t c;
	int len;

	buf_addc(b, '"');
	for (; n > 0; p += len, n -= (size_t)len) {
		len = utf8_decode(p, n, &c);
		CHECK(len >= 1);
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", (char)c);
		else if (c >= ' ' && c < 0x7f)
			buf_addc(b, (char)c);
		else if (c < 0x100)
			buf_addf(b, "\\x%02X", c);
		else
			buf_addf(b, c < 0x10000 ? "\\u%04X" : "\\U%08X", c);
	}
	buf_addc(b, '"');
}

static void
put_float(struct buf *b, double f)
{
	size_t at = b->n;

	if (isnan(f)) {
		buf_adds(b, ".nan");
	} else if (isinf(f)) {
		buf_adds(b, f < 0 ? "-.inf" : ".inf");
	} else {
		buf_addf(b, "%.17g", f);
		if (b->p[at + strcspn(b->p + at, ".e")] == '\0')
			buf_adds(b, ".0");
	}
}

static void
put_map(struct buf *b, const struct yaml_node *n)
{
	buf_addc(b, '{');
	for (size_t i = 0; i < n->map.n; i++) {
		/* An implicit key would have a limit of its own. */
		buf_adds(b, i == 0 ? "? " : ",\n? ");
		put_quoted(b, n->map.v[i].key->str, n->map.v[i].key->len);
		buf_adds(b, " : ");
		put_node(b, n->map.v[i].val);
	}
	buf_addc(b, '}');
}

static void
put_node(struct buf *b, const struct yaml_node *n)
{
	switch (n->kind) {
	case YAML_NULL:
		buf_adds(b, "null");
		break;
	case YAML_BOOL:
		buf_adds(b, n->b ? "true" : "false");
		break;
	case YAML_INT:
		buf_addf(b, "%lld", (long long)n->i);
		break;
	case YAML_FLOAT:
		put_float(b, n->f);
		break;
	case YAML_STR:
		put_quoted(b, n->str, n->len);
		break;
	case YAML_SEQ:
		buf_addc(b, '[');
		for (size_t i = 0; i < n->seq.n; i++) {
			buf_adds(b, i == 0 ? "" : ",\n");
			put_node(b, n->seq.v[i]);
		}
		buf_addc(b, ']');
		break;
	case YAML_MAP:
		put_map(b, n);
		break;
	}
}

static void
check_same(const struct yaml_node *a, const struct yaml_node *b)
{
	CHECK(a->kind == b->kind);
	switch (a->kind) {
	case YAML_NULL:
		break;
	case YAML_BOOL:
		CHECK(a->b == b->b);
		break;
	case YAML_INT:
		CHECK(a->i == b->i);
		break;
	case YAML_FLOAT:
		CHECK(memcmp(&a->f, &b->f, sizeof(a->f)) == 0 ||
		      (isnan(a->f) && isnan(b->f)));
		break;
	case YAML_STR:
		CHECK(a->len == b->len && memcmp(a->str, b->str, a->len) == 0);
		break;
	case YAML_SEQ:
		CHECK(a->seq.n == b->seq.n);
		for (size_t i = 0; i < a->seq.n; i++)
			check_same(a->seq.v[i], b->seq.v[i]);
		break;
	case YAML_MAP:
		CHECK(a->map.n == b->map.n);
		for (size_t i = 0; i < a->map.n; i++) {
			CHECK(strcmp(a->map.v[i].key->str, b->map.v[i].key->str) == 0);
			check_same(a->map.v[i].val, b->map.v[i].val);
		}
		break;
	}
}

/* Where a scalar's bytes stand: not before the scalar, and never backwards. */
static void
check_where(const char *text, const struct yaml_node *n)
{
	uint32_t line, col, last_line = n->line, last_col = n->col;
	size_t step = n->len / 64 + 1;

	for (size_t i = 0; i <= n->len; i += step) {
		yaml_where(text, n, i, &line, &col);
		CHECK(line > last_line || (line == last_line && col >= last_col));
		last_line = line;
		last_col = col;
	}
}

struct walk {
	const char *text; /* with a NUL behind it */
	size_t n;
	size_t nodes, depth;
};

static void
check_node(struct walk *w, const struct yaml_node *n)
{
	CHECK(++w->nodes <= YAML_NODES_MAX);
	CHECK(++w->depth <= YAML_DEPTH_MAX + 1);
	CHECK(n->line >= 1 && n->col >= 1 && n->width >= 1);
	CHECK(n->src <= n->src_end && n->src_end <= w->n);
	if (n->kind == YAML_SEQ) {
		for (size_t i = 0; i < n->seq.n; i++)
			check_node(w, n->seq.v[i]);
	} else if (n->kind == YAML_MAP) {
		for (size_t i = 0; i < n->map.n; i++) {
			const struct yaml_pair *p = &n->map.v[i];

			check_node(w, p->key);
			check_node(w, p->val);
			CHECK(p->key->kind != YAML_SEQ && p->key->kind != YAML_MAP);
			CHECK(yaml_get(n, p->key->str) != NULL);
		}
	} else {
		CHECK(n->str != NULL && strlen(n->str) == n->len);
		check_where(w->text, n);
	}
	w->depth--;
}

/* Parse ${text} and check what is said of it.  NULL if there is no sound tree. */
static struct yaml_node *
parse(struct arena *a, const char *text, size_t n)
{
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *tree = NULL;
	struct walk w = {.text = text, .n = n};
	int rc;

	CHECK(diag_file(d, "x.yaml", text, n) == 0);
	rc = yaml_parse(a, d, 0, text, n, &tree);
	CHECK(rc >= -1 && rc <= 1);
	CHECK((rc == 0) == (diag_errors(d) == 0));
	fuzz_check_diag(d, text, n);
	if (rc >= 0)
		check_node(&w, tree);
	diag_free(d);
	return rc == 0 ? tree : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = fuzz_need(arena_new(0)), *again = fuzz_need(arena_new(0));
	struct yaml_node *tree, *second;
	struct buf text;
	struct buf in;

	buf_init(&in, 0);
	buf_add(&in, data, n);
	buf_init(&text, 0);
	if ((tree = parse(a, in.p, in.n)) != NULL) {
		put_node(&text, tree);
		CHECK(!buf_failed(&text));
		second = parse(again, text.p, text.n);
		CHECK(second != NULL);
		check_same(tree, second);
	}
	buf_release(&text);
	buf_release(&in);
	arena_free(again);
	arena_free(a);
	return 0;
}
