#include "cli/opts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/suggest.h"

/* One parse under way. */
struct parse {
	struct opts_target *targets;
	size_t ntargets;
	char **argv;
	size_t i; /* the word being looked at */
	struct err *err;
};

/* A row, and the table it stands in. */
struct found {
	struct opts_target *target;
	const struct opt *opt;
	size_t row;
};

static void *
value_at(const struct opts_target *t, const struct opt *o)
{
	return (char *)t->values + o->at;
}

void
opts_init(struct opts_target *t)
{
	const struct opt *o;

	for (o = t->table; o->name != NULL; o++)
		if (o->kind == OPT_CHOICE)
			*(int *)value_at(t, o) = -1;
}

void
opts_release(struct opts_target *t)
{
	const struct opt *o;
	struct opt_strings *s;

	for (o = t->table; o->name != NULL; o++) {
		if (o->kind != OPT_STRINGS)
			continue;
		s = value_at(t, o);
		free(s->v);
		s->v = NULL;
		s->n = 0;
	}
}

/* Find an option by its name of n bytes, or by its letter where n is 0. */
static bool
find(const struct parse *p, const char *name, size_t n, char letter, struct found *out)
{
	size_t i, row;

	for (i = 0; i < p->ntargets; i++) {
		const struct opt *table = p->targets[i].table;

		for (row = 0; table[row].name != NULL; row++) {
			assert(row < OPTS_TABLE_MAX);
			if (n == 0 ? table[row].letter != letter
				   : strncmp(table[row].name, name, n) != 0 ||
					 table[row].name[n] != '\0')
				continue;
			*out = (struct found){&p->targets[i], &table[row], row};
			return true;
		}
	}
	return false;
}

static int
unknown(const struct parse *p, const char *name, size_t n)
{
	struct suggest s;
	char word[64];
	const char *best;
	size_t i;

	(void)snprintf(word, sizeof(word), "%.*s", (int)(n < 63 ? n : 63), name);
	suggest_start(&s, word);
	for (i = 0; i < p->ntargets; i++)
		for (const struct opt *o = p->targets[i].table; o->name != NULL; o++)
			if (o->doc != NULL)
				suggest_try(&s, o->name);
	best = suggest_best(&s);
	if (best != NULL)
		return err_set(p->err, ERR_INVALID,
			       "unknown option '--%s' (did you mean '--%s'?)", word,
			       best);
	return err_set(p->err, ERR_INVALID, "unknown option '--%s'", word);
}

/* The values of a choice for a message: "live, plain or none". */
static void
put_choices(struct buf *b, const char *const *choices)
{
	size_t i;

	for (i = 0; choices[i] != NULL; i++) {
		if (i > 0)
			buf_adds(b, choices[i + 1] == NULL ? " or " : ", ");
		buf_adds(b, choices[i]);
	}
}

static int
set_choice(const struct parse *p, const struct found *f, const char *text)
{
	struct suggest s;
	struct buf b;
	const char *best;
	int i;

	suggest_start(&s, text);
	for (i = 0; f->opt->choices[i] != NULL; i++) {
		if (strcmp(f->opt->choices[i], text) == 0) {
			*(int *)value_at(f->target, f->opt) = i;
			return 0;
		}
		suggest_try(&s, f->opt->choices[i]);
	}
	buf_init(&b, 4096);
	put_choices(&b, f->opt->choices);
	best = suggest_best(&s);
	if (best != NULL)
		buf_addf(&b, " (did you mean '%s'?)", best);
	(void)err_set(p->err, ERR_INVALID, "option '--%s' takes %s, not '%s'",
		      f->opt->name, b.p, text);
	buf_release(&b);
	return -1;
}

static int
set_uint(const struct parse *p, const struct found *f, const char *text)
{
	struct opt_uint *u = value_at(f->target, f->opt);
	uint64_t v;

	if (num_u64(text, &v) != 0)
		return err_set(p->err, ERR_INVALID,
			       "option '--%s' takes a whole number, not '%s'",
			       f->opt->name, text);
	if (v < f->opt->min || v > f->opt->max)
		return err_set(p->err, ERR_INVALID,
			       "option '--%s' takes a number from %" PRIu64 " to %" PRIu64
			       ", not %s",
			       f->opt->name, f->opt->min, f->opt->max, text);
	*u = (struct opt_uint){true, v};
	return 0;
}

static int
add_string(const struct parse *p, const struct found *f, const char *text)
{
	struct opt_strings *s = value_at(f->target, f->opt);
	const char **v;

	if (s->n == OPTS_REPEAT_MAX)
		return err_set(p->err, ERR_LIMIT,
			       "option '--%s' is given more than %d times", f->opt->name,
			       OPTS_REPEAT_MAX);
	v = reallocarray(s->v, s->n + 1, sizeof(*v));
	if (v == NULL)
		return err_nomem(p->err);
	s->v = v;
	s->v[s->n++] = text;
	return 0;
}

