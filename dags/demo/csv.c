#include "csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void
die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("csvtool: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)putc('\n', stderr);
	exit(1);
}

void *
grow(void *p, size_t *cap, size_t need, size_t size)
{
	size_t more = *cap < 64 ? 64 : *cap;

	if (need <= *cap)
		return p;
	while (more < need && more <= SIZE_MAX / 2)
		more *= 2;
	if (more < need || more > SIZE_MAX / size)
		die("out of memory");
	p = realloc(p, more * size);
	if (p == NULL)
		die("out of memory");
	*cap = more;
	return p;
}

const char *
csv_field(const struct csv *c, size_t i)
{
	return c->text + c->at[i];
}

size_t
csv_len(const struct csv *c, size_t i)
{
	return c->at[i + 1] - c->at[i] - 1;
}

/* The next byte, or EOF. */
static int
get(struct csv *c)
{
	int ch = getc_unlocked(c->f);

	if (ch == EOF && ferror(c->f))
		die("cannot read %s: %s", c->name, strerror(errno));
	return ch;
}

static void
keep(struct csv *c, int ch)
{
	if (c->n >= ROW_MAX)
		die("%s:%" PRIu64 ": a row of more than %zu bytes", c->name, c->start,
		    ROW_MAX);
	c->text = grow(c->text, &c->cap, c->n + 1, 1);
	c->text[c->n++] = (char)ch;
}

static void
keep_text(struct csv *c, int ch)
{
	if (ch == '\0')
		die("%s:%" PRIu64 ": a NUL", c->name, c->line);
	keep(c, ch);
}

static void
end_field(struct csv *c)
{
	keep(c, '\0');
	if (c->nfields == FIELDS_MAX)
		die("%s:%" PRIu64 ": more than %d fields", c->name, c->start, FIELDS_MAX);
	c->at[++c->nfields] = c->n;
}

/* The rest of a quoted field; return the character behind its closing quote. */
static int
read_quoted(struct csv *c)
{
	for (;;) {
		int ch = get(c);

		if (ch == '"') {
			ch = get(c);
			if (ch != '"')
				return ch;
		} else if (ch == EOF) {
			die("%s:%" PRIu64 ": the file ends inside of quotes", c->name,
			    c->start);
		} else if (ch == '\n') {
			c->line++;
		}
		keep_text(c, ch);
	}
}

/* The rest of a field without quotes that starts with ${ch}; return what is behind it. */
static int
read_bare(struct csv *c, int ch)
{
	while (ch != ',' && ch != '\n' && ch != '\r' && ch != EOF) {
		if (ch == '"')
			die("%s:%" PRIu64 ": a quote in a field without quotes", c->name,
			    c->line);
		keep_text(c, ch);
		ch = get(c);
	}
	return ch;
}

bool
csv_row(struct csv *c)
{
	int ch = get(c);

	c->n = c->nfields = 0;
	c->start = c->line;
	if (ch == EOF)
		return false;
	for (;;) {
		bool quoted = ch == '"';

		ch = quoted ? read_quoted(c) : read_bare(c, ch);
		end_field(c);
		if (ch != ',')
			break;
		ch = get(c);
	}
	if (ch == '\r')
		ch = get(c) == '\n' ? '\n' : '\r';
	if (ch != '\n' && ch != EOF)
		die("%s:%" PRIu64 ": neither a comma nor the row's end after a field",
		    c->name, c->line);
	c->line++;
	if (c->columns != 0 && c->nfields != c->columns)
		die("%s:%" PRIu64 ": %zu fields where the header has %zu", c->name,
		    c->start, c->nfields, c->columns);
	return true;
}

void
csv_open(struct csv *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	c->name = name;
	c->line = 1;
	c->f = fopen(name, "re");
	if (c->f == NULL)
		die("cannot open %s: %s", name, strerror(errno));
	if (!csv_row(c))
		die("%s: no header", name);
	c->columns = c->nfields;
}

void
csv_close(struct csv *c)
{
	(void)fclose(c->f); /* only read from */
	free(c->text);
}

size_t
csv_column(const struct csv *c, const char *name)
{
	for (size_t i = 0; i < c->columns; i++)
		if (strcmp(csv_field(c, i), name) == 0)
			return i;
	die("%s: no column '%s'", c->name, name);
}

void
csv_put(const char *s, size_t n, FILE *out)
{
	bool quoted = false;

	for (size_t i = 0; i < n && !quoted; i++)
		quoted = strchr("\",\r\n", s[i]) != NULL;
	if (!quoted) {
		(void)fwrite(s, 1, n, out);
		return;
	}
	(void)putc('"', out);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			(void)putc('"', out);
		(void)putc(s[i], out);
	}
	(void)putc('"', out);
}

void
finish(FILE *out, const char *name)
{
	if (fflush(out) != 0 || ferror(out))
		die("cannot write %s: %s", name, strerror(errno));
}
