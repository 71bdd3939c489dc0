#include "cli/complete.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/exp.h"
#include "cli/find.h"
#include "cli/opts.h"
#include "tasks/schema/schema.h"

#define PATIENCE_US 500000 /* nobody waits longer for a Tab */
#define WORD_MAX    64	   /* bytes of one word of a usage line */
#define DESC_MAX    70	   /* of an option's text, up to its first sentence's end */

/* Ask the shell for files. */
static void
ask(struct complete *cp, const char *what)
{
	buf_addf(&cp->c->out, ":%s\n", what);
}

static void
put_yaml(struct complete *cp)
{
	if (cp->n == 0)
		ask(cp, "yaml");
}

static void
put_file(struct complete *cp)
{
	ask(cp, "file");
}

static void
put_dir(struct complete *cp)
{
	if (cp->n == 0)
		ask(cp, "dir");
}

static void
put_verbs(struct complete *cp)
{
	const struct verb *const *table;
	size_t i, n;

	table = verb_table(&n);
	for (i = 0; i < n; i++)
		complete_add(cp, table[i]->name, table[i]->summary);
}

static void
put_types(struct complete *cp)
{
	const struct task_type *t;
	size_t i, n;

	t = schema_types(&n);
	for (i = 0; i < n; i++) /* those that are verbs are there already */
		if (t[i].status != KEY_LATER && t[i].kind != TASK_VERB)
			complete_add(cp, t[i].name, t[i].summary);
}

static void
put_keys(struct complete *cp)
{
	const struct key_spec *k;

	/* There are many: not before somebody has begun to write one. */
	if (*cp->cur == '\0')
		return;
	for (k = schema_task_keys(); k->name != NULL; k++)
		if (schema_type(k->name) == NULL)
			complete_add(cp, k->name, "key of a task");
	for (k = schema_dag_keys(); k->name != NULL; k++)
		if (schema_key(NULL, k->name) == NULL)
			complete_add(cp, k->name, "key of a DAG file");
}

static void
put_topics(struct complete *cp)
{
	const char *name;
	size_t i;

	for (i = 0; (name = help_topic_name(i)) != NULL; i++)
		complete_add(cp, name, "topic");
}

static void
put_exp_actions(struct complete *cp)
{
	const char *name, *args;
	size_t i;

	for (i = 0; (name = exp_action(i, &args)) != NULL; i++)
		complete_add(cp, name, args);
}

static void
put_nothing(struct complete *cp)
{
	(void)cp;
}

/* What the words of usage lines mean.  Words in lower case stand for themselves. */
static const struct meaning {
	const char *word;
	const char *verb; /* only of this one, or NULL */
	const char *opt;  /* only as the value of this option, or NULL */
	void (*put)(struct complete *);
} meanings[] = {
    {"NAME", "init", NULL, put_nothing}, /* a new one */
    {"NAME", "config", NULL, complete_settings},
    {"NAME", NULL, NULL, complete_dags},
    {"FILE", NULL, "params-file", put_file},
    {"FILE", NULL, NULL, put_yaml},
    {"PATH", NULL, NULL, put_file},
    {"TO", NULL, NULL, put_file},
    {"URL", NULL, NULL, put_file}, /* a path as well */
    {"DIR", NULL, NULL, put_dir},
    {"RUN", NULL, NULL, complete_runs},
    {"TASK", NULL, NULL, complete_tasks},
    {"SEL", NULL, NULL, complete_selectors},
    {"NAME=VALUE", NULL, NULL, complete_params},
    {"N", "logs", "attempt", complete_attempts},
    {"N", NULL, NULL, put_nothing},
    {"OFFSET", NULL, NULL, put_nothing},
    {"DATE", NULL, NULL, put_nothing},
    {"TIME", NULL, NULL, put_nothing},
    {"AGE", NULL, NULL, put_nothing},
    {"TARGET", NULL, NULL, complete_targets},
    {"STAGE", "stage", "name", put_nothing}, /* a new one */
    {"STAGE", NULL, NULL, complete_stages},
    {"PARAM", NULL, NULL, put_nothing},
    {"TEXT", NULL, NULL, put_nothing},
    {"REV", NULL, NULL, complete_revisions},
    {"REMOTE", NULL, NULL, complete_remotes},
    {"VALUE", NULL, NULL, put_nothing},
    {"KEY=VALUE", NULL, NULL, put_nothing},
    {"WORD", NULL, NULL, put_nothing},
    {"FIELD", NULL, NULL, put_nothing},
    {"REGEX", NULL, NULL, put_nothing},
    {"PLOT", NULL, NULL, put_file}, /* an id as well */
    {"ACTION", "exp", NULL, put_exp_actions},
    {"VERB", NULL, NULL, put_verbs},
    {"TYPE", NULL, NULL, put_types},
    {"KEY", NULL, NULL, put_keys},
    {"TOPIC", NULL, NULL, put_topics},
};

