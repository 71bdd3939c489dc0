/*
 * Tokens with the comments behind them.  libyaml's scanner finds the tokens; what lies
 * between two of them is read here, by the rules of the reader that DVC uses, which decide
 * what is one comment and where it stands.
 */
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"

void *
ydoc_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap != 0 ? *cap * 2 : 4;
	void *p;

	if (n < *cap)
		return v;
	p = arena_array(a, more, size);
	if (p == NULL)
		return NULL;
	if (n != 0)
		memcpy(p, v, n * size);
	*cap = more;
	return p;
}

int
ydoc_add_comment(struct arena *a, struct yaml_comments *list, struct yaml_comment *c)
{
	void *v =
	    ydoc_grow(a, list->v, list->n, &list->cap, sizeof(struct yaml_comment *));

	if (v == NULL)
		return -1;
	list->v = v;
	list->v[list->n++] = c;
	return 0;
}

int
ydoc_refuse(const char *name, uint32_t line, uint32_t col, struct err *err,
	    const char *what)
{
	return err_set(err, ERR_INVALID, "%s:%u:%u: %s", name, line + 1, col + 1, what);
}

static int
refuse(struct ydoc_source *s, const char *what)
{
	return ydoc_refuse(s->name, s->line, s->col, s->err, what);
}

void
ydoc_step(struct ydoc_source *s)
{
	if (s->c[s->i++] == '\n') {
		s->line++;
		s->col = 0;
	} else {
		s->col++;
	}
}

static void
put_char(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
	} else if (c < 0x800) {
		buf_addc(b, (char)(0xC0 | c >> 6));
		buf_addc(b, (char)(0x80 | (c & 0x3F)));
	} else if (c < 0x10000) {
		buf_addc(b, (char)(0xE0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_addc(b, (char)(0x80 | (c & 0x3F)));
	} else {
		buf_addc(b, (char)(0xF0 | c >> 18));
		buf_addc(b, (char)(0x80 | (c >> 12 & 0x3F)));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_addc(b, (char)(0x80 | (c & 0x3F)));
	}
}

char *
ydoc_copy(struct ydoc_source *s, size_t from, size_t to)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, 0);
	for (size_t i = from; i < to; i++)
		put_char(&b, s->c[i]);
	if (!buf_failed(&b))
		text = arena_strndup(s->a, b.p, b.n);
	buf_release(&b);
	return text;
}

static struct yaml_comment *
new_comment(struct ydoc_source *s, const char *text, size_t n, uint32_t line,
	    uint32_t col)
{
	struct yaml_comment *c = arena_zalloc(s->a, sizeof *c);

	if (c == NULL || (c->text = arena_strndup(s->a, text, n)) == NULL)
		return NULL;
	c->len = n;
	c->line = line;
	c->col = (int32_t)col;
	return c;
}

/* "# text" with its newline and the empty lines right behind it. */
static struct yaml_comment *
take_comment(struct ydoc_source *s)
{
	uint32_t line = s->line, col = s->col;
	struct yaml_comment *c = NULL;
	struct buf b;

	buf_init(&b, 0);
	while (s->c[s->i] != '\n' && s->i < s->n) {
		put_char(&b, s->c[s->i]);
		ydoc_step(s);
	}
	if (s->i == s->n)
		buf_addc(&b, '\n');
	while (s->c[s->i] == '\n') {
		buf_addc(&b, '\n');
		ydoc_step(s);
	}
	if (!buf_failed(&b))
		c = new_comment(s, b.p, b.n, line, col);
	buf_release(&b);
	return c;
}

/* A run of empty lines; blanks in them are kept but for those before a comment. */
static struct yaml_comment *
take_empty_lines(struct ydoc_source *s)
{
	uint32_t line = s->line, col = s->col;
	struct yaml_comment *c = NULL;
	struct buf b;

	buf_init(&b, 0);
	while (s->c[s->i] == '\n' || s->c[s->i] == ' ' || s->c[s->i] == '\t') {
		put_char(&b, s->c[s->i]);
		ydoc_step(s);
	}
	if (s->c[s->i] == '#')
		while (b.n != 0 && b.p[b.n - 1] != '\n')
			buf_truncate(&b, b.n - 1);
	while (b.n != 0 && b.p[b.n - 1] == ' ')
		buf_truncate(&b, b.n - 1);
	if (!buf_failed(&b))
		c = new_comment(s, b.p, b.n, line, col);
	buf_release(&b);
	return c;
}

