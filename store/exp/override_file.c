/*
 * Files of params with other values.  YAML keeps its comments and its order, as DVC's own
 * writer keeps them; JSON its order and how far it is indented; of TOML only the values that
 * change are written, where they stand on one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/yaml_doc.h"
#include "store/exp/override.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/pipeline.h"
#include "store/pipeline/toml.h"
#include "store/pipeline/value.h"

#define INDENT_MAX 16

struct file {
	const struct override_list *l;
	size_t run;
	const char *name;   /* of the file */
	const char *within; /* what is written has to be below it */
	struct arena *a;
	struct buf path, text, out;
	struct yaml_node *top;
	bool dry;   /* nothing is written */
	bool alike; /* a value becomes one that is equal to it, but of another kind */
	struct err *err;
};

/* What no value is. */
#define NO_VALUE "'\xee\x80\x80'"

static bool
is_kind(const char *name, const char *ext)
{
	size_t n = strlen(name), k = strlen(ext);

	return n > k && strcasecmp(name + n - k, ext) == 0;
}

/* ---- reading ---- */

static int
read_tree(struct file *f, const char *text, size_t n, struct yaml_node **out)
{
	struct diag *d = diag_new();
	struct buf why;
	int rc;

	if (d == NULL)
		return err_nomem(f->err);
	buf_init(&why, 0);
	rc = params_parse_dates(f->a, d, f->name, text, n, out);
	if (rc > 0) {
		diag_print(d, &why, false, 0);
		(void)err_set(f->err, ERR_INVALID, "cannot change params: %.*s",
			      (int)strcspn(why.p, "\n"), why.p);
	} else if (rc < 0) {
		(void)err_nomem(f->err);
	} else if ((*out)->kind != YAML_MAP) {
		rc = err_set(f->err, ERR_INVALID,
			     "cannot change params: '%s' does not hold a mapping",
			     f->name);
	}
	buf_release(&why);
	diag_free(d);
	return rc == 0 ? 0 : -1;
}

static int
change_tree(struct file *f, struct yaml_node **top, const char *value_of_all)
{
	for (size_t i = 0; i < f->l->n; i++) {
		const struct override *o = &f->l->v[i];
		const char *value =
		    o->n > 0 ? o->values[override_choose(f->l, f->run, i)] : NULL;
		const struct yaml_node *old, *new;

		if (strcmp(o->file, f->name) != 0)
			continue;
		old = value_find(*top, o->key);
		if (value_of_all != NULL && value != NULL)
			value = value_of_all;
		if (override_apply(f->a, o, value, top, f->err) != 0)
			return -1;
		new = value_find(*top, o->key);
		if (old != NULL && new != NULL &&
		    old->kind != new->kind &&value_equal(old, new))
			f->alike = true;
	}
	return 0;
}

/* ---- YAML ---- */

static int
write_yaml(struct file *f)
{
	struct yaml_doc *doc = NULL;
	struct yaml_node *between = NULL;
	int rc = yaml_doc_parse(f->name, f->text.p, f->text.n, &doc, f->err);

	/* To Python 1 and true are equal, and what is equal is left alone. */
	if (rc == 0 && f->alike) {
		rc = read_tree(f, f->text.p, f->text.n, &between);
		if (rc == 0)
			rc = change_tree(f, &between, NO_VALUE);
		if (rc == 0)
			rc = yaml_doc_apply(doc, yaml_val_settled(doc, between), f->err);
	}
	if (rc == 0)
		rc = yaml_doc_apply(doc, yaml_val_settled(doc, f->top), f->err);
	if (rc == 0)
		rc = yaml_doc_dump(doc, &f->out, f->err);
	yaml_doc_free(doc);
	return rc;
}

/* ---- JSON ---- */

static void
put_json(struct json_writer *w, const struct yaml_node *v)
{
	switch (v->kind) {
	case YAML_NULL:
		json_put_null(w);
		break;
	case YAML_BOOL:
		json_bool(w, v->b);
		break;
	case YAML_INT:
	case YAML_FLOAT:
		/* What Python's JSON, and no other, has as a number. */
		if (v->kind == YAML_FLOAT && !isfinite(v->f)) {
			const char *word = isnan(v->f) ? "NaN"
					   : v->f > 0  ? "Infinity"
						       : "-Infinity";

			json_raw(w, word, strlen(word));
		} else {
			json_raw(w, v->str, v->len);
		}
		break;
	case YAML_STR:
		json_strn(w, v->str, v->len);
		break;
	case YAML_SEQ:
		json_begin_array(w);
		for (size_t i = 0; i < v->seq.n; i++)
			put_json(w, v->seq.v[i]);
		json_end(w);
		break;
	case YAML_MAP:
		json_begin_object(w);
		for (size_t i = 0; i < v->map.n; i++) {
			json_key(w, v->map.v[i].key->str);
			put_json(w, v->map.v[i].val);
		}
		json_end(w);
		break;
	default:
		break;
	}
}

