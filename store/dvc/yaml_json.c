/* Values as Python's json.dumps(v, sort_keys=True) writes them: hashes are made over it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"

void
yaml_json_text(struct buf *out, const char *p, size_t n)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";

	buf_addc(out, '"');
	for (size_t at = 0; at < n;) {
		uint32_t c;
		int len = utf8_decode(p + at, n - at, &c);
		const char *esc = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;

		at += (size_t)(len > 0 ? len : -len);
		if (esc != NULL) {
			buf_addc(out, '\\');
			buf_addc(out, to[esc - from]);
		} else if (c >= 0x20 && c < 0x7F) {
			buf_addc(out, (char)c);
		} else if (c < 0x10000) {
			buf_addf(out, "\\u%04x", c);
		} else {
			buf_addf(out, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
				 0xDC00 + ((c - 0x10000) & 0x3FF));
		}
	}
	buf_addc(out, '"');
}

/* What a key is in JSON: a text, whatever it was. */
static void
key_text(const struct yaml_val *k, const char **p, size_t *n)
{
	*p = k->kind == YV_NULL ? "null" : k->text;
	*n = k->kind == YV_NULL ? 4 : k->len;
}

static int
by_key(const void *a, const void *b)
{
	const struct yaml_item *const *x = a, *const *y = b;
	const char *p, *q;
	size_t n, m;
	int r;

	key_text((*x)->key, &p, &n);
	key_text((*y)->key, &q, &m);
	r = memcmp(p, q, n < m ? n : m);
	return r != 0 ? r : (n > m) - (n < m);
}

static bool
is_dropped(const struct yaml_val *k, const char *const *drop)
{
	for (; drop != NULL && *drop != NULL; drop++)
		if (k->kind == YV_STR && strcmp(k->text, *drop) == 0)
			return true;
	return false;
}

static void
put_map(const struct yaml_val *v, const char *const *drop, struct buf *out)
{
	const struct yaml_item **items = calloc(v->n + 1, sizeof *items);
	size_t n = 0;

	if (items == NULL) {
		out->state = BUF_NOMEM;
		return;
	}
	for (size_t i = 0; i < v->n; i++)
		if (!is_dropped(v->items[i].key, drop))
			items[n++] = &v->items[i];
	qsort(items, n, sizeof *items, by_key);
	buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		const char *p;
		size_t len;

		key_text(items[i]->key, &p, &len);
		if (i != 0)
			buf_adds(out, ", ");
		yaml_json_text(out, p, len);
		buf_adds(out, ": ");
		yaml_val_json(items[i]->val, drop, out);
	}
	buf_addc(out, '}');
	free(items);
}

static void
put_float(const char *text, struct buf *out)
{
	if (strcmp(text, ".nan") == 0)
		buf_adds(out, "NaN");
	else if (strcmp(text, ".inf") == 0 || strcmp(text, "-.inf") == 0)
		buf_addf(out, "%sInfinity", *text == '-' ? "-" : "");
	else
		buf_adds(out, text);
}

void
yaml_val_json(const struct yaml_val *v, const char *const *drop, struct buf *out)
{
	switch (v->kind) {
	case YV_NULL:
		buf_adds(out, "null");
		break;
	case YV_BOOL:
	case YV_INT:
		buf_adds(out, v->text);
		break;
	case YV_FLOAT:
		put_float(v->text, out);
		break;
	case YV_STR:
	case YV_DATE:
		yaml_json_text(out, v->text, v->len);
		break;
	case YV_MAP:
		put_map(v, drop, out);
		break;
	case YV_SEQ:
		buf_addc(out, '[');
		for (size_t i = 0; i < v->n; i++) {
			if (i != 0)
				buf_adds(out, ", ");
			yaml_val_json(v->items[i].val, drop, out);
		}
		buf_addc(out, ']');
		break;
	}
}