int
ydoc_comment(struct ydoc_source *s, struct yaml_comment **out)
{
	for (;;) {
		while (s->c[s->i] == ' ' || (s->flow != 0 && s->c[s->i] == '\t'))
			ydoc_step(s);
		if (s->c[s->i] == '#') {
			*out = take_comment(s);
			return *out != NULL ? 1 : -1;
		}
		if (s->c[s->i] != '\n')
			return 0;
		ydoc_step(s);
		if (s->c[s->i] == '\n') {
			*out = take_empty_lines(s);
			return *out != NULL ? 1 : -1;
		}
	}
}

/* Behind a plain scalar: the empty lines up to the next token or comment are its own. */
static int
after_plain(struct ydoc_source *s, struct yaml_tok *t)
{
	struct buf b;
	int rc = 0;

	while (s->c[s->i] == ' ')
		ydoc_step(s);
	if (s->c[s->i] != '\n')
		return 0;
	ydoc_step(s);
	buf_init(&b, 0);
	for (;;) {
		bool marker = s->col == 0 && s->n - s->i >= 3 &&
			      (s->c[s->i] == '-' || s->c[s->i] == '.') &&
			      s->c[s->i + 1] == s->c[s->i] &&
			      s->c[s->i + 2] == s->c[s->i] &&
			      (s->c[s->i + 3] == 0 || s->c[s->i + 3] == ' ' ||
			       s->c[s->i + 3] == '\t' || s->c[s->i + 3] == '\n');

		if (marker) {
			buf_clear(&b);
			break;
		}
		if (s->c[s->i] == '\n')
			buf_addc(&b, '\n');
		else if (s->c[s->i] != ' ')
			break;
		ydoc_step(s);
	}
	if (b.n != 0) {
		buf_addc(&b, '\n');
		t->slots = arena_zalloc(s->a, sizeof *t->slots);
		if (t->slots == NULL || buf_failed(&b) ||
		    (t->slots->post = new_comment(s, b.p, b.n, t->line, t->col)) == NULL)
			rc = err_nomem(s->err);
	}
	buf_release(&b);
	return rc;
}

/* Read what lies between the last token and the character at ${end}. */
static int
gap(struct ydoc_source *s, size_t end)
{
	struct yaml_tok *t = &s->toks->t.v[s->last];
	struct yaml_comment *c;
	int rc = 0;

	s->i = t->end;
	s->line = t->end_line;
	s->col = t->end_col;
	if (t->kind == YT_SCALAR && t->plain)
		rc = after_plain(s, t);
	else if (t->kind == YT_SCALAR && t->style != YV_PLAIN)
		rc = ydoc_block(s);
	while (rc == 0 && (rc = ydoc_comment(s, &c)) > 0) {
		while (c->len != 0 && c->text[c->len - 1] == ' ')
			c->len--;
		rc = ydoc_add_comment(s->a, &t->after, c);
	}
	if (rc < 0)
		return s->err->code == ERR_NONE ? err_nomem(s->err) : -1;
	if (s->flow != 0 && (t->after.n != 0 || (t->slots != NULL && t->plain)))
		return refuse(s, "a comment or an empty line inside of [] or {}, which "
				 "cannot be kept as DVC would");
	if (s->i != end)
		return refuse(s, "a tab, or another character that DVC does not take, "
				 "between two tokens");
	return 0;
}

static bool
is_open(enum yaml_tok_kind k)
{
	return k == YT_SEQ_START || k == YT_MAP_START;
}

