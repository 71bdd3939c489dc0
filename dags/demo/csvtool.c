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
 * Text is UTF-8.  Exit status: 0; 1 for bad data or a full disk; 2 for misuse.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

/* ---- text ---- */

/*
 * The character at ${p}, of ${n} >= 1 bytes, into ${ch}.  Return its length, or 0 if the bytes
 * there are not UTF-8.
 */
static size_t
utf8(const unsigned char *p, size_t n, uint32_t *ch)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
				   : 4;
	uint32_t v = len == 1 ? p[0] : (uint32_t)p[0] & (0x7fu >> len);

	if (len == 0 || len > n || p[0] > 0xf4)
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
	size_t n = csv_len(c, i), from = 0, to = 0;
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

/* Whether the field ${i}, a label, says toxic. */
static bool
is_toxic(const struct csv *c, size_t i)
{
	const char *s = csv_field(c, i);

	if (strcmp(s, "0") != 0 && strcmp(s, "1") != 0)
		die("%s:%" PRIu64 ": the label is '%.20s', not 0 or 1", c->name, c->start,
		    s);
	return s[0] == '1';
}

static int
do_clean(char **args)
{
	uint64_t rows = 0, kept = 0, empty = 0, twice = 0;
	struct seen seen = {0};
	struct csv c;
	size_t text, label;
	FILE *out;

	csv_open(&c, args[0]);
	text = csv_column(&c, "comment_text");
	label = csv_column(&c, "labels");
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
		} else if (seen_add(&seen, csv_field(&c, text), n)) {
			twice++;
		} else {
			csv_put(csv_field(&c, text), n, out);
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
	csv_put(base, strcspn(base, "."), stdout);
	(void)putchar('\n');
}

static int
do_labels(char **args)
{
	uint64_t rows = 0, toxic = 0;
	struct csv c;
	size_t label;

	csv_open(&c, args[0]);
	label = csv_column(&c, "labels");
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
	text = csv_column(&c, "comment_text");
	while (csv_row(&c)) {
		const char *s = csv_field(&c, text);
		size_t len = csv_len(&c, text);
		uint32_t chars = 0;

		/* Every character of UTF-8 has one byte that is no continuation. */
		for (size_t i = 0; i < len; i++)
			chars += ((unsigned char)s[i] & 0xc0) != 0x80;
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
		csv_put(csv_field(c, i), csv_len(c, i), stdout);
	}
}

static int
do_join(char **args)
{
	struct csv a, b;

	csv_open(&a, args[0]);
	csv_open(&b, args[1]);
	/* Both have their rows in one order, so that merging them is enough. */
	for (bool more = true; more;) {
		if (strcmp(csv_field(&a, 0), csv_field(&b, 0)) != 0)
			die("%s:%" PRIu64 ": '%.40s' does not match '%.40s' in %s",
			    a.name, a.start, csv_field(&a, 0), csv_field(&b, 0), b.name);
		csv_put(csv_field(&a, 0), csv_len(&a, 0), stdout);
		put_rest(&a);
		put_rest(&b);
		(void)putchar('\n');
		more = csv_row(&a);
		if (more != csv_row(&b))
			die("%s has %s rows than %s", a.name, more ? "more" : "fewer",
			    b.name);
	}
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
			printf("| %s %s", csv_field(&c, i),
			       i + 1 == c.nfields ? "|\n" : "");
		for (size_t i = 0; header && i < c.nfields; i++)
			printf("|---%s%s", i == 0 ? "" : ":",
			       i + 1 == c.nfields ? "|\n" : "");
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