/* Store one option; text is NULL for a flag. */
static int
store(const struct parse *p, const struct found *f, const char *text)
{
	uint64_t bit = UINT64_C(1) << f->row;

	if (f->opt->kind != OPT_STRINGS && (f->target->seen & bit) != 0)
		return err_set(p->err, ERR_INVALID, "option '--%s' is given twice",
			       f->opt->name);
	f->target->seen |= bit;
	switch (f->opt->kind) {
	case OPT_FLAG:
		*(bool *)value_at(f->target, f->opt) = true;
		return 0;
	case OPT_STRING:
		*(const char **)value_at(f->target, f->opt) = text;
		return 0;
	case OPT_STRINGS:
		return add_string(p, f, text);
	case OPT_UINT:
		return set_uint(p, f, text);
	case OPT_CHOICE:
		return set_choice(p, f, text);
	}
	return 0;
}

/* The value of an option without "=": the next word, whatever it looks like. */
static int
next_value(struct parse *p, const struct found *f, const char **text)
{
	const char *next = p->argv[p->i + 1];

	if (f->opt->bare && (next == NULL || (next[0] == '-' && next[1] != '\0'))) {
		*text = "";
		return 0;
	}
	if (next == NULL)
		return err_set(p->err, ERR_INVALID,
			       "option '--%s' needs a value: --%s %s", f->opt->name,
			       f->opt->name, f->opt->arg);
	*text = p->argv[++p->i];
	return 0;
}

static int
parse_long(struct parse *p, const char *word)
{
	size_t n = strcspn(word, "=");
	const char *text = NULL;
	struct found f;

	if (n == 0 || !find(p, word, n, 0, &f))
		return unknown(p, word, n);
	if (word[n] == '=') {
		if (f.opt->kind == OPT_FLAG)
			return err_set(p->err, ERR_INVALID,
				       "option '--%s' takes no value", f.opt->name);
		text = word + n + 1;
	} else if (f.opt->kind != OPT_FLAG && next_value(p, &f, &text) != 0) {
		return -1;
	}
	return store(p, &f, text);
}

/* "-fvn10": flags, the last letter may take the rest of the word or the next one. */
static int
parse_short(struct parse *p, const char *word)
{
	const char *text = NULL;
	struct found f;

	for (; *word != '\0'; word++) {
		if (!find(p, NULL, 0, *word, &f))
			return err_set(p->err, ERR_INVALID, "unknown option '-%c'%s%s",
				       *word >= ' ' && *word < 127 ? *word : '?',
				       word[1] != '\0' ? " in " : "",
				       word[1] != '\0' ? p->argv[p->i] : "");
		if (f.opt->kind == OPT_FLAG) {
			if (store(p, &f, NULL) != 0)
				return -1;
			continue;
		}
		if (word[1] != '\0')
			text = word + 1;
		else if (next_value(p, &f, &text) != 0)
			return -1;
		return store(p, &f, text);
	}
	return 0;
}

/* As opts_parse; where the first word is ${command}, the second one ends the options. */
static int
parse_words(struct opts_target *targets, size_t ntargets, bool whole, const char *command,
	    char **argv, size_t *nrest, struct err *err)
{
	struct parse p = {targets, ntargets, argv, 0, err};
	size_t n = 0;
	char *word;
	int rc;

	for (p.i = 0; (word = argv[p.i]) != NULL; p.i++) {
		if (word[0] != '-' || word[1] == '\0') {
			if (!whole ||
			    (n == 1 && command != NULL && strcmp(argv[0], command) == 0))
				break;
			argv[n++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			p.i++;
			break;
		}
		rc =
		    word[1] == '-' ? parse_long(&p, word + 2) : parse_short(&p, word + 1);
		if (rc != 0)
			return -1;
	}
	if (!whole) {
		*nrest = p.i;
		return 0;
	}
	while (argv[p.i] != NULL)
		argv[n++] = argv[p.i++];
	argv[n] = NULL;
	*nrest = n;
	return 0;
}

int
opts_parse(struct opts_target *targets, size_t ntargets, bool whole, char **argv,
	   size_t *nrest, struct err *err)
{
	return parse_words(targets, ntargets, whole, NULL, argv, nrest, err);
}

int
opts_parse_command(struct opts_target *targets, size_t ntargets, const char *command,
		   char **argv, size_t *nrest, struct err *err)
{
	return parse_words(targets, ntargets, true, command, argv, nrest, err);
}
