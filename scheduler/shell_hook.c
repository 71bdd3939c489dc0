#include "scheduler/shell_hook.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jinja.h"
#include "scheduler/render.h"
#include "scheduler/shell_scan.h"
#include "scheduler/show_value.h"

/*
 * How a value may enter the text of a shell command.  The scanner says where it would stand;
 * here is decided whether it may, and what is said if not.
 *
 * With `| sh` a value always gets its single quotes, also where it would need none: '2' is
 * never the number of a file descriptor, 'if' never a keyword, '=ls' nothing to zsh.
 */

#define EXPR_MAX 80 /* bytes of an expression that a message shows */

struct shell_hook {
	struct arena *arena;
	struct shell_scan *scan;
	const struct buf *out; /* where the text goes, all of it */
	size_t seen;	       /* bytes of it that the scanner has read */
	const char *src;       /* of the template, or NULL */
	bool list;	       /* the text ends in a list's words */
	const char *shown;     /* the last value for messages, quoted */
	char expr[EXPR_MAX + 1];
};

/* One value on its way into the text. */
struct entry {
	struct shell_hook *h;
	const struct jinja_emit *e;
	struct shell_place place;
	struct err *err;
};

struct shell_hook *
shell_hook_new(struct arena *a)
{
	struct shell_hook *h = arena_zalloc(a, sizeof(*h));

	if (h == NULL || (h->scan = shell_scan_new(a)) == NULL)
		return NULL;
	h->arena = a;
	return h;
}

void
shell_hook_source(struct shell_hook *h, const char *src)
{
	h->src = src;
}

/* ---- messages ---- */

/* The expression of an emission without its braces and `| sh`; "..." if it is unsuited. */
static void
show_expr(struct shell_hook *h, const struct jinja_emit *e)
{
	const char *p, *end, *bar;

	(void)snprintf(h->expr, sizeof(h->expr), "...");
	if (h->src == NULL || e->len < 4 || strlen(h->src) < e->offset + e->len)
		return;
	p = h->src + e->offset;
	end = p + e->len;
	if (p[0] != '{' || p[1] != '{' || end[-1] != '}' || end[-2] != '}')
		return;
	for (p += 2, end -= 2; p < end && strchr(" \t\n\r+-", *p) != NULL; p++)
		;
	if (e->filter != NULL && strcmp(e->filter, "sh") == 0 &&
	    (bar = memrchr(p, '|', (size_t)(end - p))) != NULL)
		end = bar;
	while (end > p && strchr(" \t\n\r+-", end[-1]) != NULL)
		end--;
	if (end == p || end - p > EXPR_MAX ||
	    memchr(p, '\'', (size_t)(end - p)) != NULL ||
	    memchr(p, '\n', (size_t)(end - p)) != NULL)
		return;
	(void)snprintf(h->expr, sizeof(h->expr), "%.*s", (int)(end - p), p);
}

/* Remember how to speak of the value. */
static int
introduce(struct shell_hook *h, const struct jinja_emit *e, struct err *err)
{
	struct buf text, shown;

	buf_init(&text, 0);
	buf_init(&shown, 0);
	jinja_put(&text, e->val);
	show_value(&shown, text.p, text.n);
	h->shown = buf_failed(&shown) ? NULL : arena_strdup(h->arena, shown.p);
	buf_release(&text);
	buf_release(&shown);
	show_expr(h, e);
	return h->shown != NULL ? 0 : err_nomem(err);
}

/* Refuse the value, with ways out that work where it stands. */
__attribute__((format(printf, 3, 4))) static int
refuse(const struct shell_hook *h, struct err *err, const char *fmt, ...)
{
	char why[320];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(
	    err, ERR_INVALID,
	    "the value %s cannot enter the shell command: %s" SHELL_WAYS_OUT
	    "env: {NAME: '{{ %s }}'}, and \"$NAME\" in the command; or, outside of "
	    "quotes, quote it as one word: {{ %s | sh }}",
	    h->shown, why, h->expr, h->expr);
}

/* ---- values as they are ---- */

static bool
is_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("_./:@%+=,-", c) != NULL);
}

