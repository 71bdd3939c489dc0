/*
 * What the demo does with its tables, as one small filter:
 *
 *	csvtool clean IN OUT	comments without empty texts and second copies, white space
 *				normalised; prints KEY=VALUE lines on what was dropped
 *	csvtool labels IN	a table of statistics of the labels
 *	csvtool lengths IN	a table of statistics of the texts' lengths, in characters
 *	csvtool join A B	the two tables side by side, joined by their first columns
 *	csvtool markdown IN	a table as Markdown
 *
 * CSV is that of RFC 4180, in UTF-8, read as a stream: fields may be quoted and then hold
 * commas, newlines and doubled quotes; a row ends with LF or CRLF.  What is neither is refused
 * with the number of its line.  Exit status: 0; 1 for bad data or a full disk; 2 for misuse.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64
#define ROW_MAX	   ((size_t)16 << 20) /* bytes of the fields of one row */
#define ROWS_MAX   UINT32_MAX

/* ---- errors and memory: a filter says what is wrong and stops ---- */

static _Noreturn void __attribute__((format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("csvtool: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)putc('\n', stderr);
	exit(1);
}

/* Return ${p} with room for at least ${need} elements of ${size} bytes. */
static void *
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

/* ---- reading CSV ---- */

struct csv {
	const char *name; /* for messages */
	FILE *f;
	uint64_t line;	/* the line that is being read */
	uint64_t start; /* the line on which the current row starts */

	char *text; /* the current row's fields, each with a NUL behind it */
	size_t n, cap;
	size_t at[FIELDS_MAX + 1]; /* where they start; the end of the last */
	size_t nfields;
	size_t columns; /* fields of the header; 0: not read yet */
};

static const char *
field(const struct csv *c, size_t i)
{
	return c->text + c->at[i];
}

static size_t
field_len(const struct csv *c, size_t i)
{
	return c->at[i + 1] - c->at[i] - 1;
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
		int ch = getc_unlocked(c->f);

		if (ch == '"') {
			ch = getc_unlocked(c->f);
			if (ch != '"')
				return ch;
		} else if (ch == EOF) {
			die("%s:%" PRIu64 ": the file ends inside of quotes", c->name,
			    c->start);
		} else if (ch == '\n') {
			c->line++;
		} else if (ch == '\0') {
			die("%s:%" PRIu64 ": a NUL", c->name, c->line);
		}
		keep(c, ch);
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
		if (ch == '\0')
			die("%s:%" PRIu64 ": a NUL", c->name, c->line);
		keep(c, ch);
		ch = getc_unlocked(c->f);
	}
	return ch;
}

/* Read the next row.  Return false at the end. */
static bool
csv_row(struct csv *c)
{
	int ch = getc_unlocked(c->f);

	c->n = c->nfields = 0;
	c->start = c->line;
	if (ch == EOF) {
		if (ferror(c->f))
			die("cannot read %s: %s", c->name, strerror(errno));
		return false;
	}
	for (;;) {
		bool quoted = ch == '"';

		ch = quoted ? read_quoted(c) : read_bare(c, ch);
		end_field(c);
		if (ch != ',')
			break;
		ch = getc_unlocked(c->f);
	}
	if (ch == '\r')
		ch = getc_unlocked(c->f) == '\n' ? '\n' : '\r';
	if (ch == EOF && ferror(c->f))
		die("cannot read %s: %s", c->name, strerror(errno));
	if (ch != '\n' && ch != EOF)
		die("%s:%" PRIu64 ": neither a comma nor the row's end after a field",
		    c->name, c->line);
	c->line++;
	if (c->columns != 0 && c->nfields != c->columns)
		die("%s:%" PRIu64 ": %zu fields where the header has %zu", c->name,
		    c->start, c->nfields, c->columns);
	return true;
}

static void
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

static void
csv_close(struct csv *c)
{
	(void)fclose(c->f); /* only read from */
	free(c->text);
}

/* The place of a column by its name in the header, which is the current row. */
static size_t
column(const struct csv *c, const char *name)
{
	for (size_t i = 0; i < c->columns; i++)
		if (strcmp(field(c, i), name) == 0)
			return i;
	die("%s: no column '%s'", c->name, name);
}

/* Whether the field ${i}, a label, says toxic. */
static bool
is_toxic(const struct csv *c, size_t i)
{
	const char *s = field(c, i);

	if (strcmp(s, "0") != 0 && strcmp(s, "1") != 0)
		die("%s:%" PRIu64 ": the label is '%.20s', not 0 or 1", c->name, c->start,
		    s);
	return s[0] == '1';
}

/* ---- writing CSV ---- */

static void
put_field(const char *s, size_t n, FILE *out)
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

/* The stream remembers whether any write failed; this is where it is asked. */
static void
finish(FILE *out, const char *name)
{
	if (fflush(out) != 0 || ferror(out))
		die("cannot write %s: %s", name, strerror(errno));
}

/* ---- text ---- */

/*
 * The character at ${p}, of ${n} >= 1 bytes, into ${ch}.  Return its length, or 0 if the bytes
 * there are not UTF-8.
 */
static size_t
utf8(const unsigned char *p, size_t n, uint32_t *ch)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80	     ? 1
		     : (p[0] & 0xe0) == 0xc0 ? 2
		     : (p[0] & 0xf0) == 0xe0 ? 3
		     : (p[0] & 0xf8) == 0xf0 ? 4
					     : 0;
	uint32_t v = len == 1 ? p[0] : (uint32_t)p[0] & (0x7fu >> len);

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*ch = v;
	return len;
}