#define NMEANINGS (sizeof(meanings) / sizeof(meanings[0]))

bool
complete_knows(const char *word)
{
	size_t i;

	if (*word >= 'a' && *word <= 'z')
		return true;
	for (i = 0; i < NMEANINGS; i++)
		if (strcmp(meanings[i].word, word) == 0)
			return true;
	return false;
}

static bool
fits(const char *want, const char *name)
{
	return want == NULL || (name != NULL && strcmp(want, name) == 0);
}

static void
put_meaning(struct complete *cp, const char *word)
{
	const struct meaning *m;

	if (*word >= 'a' && *word <= 'z') {
		complete_add(cp, word, NULL);
		return;
	}
	for (m = meanings; m < meanings + NMEANINGS; m++) {
		if (strcmp(m->word, word) == 0 &&
		    fits(m->verb, cp->verb != NULL ? cp->verb->name : NULL) &&
		    fits(m->opt, cp->opt != NULL ? cp->opt->name : NULL)) {
			m->put(cp);
			return;
		}
	}
}

/* "FILE|NAME": names first, since files are only asked for where no name fits. */
static void
put_alternatives(struct complete *cp, const char *p, size_t n)
{
	static const char *const last[] = {"FILE", "DIR"};
	char word[WORD_MAX];
	const char *q;
	size_t len, i;
	bool late;
	int round;

	for (round = 0; round < 2; round++) {
		for (q = p; q < p + n; q += len + 1) {
			for (len = 0; q + len < p + n && q[len] != '|'; len++)
				;
			if (len == 0 || len >= sizeof(word))
				continue;
			memcpy(word, q, len);
			word[len] = '\0';
			late = false;
			for (i = 0; i < sizeof(last) / sizeof(last[0]); i++)
				late |= strcmp(word, last[i]) == 0;
			if (late == (round == 1))
				put_meaning(cp, word);
		}
	}
}

/* The i-th word of a usage line as "RUN [TASK]" or "[FILE|NAME|DIR...]". */
static void
put_word(struct complete *cp, size_t i)
{
	const char *p = cp->verb->args, *dots;
	size_t n;

	for (;; p += n) {
		p += strspn(p, " []");
		n = strcspn(p, " ]");
		dots = n > 3 ? strstr(p, "...") : NULL;
		if (dots != NULL && dots < p + n) {
			put_alternatives(cp, p, (size_t)(dots - p));
			return;
		}
		if (n == 0)
			return;
		if (i-- == 0) {
			put_alternatives(cp, p, n);
			return;
		}
	}
}

void
complete_add(struct complete *cp, const char *value, const char *desc)
{
	struct buf *b = &cp->c->out;

	if (strncmp(value, cp->cur, strlen(cp->cur)) != 0 ||
	    strpbrk(value, "\t\n\r") != NULL)
		return;
	cp->n++;
	buf_adds(b, cp->prefix != NULL ? cp->prefix : "");
	buf_adds(b, value);
	buf_addc(b, '\t');
	for (; desc != NULL && *desc != '\0'; desc++)
		buf_addc(b, (unsigned char)*desc < ' ' ? ' ' : *desc);
	buf_addc(b, '\n');
}

static void
put_value(struct complete *cp)
{
	const struct opt *o = cp->opt;
	size_t i;

	if (o->kind != OPT_CHOICE) {
		put_alternatives(cp, o->arg, strlen(o->arg));
		return;
	}
	for (i = 0; o->choices[i] != NULL; i++)
		complete_add(cp, o->choices[i], NULL);
}

/* Up to the end of the first sentence, or of a part of it that is short enough. */
static void
add_opt(struct complete *cp, const struct opt *o)
{
	char name[WORD_MAX], desc[DESC_MAX + 1];
	size_t n = strcspn(o->doc, ".:;(");

	while (n > 0 && o->doc[n - 1] == ' ')
		n--;
	if (n > DESC_MAX)
		for (n = DESC_MAX; n > 0 && o->doc[n] != ' '; n--)
			;
	memcpy(desc, o->doc, n);
	desc[n] = '\0';
	(void)snprintf(name, sizeof(name), "--%s", o->name);
	complete_add(cp, name, desc);
}

static void
put_opts(struct complete *cp, const struct opt *o, uint64_t seen)
{
	size_t row;

	for (row = 0; o != NULL && o[row].name != NULL; row++)
		if (o[row].doc != NULL &&
		    ((seen >> row & 1) == 0 || o[row].kind == OPT_STRINGS))
			add_opt(cp, &o[row]);
}