static bool
is_number(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return n > 0;
}

static int
check_chars(const struct entry *t, const char *p, size_t n)
{
	struct buf shown;
	size_t i;
	int rc;

	for (i = 0; i < n && is_safe(p[i]); i++)
		;
	if (i == n)
		return 0;
	if (p[i] == '\0')
		return refuse(t->h, t->err, "it has a NUL byte");
	buf_init(&shown, 0);
	if ((unsigned char)p[i] < 0x80)
		show_value(&shown, p + i, 1);
	else
		buf_adds(&shown, "what is not in ASCII");
	rc = refuse(t->h, t->err, "only letters, digits and _./:@%%+=,- may, not %s",
		    shown.p);
	buf_release(&shown);
	return rc;
}

/* What the place asks of a value's first byte. */
static int
check_start(const struct entry *t, const char *p)
{
	const struct shell_place *at = &t->place;

	if (at->word_start && p[0] == '-')
		return refuse(
		    t->h, t->err,
		    "it starts a word with '-' and would be an option (write it "
		    "behind its option's '=', as in --name={{ %s }})",
		    t->h->expr);
	if (at->word_start && !at->quoted && p[0] == '=')
		return refuse(t->h, t->err,
			      "it starts a word with '=', which zsh expands");
	if (at->colon && ((p[0] >= 'a' && p[0] <= 'z') || (p[0] >= 'A' && p[0] <= 'Z')))
		return refuse(
		    t->h, t->err,
		    "it stands right behind \"$NAME:\" and would be a modifier in "
		    "zsh (write \"${NAME}:\")");
	return 0;
}

static int
check_plain(const struct entry *t, const char *p, size_t n)
{
	const struct shell_place *at = &t->place;

	if (check_chars(t, p, n) != 0)
		return -1;
	if (n == 0)
		return at->inert ? 0 : refuse(t->h, t->err, "it is empty");
	if (at->command != NULL)
		return refuse(t->h, t->err, "it stands %s and would choose the program",
			      at->command);
	if (at->digits != NULL && !is_number(p, n))
		return refuse(t->h, t->err, "it stands %s, where only digits may",
			      at->digits);
	if (at->brace)
		return refuse(t->h, t->err,
			      "it stands behind a '{' in its word, where bash may make "
			      "several words of one");
	return at->inert ? 0 : check_start(t, p);
}

/* ---- values with `| sh` ---- */

static int
check_quoted(const struct entry *t)
{
	const struct shell_place *at = &t->place;

	if (at->inside != NULL)
		return refuse(t->h, t->err,
			      "| sh stands %s, where its quotes do not hold", at->inside);
	if (at->digits != NULL)
		return refuse(t->h, t->err, "it stands %s, where only digits may",
			      at->digits);
	return 0;
}

/* Append one word between single quotes. */
static int
put_quoted(const struct entry *t, struct jinja_val v, struct buf *out)
{
	const struct shell_place *at = &t->place;
	struct buf text;
	size_t i;
	int rc = 0;

	if (v.kind == JINJA_NONE || v.kind == JINJA_UNDEFINED || v.kind == JINJA_LIST ||
	    v.kind == JINJA_DICT || v.kind == JINJA_HOST)
		return refuse(t->h, t->err,
			      "| sh takes a scalar or a list of scalars, no None and no "
			      "mapping");
	buf_init(&text, 0);
	jinja_put(&text, v);
	if (memchr(text.p, '\0', text.n) != NULL)
		rc = refuse(t->h, t->err, "it has a NUL byte");
	else if (text.p[0] == '-' && at->word_start && !at->dashdash && !at->no_options &&
		 at->command == NULL)
		rc = refuse(t->h, t->err,
			    "it starts a word with '-' and would be an option, quoted or "
			    "not (write -- before it if the program knows that)");
	buf_addc(out, '\'');
	for (i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, text.p[i]);
	buf_addc(out, '\'');
	if (rc == 0 && buf_failed(&text))
		rc = err_nomem(t->err);
	buf_release(&text);
	return rc;
}