/* Whether Unicode calls the character White_Space. */
static bool
is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0x85 || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/*
 * Replace each run of white space in the field ${i} by one blank, none at the ends, in place.
 * Return the new length.
 */
static size_t
normalise(struct csv *c, size_t i)
{
	char *s = c->text + c->at[i];
	size_t n = field_len(c, i), from = 0, to = 0;
	bool gap = false;

	while (from < n) {
		uint32_t ch = 0;
		size_t len = utf8((const unsigned char *)s + from, n - from, &ch);

		if (len == 0)
			die("%s:%" PRIu64 ": the text is not UTF-8", c->name, c->start);
		if (is_space(ch)) {
			gap = to > 0;
		} else {
			if (gap)
				s[to++] = ' ';
			gap = false;
			memmove(s + to, s + from, len);
			to += len;
		}
		from += len;
	}
	return to;
}

/* ---- the set of texts seen: a hash table of places in a pool of all of them ---- */

struct seen {
	struct slot {
		uint64_t hash;
		size_t at, len;
		bool used;
	} * slots;
	size_t nslots, n; /* nslots is a power of two, or 0 */
	char *pool;
	size_t used, cap;
};

static uint64_t
fnv1a(const char *s, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* The slot that holds the text, or the free one where it belongs. */
static struct slot *
seen_find(const struct seen *set, uint64_t hash, const char *s, size_t n)
{
	size_t i = (size_t)(hash ^ hash >> 32) & (set->nslots - 1);

	while (set->slots[i].used) {
		const struct slot *slot = &set->slots[i];

		if (slot->hash == hash && slot->len == n &&
		    memcmp(set->pool + slot->at, s, n) == 0)
			break;
		i = (i + 1) & (set->nslots - 1);
	}
	return &set->slots[i];
}

static void
seen_double(struct seen *set)
{
	struct seen old = *set;

	set->nslots = old.nslots == 0 ? 1024 : old.nslots * 2;
	set->slots = calloc(set->nslots, sizeof(*set->slots));
	if (set->slots == NULL)
		die("out of memory");
	for (size_t i = 0; i < old.nslots; i++) {
		const struct slot *s = &old.slots[i];

		if (s->used)
			*seen_find(set, s->hash, old.pool + s->at, s->len) = *s;
	}
	free(old.slots);
}

/* Remember the text.  Return whether it was known already. */
static bool
seen_add(struct seen *set, const char *s, size_t n)
{
	uint64_t hash = fnv1a(s, n);
	struct slot *slot;

	if (set->n >= set->nslots / 2)
		seen_double(set);
	slot = seen_find(set, hash, s, n);
	if (slot->used)
		return true;
	set->pool = grow(set->pool, &set->cap, set->used + n, 1);
	memcpy(set->pool + set->used, s, n);
	*slot = (struct slot){.hash = hash, .at = set->used, .len = n, .used = true};
	set->used += n;
	set->n++;
	return false;
}

/* ---- commands ---- */

static int
do_clean(char **args)
{
	uint64_t rows = 0, kept = 0, empty = 0, twice = 0;
	struct seen seen = {0};
	struct csv c;
	size_t text, label;
	FILE *out;

	csv_open(&c, args[0]);
	text = column(&c, "comment_text");
	label = column(&c, "labels");
	out = fopen(args[1], "we");
	if (out == NULL)
		die("cannot open %s: %s", args[1], strerror(errno));
	(void)fputs("comment_text,labels\n", out);
	while (csv_row(&c)) {
		bool toxic = is_toxic(&c, label);
		size_t n = normalise(&c, text);

		rows++;
		if (n == 0) {
			empty++;
		} else if (seen_add(&seen, field(&c, text), n)) {
			twice++;
		} else {
			put_field(field(&c, text), n, out);
			(void)fputs(toxic ? ",1\n" : ",0\n", out);
			kept++;
		}
	}
	finish(out, args[1]);
	(void)fclose(out); /* flushed above */
	printf("rows=%" PRIu64 "\nkept=%" PRIu64 "\nempty=%" PRIu64
	       "\nduplicates=%" PRIu64 "\n",
	       rows, kept, empty, twice);
	free(seen.slots);
	free(seen.pool);
	csv_close(&c);
	return 0;
}

/* The header of a table of statistics: the second column is called like the file. */
static void
put_header(const char *path)
{
	const char *base = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;

	(void)fputs("statistic,", stdout);
	put_field(base, strcspn(base, "."), stdout);
	(void)putchar('\n');
}

static int
do_labels(char **args)
{
	uint64_t rows = 0, toxic = 0;
	struct csv c;
	size_t label;

	csv_open(&c, args[0]);
	label = column(&c, "labels");
	for (; csv_row(&c); rows++)
		toxic += is_toxic(&c, label);
	put_header(args[0]);
	printf("comments,%" PRIu64 "\ntoxic,%" PRIu64 "\ntoxic percent,%.2f\n", rows,
	       toxic, rows == 0 ? 0.0 : 100.0 * (double)toxic / (double)rows);
	csv_close(&c);
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: the smallest value that ${percent} of the values do not exceed. */
static uint32_t
percentile(const uint32_t *sorted, size_t n, unsigned percent)
{
	size_t rank = (n * percent + 99) / 100;

	return n == 0 ? 0 : sorted[rank == 0 ? 0 : rank - 1];
}

static int
do_lengths(char **args)
{
	uint32_t *lengths = NULL;
	size_t n = 0, cap = 0, text;
	struct csv c;

	csv_open(&c, args[0]);
	text = column(&c, "comment_text");
	while (csv_row(&c)) {
		const char *s = field(&c, text);
		size_t len = field_len(&c, text);
		uint32_t chars = 0;

		/* Every character of UTF-8 has one byte that is no continuation. */
		for (size_t i = 0; i < len; i++)
			chars += ((unsigned char)s[i] & 0xc0) != 0x80;
		if (n == ROWS_MAX)
			die("%s: more than %" PRIu32 " rows", c.name, ROWS_MAX);
		lengths = grow(lengths, &cap, n + 1, sizeof(*lengths));
		lengths[n++] = chars;
	}
	if (n > 0)
		qsort(lengths, n, sizeof(*lengths), by_number);
	put_header(args[0]);
	printf("shortest,%" PRIu32 "\nmedian,%" PRIu32 "\n90 percent up to,%" PRIu32
	       "\nlongest,%" PRIu32 "\n",
	       percentile(lengths, n, 0), percentile(lengths, n, 50),
	       percentile(lengths, n, 90), percentile(lengths, n, 100));
	free(lengths);
	csv_close(&c);
	return 0;
}

static void
put_rest(const struct csv *c)
{
	for (size_t i = 1; i < c->nfields; i++) {
		(void)putchar(',');
		put_field(field(c, i), field_len(c, i), stdout);
	}
}

static int
do_join(char **args)
{
	struct csv a, b;

	csv_open(&a, args[0]);
	csv_open(&b, args[1]);
	/* Tables of statistics have their rows in one order, so that merging them is enough. */
	do {
		if (strcmp(field(&a, 0), field(&b, 0)) != 0)
			die("%s:%" PRIu64 ": '%.40s' does not match '%.40s' in %s",
			    a.name, a.start, field(&a, 0), field(&b, 0), b.name);
		put_field(field(&a, 0), field_len(&a, 0), stdout);
		put_rest(&a);
		put_rest(&b);
		(void)putchar('\n');
		if (!csv_row(&a)) {
			if (csv_row(&b))
				die("%s has more rows than %s", b.name, a.name);
			break;
		}
		if (!csv_row(&b))
			die("%s has more rows than %s", a.name, b.name);
	} while (true);
	csv_close(&a);
	csv_close(&b);
	return 0;
}

static int
do_markdown(char **args)
{
	struct csv c;

	csv_open(&c, args[0]);
	for (bool header = true; header || csv_row(&c); header = false) {
		for (size_t i = 0; i < c.nfields; i++)
			printf("| %s ", field(&c, i));
		(void)puts("|");
		for (size_t i = 0; header && i < c.nfields; i++)
			(void)fputs(i == 0 ? "|---" : "|---:", stdout);
		if (header)
			(void)puts("|");
	}
	csv_close(&c);
	return 0;
}

static const struct command {
	const char *name;
	int nargs;
	int (*run)(char **);
} commands[] = {
    {"clean", 2, do_clean}, {"labels", 1, do_labels},	  {"lengths", 1, do_lengths},
    {"join", 2, do_join},   {"markdown", 1, do_markdown},
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *cmd = &commands[i];

		if (argc >= 2 && strcmp(argv[1], cmd->name) == 0 &&
		    argc - 2 == cmd->nargs) {
			int rc = cmd->run(argv + 2);

			finish(stdout, "standard output");
			return rc;
		}
	}
	(void)fputs("usage: csvtool clean IN OUT | labels IN | lengths IN | join A B | "
		    "markdown IN\n",
		    stderr);
	return 2;
}