/* Keep track of what is open, before the gap behind the token is read. */
static int
follow(struct ydoc_source *s, const struct yaml_tok *t)
{
	if (is_open(t->kind) || t->kind == YT_FLOW_SEQ_START ||
	    t->kind == YT_FLOW_MAP_START) {
		if (s->nindents + s->flow == YAML_DOC_DEPTH_MAX)
			return ydoc_refuse(s->name, t->line, t->col, s->err,
					   "more than 64 levels");
		if (is_open(t->kind))
			s->indents[s->nindents++] = (int32_t)t->col;
		else
			s->flow++;
	} else if (t->kind == YT_BLOCK_END && s->nindents != 0) {
		s->nindents--;
	} else if ((t->kind == YT_FLOW_SEQ_END || t->kind == YT_FLOW_MAP_END) &&
		   s->flow != 0) {
		s->flow--;
	}
	return 0;
}

static int
take_text(struct ydoc_source *s, struct yaml_tok *t, const yaml_char_t *p, size_t n)
{
	t->text = arena_strndup(s->a, (const char *)p, n);
	t->len = n;
	return t->text != NULL ? 0 : err_nomem(s->err);
}

static int
take_scalar(struct ydoc_source *s, struct yaml_tok *t, const yaml_token_t *y)
{
	yaml_scalar_style_t style = y->data.scalar.style;

	t->kind = YT_SCALAR;
	t->plain = style == YAML_PLAIN_SCALAR_STYLE;
	if (style == YAML_LITERAL_SCALAR_STYLE)
		t->style = YV_LITERAL;
	else if (style == YAML_FOLDED_SCALAR_STYLE)
		t->style = YV_FOLDED;
	return take_text(s, t, y->data.scalar.value, y->data.scalar.length);
}

/* What a token of libyaml is here; -1 where it is refused. */
static int
take_token(struct ydoc_source *s, struct yaml_tok *t, const yaml_token_t *y)
{
	static const enum yaml_tok_kind kinds[] = {
	    [YAML_STREAM_START_TOKEN] = YT_STREAM_START,
	    [YAML_STREAM_END_TOKEN] = YT_STREAM_END,
	    [YAML_DOCUMENT_START_TOKEN] = YT_DOC_START,
	    [YAML_DOCUMENT_END_TOKEN] = YT_DOC_END,
	    [YAML_BLOCK_SEQUENCE_START_TOKEN] = YT_SEQ_START,
	    [YAML_BLOCK_MAPPING_START_TOKEN] = YT_MAP_START,
	    [YAML_BLOCK_END_TOKEN] = YT_BLOCK_END,
	    [YAML_FLOW_SEQUENCE_START_TOKEN] = YT_FLOW_SEQ_START,
	    [YAML_FLOW_SEQUENCE_END_TOKEN] = YT_FLOW_SEQ_END,
	    [YAML_FLOW_MAPPING_START_TOKEN] = YT_FLOW_MAP_START,
	    [YAML_FLOW_MAPPING_END_TOKEN] = YT_FLOW_MAP_END,
	    [YAML_BLOCK_ENTRY_TOKEN] = YT_BLOCK_ENTRY,
	    [YAML_FLOW_ENTRY_TOKEN] = YT_FLOW_ENTRY,
	    [YAML_KEY_TOKEN] = YT_KEY,
	    [YAML_VALUE_TOKEN] = YT_VALUE,
	    [YAML_ALIAS_TOKEN] = YT_ALIAS,
	    [YAML_ANCHOR_TOKEN] = YT_ANCHOR,
	    [YAML_SCALAR_TOKEN] = YT_SCALAR,
	};

	*t = (struct yaml_tok){.start = y->start_mark.index,
			       .end = y->end_mark.index,
			       .line = (uint32_t)y->start_mark.line,
			       .col = (uint32_t)y->start_mark.column,
			       .end_line = (uint32_t)y->end_mark.line,
			       .end_col = (uint32_t)y->end_mark.column};
	if (y->type == YAML_TAG_TOKEN)
		return ydoc_refuse(s->name, t->line, t->col, s->err,
				   "a tag, which is not kept");
	if (y->type == YAML_VERSION_DIRECTIVE_TOKEN ||
	    y->type == YAML_TAG_DIRECTIVE_TOKEN)
		return ydoc_refuse(s->name, t->line, t->col, s->err,
				   "a directive, which is not kept");
	t->kind = kinds[y->type];
	if (y->type == YAML_SCALAR_TOKEN)
		return take_scalar(s, t, y);
	if (y->type == YAML_ALIAS_TOKEN)
		return take_text(s, t, y->data.alias.value,
				 strlen((const char *)y->data.alias.value));
	if (y->type == YAML_ANCHOR_TOKEN)
		return take_text(s, t, y->data.anchor.value,
				 strlen((const char *)y->data.anchor.value));
	return 0;
}