/* On one line, as Python writes it: with a blank behind commas and colons. */
static void
put_line(struct buf *b, const struct yaml_node *v)
{
	struct json_writer w;
	size_t n = v->kind == YAML_MAP ? v->map.n : v->kind == YAML_SEQ ? v->seq.n : 0;
	bool map = v->kind == YAML_MAP;

	json_init(&w, b, 0);
	if (!map && v->kind != YAML_SEQ) {
		put_json(&w, v);
		return;
	}
	buf_addc(b, map ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		buf_adds(b, i > 0 ? ", " : "");
		if (map) {
			json_init(&w, b, 0);
			json_str(&w, v->map.v[i].key->str);
			buf_adds(b, ": ");
		}
		put_line(b, map ? v->map.v[i].val : v->seq.v[i]);
	}
	buf_addc(b, map ? '}' : ']');
}

/* How far the first line below the outermost brace is indented; 0: all is on one line. */
static int
indent_of(const struct buf *text)
{
	const char *line = strchr(text->p, '\n');
	size_t n = line != NULL ? strspn(line + 1, " ") : 0;

	if (line != NULL && n == 0)
		n = 4;
	return n > INDENT_MAX ? INDENT_MAX : (int)n;
}

static int
write_json(struct file *f)
{
	int indent = indent_of(&f->text);
	struct json_writer w;

	json_init(&w, &f->out, indent);
	if (indent > 0)
		put_json(&w, f->top);
	else
		put_line(&f->out, f->top);
	if (f->text.n > 0 && f->text.p[f->text.n - 1] == '\n')
		buf_addc(&f->out, '\n');
	return buf_failed(&f->out) ? err_nomem(f->err) : 0;
}

/* ---- TOML ---- */

static void
put_toml(struct buf *b, const struct yaml_node *v)
{
	if (v->kind == YAML_SEQ) {
		buf_addc(b, '[');
		for (size_t i = 0; i < v->seq.n; i++) {
			buf_adds(b, i > 0 ? ", " : "");
			put_toml(b, v->seq.v[i]);
		}
		buf_addc(b, ']');
	} else if (v->kind == YAML_STR) {
		struct json_writer w;

		json_init(&w, b, 0);
		json_strn(&w, v->str, v->len);
	} else if (v->kind == YAML_FLOAT) {
		/* .inf is inf there. */
		buf_adds(b, v->str + (v->str[0] == '.'));
	} else {
		buf_add(b, v->str, v->len);
	}
}

/* Where the value on the line ends: before blanks and a comment.  NULL if a quote or a bracket is
 * still open there. */
static const char *
value_end(const char *s, const char *end)
{
	const char *last = s;
	int depth = 0;
	char quote = '\0';

	for (; s < end; s++) {
		if (quote != '\0') {
			if (*s == '\\' && quote == '"' && s + 1 < end)
				s++;
			else if (*s == quote)
				quote = '\0';
		} else if (*s == '#') {
			break;
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else {
			depth += (*s == '[' || *s == '{') - (*s == ']' || *s == '}');
		}
		if (*s != ' ' && *s != '\t' && *s != '\r')
			last = s + 1;
	}
	return quote == '\0' && depth == 0 ? last : NULL;
}

/* Append the key without blanks and quotes: "a . 'b'" is "a.b". */
static void
plain_key(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\"'", s[i]) == NULL)
			buf_addc(b, s[i]);
}

/* Replace the value of the key that ${o} names, in ${in}, by ${val}.  Return whether there was
 * one. */
static bool
splice_toml(const struct buf *in, const struct override *o, const struct yaml_node *val,
	    struct buf *out)
{
	const char *p = in->p, *end = in->p + in->n;
	struct buf want, table, key;
	bool done = false;

	buf_init(&want, 0);
	buf_init(&table, 0);
	buf_init(&key, 0);
	for (size_t i = 0; i < o->npath; i++)
		buf_addf(&want, "%s%s", i > 0 ? "." : "", o->path[i]);
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl != NULL ? nl : end, *s = p + strspn(p, " \t");
		const char *equals = memchr(s, '=', (size_t)(stop - s)), *from, *to;

		if (*s == '[' && s < stop) {
			buf_clear(&table);
			plain_key(&table, s + 1, strcspn(s + 1, "]\n"));
			buf_addc(&table, '.');
		} else if (!done && equals != NULL && *s != '#') {
			buf_clear(&key);
			buf_adds(&key, table.p);
			plain_key(&key, s, (size_t)(equals - s));
			from = equals + 1 + strspn(equals + 1, " \t");
			to = from < stop ? value_end(from, stop) : NULL;
			if (strcmp(key.p, want.p) == 0 && to != NULL) {
				buf_add(out, p, (size_t)(from - p));
				put_toml(out, val);
				p = to;
				done = true;
			}
		}
		stop = nl != NULL ? nl + 1 : end;
		buf_add(out, p, (size_t)(stop - p));
		p = stop;
	}
	if (buf_failed(&want) || buf_failed(&table) || buf_failed(&key))
		out->state = BUF_NOMEM;
	buf_release(&want);
	buf_release(&table);
	buf_release(&key);
	return done;
}

