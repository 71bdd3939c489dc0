#include "tasks/proto/outputs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "tasks/proto/attempt_dir.h"

/*
 * Messages name the line and the key, never anything that could be a value: what a task
 * writes here may be a secret.
 */

struct parser {
	char *p;       /* what is left */
	char *end;     /* of the text, where a NUL is */
	size_t line;   /* number of the line at p */
	struct map at; /* key -> index + 1 */
	VEC(struct output) v;
	struct err *err;
};

static int
wrong(struct parser *s, size_t line, const char *what)
{
	return err_set(s->err, ERR_INVALID, "%s:%zu: %s", ATTEMPT_OUTPUTS, line, what);
}

/* Take the next line: cut its newline off and count it.  Return it with its length. */
static char *
next_line(struct parser *s, size_t *len)
{
	char *line = s->p, *nl = memchr(line, '\n', (size_t)(s->end - line));

	*len = (size_t)((nl != NULL ? nl : s->end) - line);
	s->p = nl != NULL ? nl + 1 : s->end;
	s->line++;
	return line;
}

static int
check_text(struct parser *s, const char *p, size_t len, size_t line)
{
	uint32_t c;
	int n;

	for (size_t i = 0; i < len; i += (size_t)n) {
		if (p[i] == '\0')
			return wrong(s, line, "a NUL byte; outputs are text");
		if ((n = utf8_decode(p + i, len - i, &c)) < 1)
			return wrong(s, line,
				     "not valid UTF-8; outputs are text, put other "
				     "bytes into a file");
	}
	return 0;
}

static bool
is_key(const char *p, size_t n)
{
	if (n == 0 || n > OUTPUTS_KEY_MAX || p[0] == '-' || (p[0] >= '0' && p[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
		      (p[i] >= '0' && p[i] <= '9') || p[i] == '_' || p[i] == '-'))
			return false;
	return true;
}

static int
store(struct parser *s, const char *key, char *value, size_t len, size_t line)
{
	struct output o = {.key = key, .value = value, .len = len};
	uintptr_t at;

	if (len > OUTPUTS_VALUE_MAX)
		return err_set(
		    s->err, ERR_LIMIT,
		    "%s:%zu: the value of '%s' has %zu bytes, but at most %zu are "
		    "allowed; put it into a file and publish its path",
		    ATTEMPT_OUTPUTS, line, key, len, OUTPUTS_VALUE_MAX);
	value[len] = '\0';
	at = (uintptr_t)map_get(&s->at, key);
	if (at != 0) {
		s->v.v[at - 1] = o;
		return 0;
	}
	if (vec_push(&s->v, o) != 0 || map_put(&s->at, key, (void *)s->v.n) < 0)
		return err_nomem(s->err);
	return 0;
}

/* KEY<<END: the lines up to END; ${word} of ${nword} bytes is in the line before. */
static int
take_block(struct parser *s, const char *key, const char *word, size_t nword,
	   size_t first)
{
	char *value = s->p, *line;
	size_t len;

	if (nword == 0)
		return wrong(s, first,
			     "no word follows '<<'; write KEY<<END, the lines "
			     "of the value, END");
	while (s->p < s->end) {
		size_t here = s->line;

		line = next_line(s, &len);
		if (len == nword && memcmp(line, word, len) == 0) {
			size_t n = line > value ? (size_t)(line - 1 - value) : 0;

			return store(s, key, value, n, first);
		}
		if (check_text(s, line, len, here) != 0)
			return -1;
	}
	return wrong(s, first,
		     "the value that starts here with '<<' has no closing line");
}

static int
take_line(struct parser *s)
{
	size_t first = s->line, len, nkey;
	char *line = next_line(s, &len), *mark;
	bool block;

	if (len == 0)
		return 0;
	if (check_text(s, line, len, first) != 0)
		return -1;
	/* Whichever of '=' and '<<' comes first says what the line is. */
	line[len] = '\0'; /* over the newline, or the NUL behind the text */
	mark = line + strcspn(line, "=<");
	while (mark[0] == '<' && mark[1] != '<')
		mark += 1 + strcspn(mark + 1, "=<");
	if (*mark == '\0')
		return wrong(s, first, "neither KEY=VALUE nor KEY<<END");
	block = *mark == '<';
	nkey = (size_t)(mark - line);
	if (!is_key(line, nkey))
		return wrong(
		    s, first,
		    "what stands before '=' or '<<' is no name: letters, digits, "
		    "_ and -, at most 128, the first a letter or _");
	*mark = '\0';
	mark += block ? 2 : 1;
	len -= (size_t)(mark - line);
	return block ? take_block(s, line, mark, len, first)
		     : store(s, line, mark, len, first);
}

int
outputs_parse(struct outputs *o, const char *p, size_t n, struct err *err)
{
	struct parser s = {.line = 1, .err = err};
	char *text;
	int rc = 0;

	*o = (struct outputs){0};
	if (n > OUTPUTS_FILE_MAX)
		return err_set(err, ERR_LIMIT,
			       "%s: the file is larger than %zu bytes, the limit of an "
			       "attempt; put large values into files",
			       ATTEMPT_OUTPUTS, OUTPUTS_FILE_MAX);
	if ((text = malloc(n + 1)) == NULL)
		return err_nomem(err);
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	s.p = text;
	s.end = text + n;
	while (rc == 0 && s.p < s.end)
		rc = take_line(&s);
	map_release(&s.at);
	if (rc != 0) {
		vec_release(&s.v);
		free(text);
		return -1;
	}
	*o = (struct outputs){.v = s.v.v, .n = s.v.n, .text = text};
	return 0;
}

int
outputs_read(int dirfd, struct outputs *o, struct err *err)
{
	struct err e = {0};
	struct buf b;
	int rc;

	*o = (struct outputs){0};
	buf_init(&b, OUTPUTS_FILE_MAX + 1);
	if (fsio_read(dirfd, ATTEMPT_OUTPUTS, OUTPUTS_FILE_MAX, &b, &e) == 0) {
		rc = outputs_parse(o, b.p, b.n, err);
	} else if (e.sys == ENOENT) {
		rc = 0;
	} else {
		if (err != NULL)
			*err = e;
		rc = -1;
	}
	buf_release(&b);
	return rc;
}

const struct output *
outputs_get(const struct outputs *o, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->v[i].key, key) == 0)
			return &o->v[i];
	return NULL;
}

void
outputs_release(struct outputs *o)
{
	vec_free(o->v);
	free(o->text);
	*o = (struct outputs){0};
}