/* Does it stand between two characters: added where a collection begins or ends? */
static bool
is_virtual(const struct yaml_tok *t)
{
	return t->start == t->end && t->kind != YT_SCALAR;
}

static int
add_token(struct ydoc_source *s, const yaml_token_t *y)
{
	struct yaml_tok t;

	if (take_token(s, &t, y) != 0)
		return -1;
	/*
	 * Comments are read before what ends or begins behind them is found.  A block scalar
	 * ends, for libyaml, where the next token begins.
	 */
	if (s->toks->t.n != 0 && !s->gap_read &&
	    (t.start > s->i || s->toks->t.v[s->last].style != YV_PLAIN)) {
		if (gap(s, t.start) != 0)
			return -1;
		s->gap_read = true;
	}
	if (follow(s, &t) != 0)
		return -1;
	if (vec_push(&s->toks->t, t) != 0)
		return err_nomem(s->err);
	if (!is_virtual(&t) || s->toks->t.n == 1) {
		s->last = s->toks->t.n - 1;
		s->gap_read = false;
		s->i = t.end;
	}
	return 0;
}

/* Scan to the end; the caller deletes the parser. */
static int
scan_all(struct ydoc_source *s, yaml_parser_t *y)
{
	for (;;) {
		yaml_token_t token;
		bool end;
		int rc;

		if (!yaml_parser_scan(y, &token)) {
			if (y->error == YAML_MEMORY_ERROR)
				return err_nomem(s->err);
			return ydoc_refuse(s->name, (uint32_t)y->problem_mark.line,
					   (uint32_t)y->problem_mark.column, s->err,
					   y->problem != NULL ? y->problem : "no YAML");
		}
		end = token.type == YAML_STREAM_END_TOKEN || token.type == YAML_NO_TOKEN;
		rc = token.type != YAML_NO_TOKEN ? add_token(s, &token) : 0;
		yaml_token_delete(&token);
		if (rc != 0 || end)
			return rc;
	}
}

/* Characters, with newlines as Python reads them from a text file. */
static int
decode(struct ydoc_source *s, const char *text, size_t n)
{
	size_t at = 0;

	s->c = arena_array(s->a, n + 4, sizeof *s->c);
	if (s->c == NULL)
		return err_nomem(s->err);
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	for (; at < n; s->n++) {
		uint32_t c;
		int len = utf8_decode(text + at, n - at, &c);

		if (len < 0)
			return refuse(s, "not UTF-8");
		at += (size_t)len;
		if (c == '\r') {
			c = '\n';
			at += at < n && text[at] == '\n';
		}
		if (c == 0 || c == 0xFEFF || c == 0x85 || c == 0x2028 || c == 0x2029)
			return refuse(s,
				      "a NUL, a byte order mark or a line separator of "
				      "Unicode");
		s->c[s->n] = c;
		s->line += c == '\n';
		s->col = c == '\n' ? 0 : s->col + 1;
	}
	s->line = s->col = 0;
	return 0;
}

static int
scan(struct ydoc_source *s)
{
	const char *text = ydoc_copy(s, 0, s->n);
	yaml_parser_t y;
	int rc;

	s->indents = arena_array(s->a, YAML_DOC_DEPTH_MAX + 1, sizeof *s->indents);
	if (text == NULL || s->indents == NULL || !yaml_parser_initialize(&y))
		return err_nomem(s->err);
	yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y, (const unsigned char *)text, strlen(text));
	rc = scan_all(s, &y);
	yaml_parser_delete(&y);
	return rc;
}

int
ydoc_scan(struct arena *a, const char *name, const char *text, size_t n,
	  struct yaml_toks *toks, struct err *err)
{
	struct ydoc_source s = {.a = a, .name = name, .toks = toks, .err = err};

	toks->name = name;
	err_clear(err);
	if (decode(&s, text, n) != 0)
		return -1;
	return scan(&s);
}