/* Whatever lines were found: what is read back must be what was wanted. */
static int
write_toml(struct file *f)
{
	struct yaml_node *again = NULL;
	const char *text;
	struct buf next;

	buf_add(&f->out, f->text.p, f->text.n);
	for (size_t i = 0; i < f->l->n; i++) {
		const struct override *o = &f->l->v[i];
		const struct yaml_node *val = value_find(f->top, o->key);

		if (strcmp(o->file, f->name) != 0 || val == NULL)
			continue;
		if (buf_failed(&f->out))
			return err_nomem(f->err);
		buf_init(&next, 0);
		(void)splice_toml(&f->out, o, val, &next);
		buf_release(&f->out);
		f->out = next;
	}
	if (buf_failed(&f->out))
		return err_nomem(f->err);
	text = arena_strndup(f->a, f->out.p, f->out.n); /* the tree shows it */
	if (text == NULL)
		return err_nomem(f->err);
	if (read_tree(f, text, f->out.n, &again) == 0 && value_equal(again, f->top))
		return 0;
	if (f->err->code == ERR_NOMEM)
		return -1;
	return err_set(f->err, ERR_INVALID,
		       "in '%s' only values that are there already, on a line of "
		       "their own, can be changed: edit the file by hand, or keep "
		       "params in YAML",
		       f->name);
}

/* ---- files ---- */

/* What is outside is not ours to change. */
static int
follow_link(struct file *f)
{
	struct stat st;
	char *real;

	if (lstat(f->path.p, &st) != 0)
		return err_sys(f->err, errno, "cannot look at '%s'", f->name);
	if (!S_ISLNK(st.st_mode))
		return 0;
	real = fsio_realpath(f->path.p, f->err);
	if (real == NULL)
		return -1;
	if (path_is_below(real, f->within)) {
		buf_clear(&f->path);
		buf_adds(&f->path, real);
	}
	free(real);
	return buf_failed(&f->path) ? err_nomem(f->err) : 0;
}

static int
write_file(struct file *f)
{
	struct stat st;
	int rc;

	if (fsio_read(AT_FDCWD, f->path.p, PIPELINE_PARAMS_MAX, &f->text, f->err) != 0)
		return err_wrap(f->err, "cannot change params of '%s'", f->name);
	if (stat(f->path.p, &st) != 0)
		return err_sys(f->err, errno, "cannot look at '%s'", f->name);
	if (read_tree(f, f->text.p, f->text.n, &f->top) != 0 ||
	    change_tree(f, &f->top, NULL) != 0)
		return -1;
	if (is_kind(f->name, ".json"))
		rc = write_json(f);
	else if (is_kind(f->name, ".toml"))
		rc = write_toml(f);
	else
		rc = write_yaml(f);
	if (rc != 0)
		return -1;
	if (f->dry)
		return 0;
	if (f->out.n == f->text.n && memcmp(f->out.p, f->text.p, f->out.n) == 0)
		return 0;
	if (follow_link(f) != 0)
		return -1;
	return fsio_replace_lazily(AT_FDCWD, f->path.p, f->out.p, f->out.n,
				   st.st_mode & 0777, f->err);
}

/* Without ${top} nothing is written. */
static int
do_file(const struct override_list *l, size_t run, const char *dir, const char *top,
	const char *name, struct err *err)
{
	struct file f = {.l = l,
			 .run = run,
			 .name = name,
			 .within = top,
			 .dry = top == NULL,
			 .err = err};
	int rc;

	if ((f.a = arena_new(0)) == NULL)
		return err_nomem(err);
	buf_init(&f.path, 0);
	buf_init(&f.text, 0);
	buf_init(&f.out, 0);
	path_join(&f.path, dir, name);
	rc = buf_failed(&f.path) ? err_nomem(err) : write_file(&f);
	buf_release(&f.path);
	buf_release(&f.text);
	buf_release(&f.out);
	arena_free(f.a);
	return rc;
}

static int
do_files(const struct override_list *l, size_t run, const char *dir, const char *top,
	 struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = strcmp(l->v[k].file, l->v[i].file) != 0;
		if (first && do_file(l, run, dir, top, l->v[i].file, err) != 0)
			return -1;
	}
	return 0;
}

int
override_files(const struct override_list *l, size_t run, const char *dir,
	       const char *top, struct err *err)
{
	return do_files(l, run, dir, top, err);
}

int
override_check(const struct override_list *l, const char *dir, struct err *err)
{
	for (size_t run = 0; run < l->runs; run++) {
		size_t others = 0;

		/* Each value once, not each with each. */
		for (size_t i = 0; i < l->n; i++)
			others += override_choose(l, run, i) != 0;
		if (others <= 1 && do_files(l, run, dir, NULL, err) != 0)
			return -1;
	}
	return 0;
}
