#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag_impl.h"

size_t
diag_line_break(const char *p, size_t n)
{
	if (n == 0 || (*p != '\n' && *p != '\r'))
		return 0;
	return *p == '\r' && n > 1 && p[1] == '\n' ? 2 : 1;
}

const char *
diag_severity_name(enum diag_severity severity)
{
	static const char *const names[] = {
	    [DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};

	return names[severity];
}

struct diag_pos
diag_place(int file, const char *text, size_t len, size_t at)
{
	struct diag_pos pos = {.file = file, .line = 1, .col = 1, .width = 1};

	for (size_t i = 0, n; i < at; i += n) {
		n = diag_line_break(text + i, len - i);
		if (n > at - i)
			break;
		if (n != 0) {
			pos.line++;
			pos.col = 1;
		} else {
			pos.col += ((unsigned char)text[i] & 0xc0) != 0x80;
			n = 1;
		}
	}
	return pos;
}

struct diag *
diag_new(void)
{
	return calloc(1, sizeof(struct diag));
}

void
diag_free(struct diag *d)
{
	if (d == NULL)
		return;
	vec_foreach (&d->files, struct diag_source, f) {
		free(f->name);
		free(f->lines);
	}
	vec_foreach (&d->messages, struct diag_message, m) {
		free(m->text);
		free(m->hint);
	}
	vec_release(&d->files);
	vec_release(&d->messages);
	free(d);
}

int
diag_file(struct diag *d, const char *name, const char *text, size_t len)
{
	struct diag_source f = {.name = strdup(name), .text = text, .len = len};

	if (f.name == NULL || vec_push(&d->files, f) != 0) {
		free(f.name);
		d->nomem = true;
		return -1;
	}
	return (int)d->files.n - 1;
}

__attribute__((format(printf, 1, 0))) static char *
format(const char *fmt, va_list ap)
{
	char *s;

	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

/* Whether there is room for one more; notes come and go with the message they belong to. */
static bool
keeps(const struct diag *d, enum diag_severity severity)
{
	return severity == DIAG_NOTE ? d->kept : d->messages.n < DIAG_MAX;
}

void
diag_add(struct diag *d, enum diag_severity severity, struct diag_pos pos,
	 const char *fmt, ...)
{
	struct diag_message m = {.severity = severity, .pos = pos, .seq = d->count};
	va_list ap;

	d->count++;
	if (severity == DIAG_ERROR)
		d->errors++;
	if (!keeps(d, severity)) {
		d->kept = false;
		return;
	}
	va_start(ap, fmt);
	m.text = format(fmt, ap);
	va_end(ap);
	if (m.text == NULL || vec_push(&d->messages, m) != 0) {
		free(m.text);
		d->nomem = true;
		d->kept = false;
		return;
	}
	d->kept = true;
}

void
diag_hint(struct diag *d, const char *fmt, ...)
{
	struct diag_message *m;
	va_list ap;

	if (!d->kept || d->messages.n == 0)
		return;
	m = &d->messages.v[d->messages.n - 1];
	free(m->hint);
	va_start(ap, fmt);
	m->hint = format(fmt, ap);
	va_end(ap);
	if (m->hint == NULL)
		d->nomem = true;
}

size_t
diag_errors(const struct diag *d)
{
	return d->errors + (d->nomem ? 1 : 0);
}

size_t
diag_count(const struct diag *d)
{
	return d->count + (d->nomem ? 1 : 0);
}

bool
diag_nomem(const struct diag *d)
{
	bool is = d->nomem;

	vec_foreach (&d->messages, const struct diag_message, m)
		is = is || strcmp(m->text, "out of memory") == 0;
	return is;
}

static int
by_place(const void *a, const void *b)
{
	const struct diag_message *x = ((const struct diag_group *)a)->head,
				  *y = ((const struct diag_group *)b)->head;

	if (x->pos.file != y->pos.file)
		return x->pos.file < y->pos.file ? -1 : 1;
	if (x->pos.line != y->pos.line)
		return x->pos.line < y->pos.line ? -1 : 1;
	if (x->pos.col != y->pos.col)
		return x->pos.col < y->pos.col ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool
same_place(const struct diag_pos *a, const struct diag_pos *b)
{
	return a->file == b->file && a->line == b->line && a->col == b->col;
}

/* Whether one of the groups that end at `last` says the same at the same place. */
static bool
said_before(const struct diag_group *groups, size_t last, const struct diag_message *m)
{
	const struct diag_message *other;

	while (last-- > 0) {
		other = groups[last].head;
		if (!same_place(&other->pos, &m->pos))
			return false;
		if (other->severity == m->severity && strcmp(other->text, m->text) == 0)
			return true;
	}
	return false;
}

int
diag_sorted(const struct diag *d, const struct diag_message ***notes_out,
	    struct diag_group **groups_out, size_t *n_out)
{
	const struct diag_message **notes;
	struct diag_group *groups;
	size_t i, n = 0, kept = 0, nnotes = 0;

	notes = calloc(d->messages.n + 1, sizeof(*notes));
	groups = calloc(d->messages.n + 1, sizeof(*groups));
	if (notes == NULL || groups == NULL) {
		free(notes);
		free(groups);
		return -1;
	}
	/* Notes stand right behind their message, so one pass makes the groups. */
	for (i = 0; i < d->messages.n; i++) {
		const struct diag_message *m = &d->messages.v[i];

		if (m->severity != DIAG_NOTE || n == 0)
			groups[n++] = (struct diag_group){m, notes + nnotes, 0};
		else {
			notes[nnotes++] = m;
			groups[n - 1].nnotes++;
		}
	}
	qsort(groups, n, sizeof(*groups), by_place);
	for (i = 0; i < n; i++)
		if (!said_before(groups, kept, groups[i].head))
			groups[kept++] = groups[i];
	*notes_out = notes;
	*groups_out = groups;
	*n_out = kept;
	return 0;
}
