#include "store/report/delimited.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/pipeline/value.h"

struct reader {
	struct arena *a;
	const char *text;
	size_t len, at;
	uint32_t line;
	char comma;
	const char *why; /* the mistake, or NULL: memory ran out */
	struct buf field;
	VEC(struct yaml_node *) cells; /* of the row that is read */
	VEC(struct yaml_node *) names;
	VEC(size_t) places; /* of the columns, in a row */
	size_t width;	    /* of a row: columns of one name are one */
	VEC(struct yaml_node *) rows;
	size_t ncells;
	struct yaml_node *null;
};

static int
wrong(struct reader *r, const char *why)
{
	r->why = why;
	return 1;
}

/* ---- fields and rows ---- */

/* The end of a line, whichever, is taken and told as '\n'. */
static bool
take_end(struct reader *r)
{
	if (r->text[r->at] != '\n' && r->text[r->at] != '\r')
		return false;
	if (r->text[r->at] == '\r' && r->at + 1 < r->len && r->text[r->at + 1] == '\n')
		r->at++;
	r->at++;
	r->line++;
	return true;
}

static int
take_char(struct reader *r)
{
	uint32_t c;
	int n = utf8_decode(r->text + r->at, r->len - r->at, &c);

	if (n < 0)
		return wrong(r, "this is no UTF-8");
	if (c == 0)
		return wrong(r, "a NUL cannot be part of a table");
	buf_add(&r->field, r->text + r->at, (size_t)n);
	r->at += (size_t)n;
	return 0;
}

static int
read_quoted(struct reader *r)
{
	uint32_t from = r->line;
	int rc = 0;

	r->at++;
	while (rc == 0) {
		if (r->at == r->len) {
			r->line = from;
			return wrong(r, "a quote does not end");
		}
		if (r->text[r->at] == '"') {
			r->at++;
			if (r->at == r->len || r->text[r->at] != '"')
				return 0;
			r->at++;
			buf_addc(&r->field, '"');
		} else if (take_end(r)) {
			buf_addc(&r->field, '\n');
		} else {
			rc = take_char(r);
		}
	}
	return rc;
}

/* Up to the next comma or the line's end, which stays. */
static int
read_field(struct reader *r)
{
	struct yaml_node *cell;
	int rc = 0;

	buf_clear(&r->field);
	if (r->at < r->len && r->text[r->at] == '"')
		rc = read_quoted(r);
	while (rc == 0 && r->at < r->len && r->text[r->at] != r->comma &&
	       r->text[r->at] != '\n' && r->text[r->at] != '\r')
		rc = take_char(r);
	if (rc != 0)
		return rc;
	if (r->cells.n == DELIMITED_COLUMNS_MAX)
		return wrong(r, "a table may have 1,000 columns");
	if (++r->ncells > DELIMITED_CELLS_MAX)
		return wrong(r, "a table may have 2,000,000 fields");
	cell =
	    buf_failed(&r->field) ? NULL : value_str(r->a, r->field.p, r->field.n, NULL);
	return cell != NULL && vec_push(&r->cells, cell) == 0 ? 0 : -1;
}

/* Return 0 with the cells, none of an empty line; 2 at the end. */
static int
read_row(struct reader *r)
{
	int rc;

	r->cells.n = 0;
	if (r->at == r->len)
		return 2;
	if (take_end(r))
		return 0;
	for (;;) {
		rc = read_field(r);
		if (rc != 0 || r->at == r->len || take_end(r))
			return rc;
		r->at++; /* the comma */
	}
}

/* ---- the table ---- */

static int
name_columns(struct reader *r, bool header)
{
	char number[24];

	for (size_t i = 0; i < r->cells.n; i++) {
		struct yaml_node *name = r->cells.v[i];
		size_t at = 0;

		if (!header) {
			(void)snprintf(number, sizeof number, "%zu", i);
			name = value_str(r->a, number, strlen(number), NULL);
		}
		if (name == NULL)
			return -1;
		while (at < i && (r->names.v[at]->len != name->len ||
				  memcmp(r->names.v[at]->str, name->str, name->len) != 0))
			at++;
		if (vec_push(&r->places, at < i ? r->places.v[at] : r->width) != 0 ||
		    vec_push(&r->names, name) != 0)
			return -1;
		r->width += at == i;
	}
	return 0;
}

/* Of columns of one name the last counts, in the place of the first. */
static int
put_row(struct reader *r)
{
	struct yaml_node *row = value_map(r->a, r->width, NULL);

	if (row == NULL)
		return -1;
	if (r->rows.n == DELIMITED_ROWS_MAX)
		return wrong(r, "a table may have 200,000 rows");
	for (size_t i = 0; i < r->names.n; i++) {
		struct yaml_pair *m = &row->map.v[r->places.v[i]];

		m->key = r->names.v[i];
		m->val = i < r->cells.n ? r->cells.v[i] : r->null;
	}
	row->map.n = r->width;
	return vec_push(&r->rows, row) == 0 ? 0 : -1;
}

static int
read_table(struct reader *r, bool header)
{
	int rc = 0;

	r->null = value_str(r->a, "", 0, NULL);
	if (r->null == NULL)
		return -1;
	r->null->kind = YAML_NULL;
	while (rc == 0) {
		rc = read_row(r);
		if (rc == 2)
			return 0;
		if (rc != 0 || r->cells.n == 0)
			continue;
		if (r->names.n == 0) {
			rc = name_columns(r, header);
			if (header)
				continue;
		}
		if (rc == 0)
			rc = put_row(r);
	}
	return rc;
}

int
delimited_parse(struct arena *a, struct diag *d, const char *name, const char *text,
		size_t len, char comma, bool header, struct yaml_node **out)
{
	struct reader r = {.a = a, .text = text, .len = len, .line = 1, .comma = comma};
	int rc;

	buf_init(&r.field, len + 1);
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		r.at = 3;
	rc = read_table(&r, header);
	if (rc == 0) {
		*out = value_list(a, r.rows.n, NULL);
		if (*out == NULL)
			rc = -1;
		else if (r.rows.n != 0)
			memcpy((*out)->seq.v, r.rows.v, r.rows.n * sizeof *r.rows.v);
	} else if (rc > 0) {
		struct diag_pos pos = {.line = r.line, .col = 1, .width = 1};

		pos.file = diag_file(d, name, text, len);
		if (pos.file < 0)
			rc = -1;
		else
			diag_add(d, DIAG_ERROR, pos, "%s", r.why);
	}
	vec_release(&r.rows);
	vec_release(&r.names);
	vec_release(&r.places);
	vec_release(&r.cells);
	buf_release(&r.field);
	return rc;
}