static int
put_list(struct entry *t, const struct jinja_list *list, struct buf *out)
{
	size_t i, n = jinja_list_len(list);

	if (t->place.one_word || t->place.word_open || t->h->list)
		return refuse(
		    t->h, t->err,
		    "a list must stand alone, as words of a command's arguments "
		    "(or write {{ %s | join(',') | sh }})",
		    t->h->expr);
	if (t->place.command != NULL && n == 0)
		return refuse(
		    t->h, t->err,
		    "it is an empty list and stands %s: the word behind it would "
		    "choose the program",
		    t->place.command);
	for (i = 0; i < n; i++) {
		if (i > 0) {
			buf_addc(out, ' ');
			t->place.command = NULL;
		}
		if (put_quoted(t, jinja_list_at(list, i), out) != 0)
			return -1;
	}
	return 0;
}

/* ---- the hook ---- */

/* Let the scanner read what the author wrote since the last value. */
static int
catch_up(struct shell_hook *h, const struct buf *out, struct err *err)
{
	const char *fault;

	if ((h->out != NULL && h->out != out) || out->n < h->seen)
		return err_set(
		    err, ERR_INVALID,
		    "a value in a shell command must stand in the command itself, "
		    "not in a block that is put in later");
	h->out = out;
	if (h->list && out->n > h->seen && strchr(" \t\n;&|)<>", out->p[h->seen]) == NULL)
		return refuse(h, err,
			      "it is a list, and the text behind it would join its "
			      "last word");
	h->list = h->list && out->n == h->seen;
	shell_scan_feed(h->scan, out->p + h->seen, out->n - h->seen, false);
	h->seen = out->n;
	fault = shell_scan_fault(h->scan);
	return fault == NULL ? 0 : refuse(h, err, "by the text behind it, it %s", fault);
}

static int
put_value(struct entry *t, struct buf *out)
{
	struct jinja_val v = t->e->val;
	size_t at = out->n;
	bool sh = t->e->filter != NULL && strcmp(t->e->filter, "sh") == 0;

	if (t->place.never[0] != '\0')
		return refuse(t->h, t->err, "it stands %s", t->place.never);
	if (t->h->list)
		return refuse(t->h, t->err, "it would join the last word of a list");
	if (sh) {
		if (check_quoted(t) != 0)
			return -1;
		return v.kind == JINJA_LIST ? put_list(t, v.list, out)
					    : put_quoted(t, v, out);
	}
	if (v.kind == JINJA_NONE)
		return refuse(t->h, t->err, "it is None, not a value");
	if (v.kind == JINJA_LIST || v.kind == JINJA_DICT || v.kind == JINJA_HOST)
		return refuse(t->h, t->err, "it is %s, not one word",
			      v.kind == JINJA_LIST ? "a list" : "a mapping");
	jinja_put(out, v);
	if (buf_failed(out))
		return 0; /* the engine reports it */
	return check_plain(t, out->p + at, out->n - at);
}

int
shell_hook_emit(void *ctx, const struct jinja_emit *e, struct buf *out, struct err *err)
{
	struct shell_hook *h = ctx;
	struct entry t = {.h = h, .e = e, .err = err};
	const char *fault;
	size_t at;

	if (catch_up(h, out, err) != 0 || introduce(h, e, err) != 0)
		return -1;
	shell_scan_place(h->scan, &t.place);
	at = out->n;
	if (put_value(&t, out) != 0) {
		buf_truncate(out, at);
		return -1;
	}
	if (buf_failed(out))
		return 0;
	shell_scan_feed(h->scan, out->p + at, out->n - at, true);
	h->seen = out->n;
	h->list = e->val.kind == JINJA_LIST;
	if ((fault = shell_scan_fault(h->scan)) != NULL)
		return refuse(h, err, "it %s", fault);
	return 0;
}

int
shell_hook_done(void *ctx, const struct buf *out, struct err *err)
{
	struct shell_hook *h = ctx;
	const char *fault;

	if (catch_up(h, out, err) != 0)
		return -1;
	shell_scan_end(h->scan);
	fault = shell_scan_fault(h->scan);
	return fault == NULL ? 0 : refuse(h, err, "by the text behind it, it %s", fault);
}