/* ---- what has been typed ---- */

/* The tables in force, and the options in them that have been given. */
struct known {
	const struct opt *table[2];
	uint64_t seen[2];
};

static const struct opt *
find(struct known *k, const char *name, size_t n, char letter)
{
	const struct opt *o;
	size_t t, row;

	for (t = 0; t < 2; t++) {
		o = k->table[t];
		for (row = 0; o != NULL && o[row].name != NULL; row++) {
			if (n > 0 ? strncmp(o[row].name, name, n) != 0 ||
					o[row].name[n] != '\0'
				  : o[row].letter != letter)
				continue;
			k->seen[t] |= UINT64_C(1) << row;
			return &o[row];
		}
	}
	return NULL;
}

/* The option that takes its value from what follows the word; *${value} is what the word
 * itself has of it, or NULL: the next word is it. */
static const struct opt *
take_opt(struct known *k, const char *word, const char **value)
{
	const struct opt *o;
	size_t n;

	*value = NULL;
	if (word[1] == '-') {
		n = strcspn(word + 2, "=");
		o = n > 0 ? find(k, word + 2, n, 0) : NULL;
		if (o == NULL || o->kind == OPT_FLAG)
			return NULL;
		if (word[2 + n] == '=')
			*value = word + 3 + n;
		return o;
	}
	for (word++; *word != '\0'; word++) {
		o = find(k, NULL, 0, *word);
		if (o == NULL)
			return NULL;
		if (o->kind == OPT_FLAG)
			continue;
		if (word[1] != '\0')
			*value = word + 1;
		return o;
	}
	return NULL;
}

static void
take_word(struct complete *cp, struct known *k, const char *word)
{
	const struct verb *v = cp->verb == NULL ? verb_find(word) : NULL;

	if (v != NULL) {
		cp->verb = v;
		k->table[1] = v->opts;
	} else if (cp->nwords < sizeof(cp->words) / sizeof(cp->words[0])) {
		/* Without a verb that we know there is nothing to say. */
		cp->words[cp->nwords++] = word;
	}
}

/* The value of an option that stands in what follows. */
static void
take_value(struct complete *cp, const struct opt *o, const char *value)
{
	if (strcmp(o->name, "dir") == 0)
		cp->c->dir = value;
}

/* The last word, which is to be completed. */
static void
put_last(struct complete *cp, struct known *k, bool words_only)
{
	struct known rest = *k;
	const char *value = NULL;
	const struct opt *o = NULL;

	if (!words_only && cp->cur[0] == '-') {
		o = take_opt(&rest, cp->cur, &value);
		if (o != NULL && value != NULL) {
			cp->prefix = strndup(cp->cur, (size_t)(value - cp->cur));
			cp->cur = value;
			cp->opt = o;
			put_value(cp);
			return;
		}
		put_opts(cp, k->table[1], k->seen[1]);
		put_opts(cp, k->table[0], k->seen[0]);
	} else if (cp->verb != NULL) {
		put_word(cp, cp->nwords);
	} else if (cp->nwords == 0) {
		put_verbs(cp);
	}
}

/* Nobody looks at what we would say. */
static void
give_up(int signum)
{
	(void)signum;
	_exit(EXIT_OK);
}

static void
answer(struct complete *cp, char **words)
{
	struct known k = {.table = {cli_global_opts(), NULL}};
	bool words_only = false;
	const struct opt *o;
	const char *value;

	for (; words[1] != NULL; words++) {
		if (words_only || words[0][0] != '-' || words[0][1] == '\0') {
			take_word(cp, &k, words[0]);
		} else if (strcmp(words[0], "--") == 0) {
			words_only = true;
		} else if ((o = take_opt(&k, words[0], &value)) != NULL) {
			if (value == NULL && words[2] == NULL) {
				cp->opt = o;
				cp->cur = words[1];
				put_value(cp);
				return;
			}
			take_value(cp, o, value != NULL ? value : *++words);
		}
	}
	cp->cur = words[0];
	put_last(cp, &k, words_only);
}

int
complete_run(struct cli *c, char **words)
{
	struct itimerval patience = {.it_value = {.tv_usec = PATIENCE_US}};
	struct complete cp = {.c = c, .cur = ""};

	if (words[0] == NULL)
		return EXIT_OK;
	(void)signal(SIGALRM, give_up);
	(void)setitimer(ITIMER_REAL, &patience, NULL);
	answer(&cp, words);
	free(cp.prefix);
	return EXIT_OK;
}
