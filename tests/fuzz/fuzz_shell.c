/*
 * The shell's rule.  The input is a template and, behind its last byte 0xff, a value: @ stands
 * for {{ x }} and ^ for {{ x | sh }}.  Where both the value and a harmless word are let in,
 * and the author's text is no more than words and quotes, the words that a shell makes of the
 * two texts are the same but for the value.  The splitter here is written from POSIX and
 * shares nothing with the scanner.
 */
#include <stdbool.h>

#include "base/jinja.h"
#include "fuzz.h"
#include "scheduler/render.h"
#include "scheduler/shell_hook.h"

#define HARMLESS   "ZqZ7"
#define HARMLESS_N "31" /* where only digits may stand */
#define WORDS_MAX  256

/* Return 0 and the text; -1 if the value is refused. */
static int
render(const char *tpl, size_t n, struct jinja_val v, struct buf *out)
{
	struct arena *a = fuzz_need(arena_new(0));
	struct shell_hook *h = fuzz_need(shell_hook_new(a));
	struct err err = {0};
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct jinja_emit e = {.val = v, .filter = tpl[i] == '^' ? "sh" : NULL};

		if (tpl[i] == '@' || tpl[i] == '^')
			rc = shell_hook_emit(h, &e, out, &err);
		else
			buf_addc(out, tpl[i]);
	}
	if (rc == 0)
		rc = shell_hook_done(h, out, &err);
	CHECK(rc == 0 || err.msg[0] != '\0');
	CHECK(!buf_failed(out));
	arena_free(a);
	return rc;
}

struct words {
	struct buf v[WORDS_MAX];
	size_t n;
};

static void
words_release(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		buf_release(&w->v[i]);
}

/* One piece of a word that begins at ${p}: its length, or 0 if it is no plain one.  What of
 * the ${special} characters stands outside of quotes is none. */
static size_t
piece(const char *p, const char *special, struct buf *word)
{
	size_t n = 1;

	if (*p == '\'') {
		n = strcspn(p + 1, "'");
		if (p[1 + n] != '\'')
			return 0;
		buf_add(word, p + 1, n);
		return n + 2;
	}
	if (*p == '\\') {
		if (p[1] == '\0' || p[1] == '\n')
			return 0;
		buf_addc(word, p[1]);
		return 2;
	}
	if (*p == '"') {
		for (; p[n] != '"'; n++) {
			if (p[n] == '\0' || strchr("$`!", p[n]) != NULL)
				return 0;
			if (p[n] == '\\' && strchr("$`\"\\\n", p[n + 1]) != NULL) {
				if (p[n + 1] == '\0' || p[n + 1] == '\n')
					return 0;
				n++;
			}
			buf_addc(word, p[n]);
		}
		return n + 1;
	}
	if (strchr(special, *p) != NULL)
		return 0;
	buf_addc(word, *p);
	return 1;
}

/* Split ${p} as a shell does.  false where there is more in it than words and quotes. */
static bool
split(const char *p, const char *special, struct words *w)
{
	size_t n;

	w->n = 0;
	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0')
			return true;
		if (w->n == WORDS_MAX)
			return false;
		buf_init(&w->v[w->n++], 0);
		for (; *p != '\0' && strchr(" \t\n", *p) == NULL; p += n)
			if ((n = piece(p, special, &w->v[w->n - 1])) == 0)
				return false;
	}
}

/* Whether the words have none that the grammar may take for its own. */
static bool
no_keyword(const struct words *w)
{
	static const char *const reserved[] = {
	    "if",    "then",  "else",	  "elif",   "fi",    "do",
	    "done",  "case",  "esac",	  "for",    "in",    "time",
	    "while", "until", "function", "coproc", "select"};

	for (size_t k = 0; k < w->n; k++)
		for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
			if (strcmp(w->v[k].p, reserved[i]) == 0)
				return false;
	return true;
}

/* The word with the value for every harmless one. */
static void
put_value(struct buf *word, const char *harmless, const char *value)
{
	size_t n = strlen(harmless);
	struct buf out;

	buf_init(&out, 0);
	for (size_t i = 0; i < word->n;)
		if (word->n - i >= n && memcmp(word->p + i, harmless, n) == 0) {
			buf_adds(&out, value);
			i += n;
		} else {
			buf_addc(&out, word->p[i++]);
		}
	buf_release(word);
	*word = out;
}

static void
check_words(const char *base, const char *harmless, const char *text, const char *value)
{
	/* What means something in some place of some shell; the value may bring = and %. */
	static const char special[] = "|&;<>()$`*?[]#~!{}",
			  author[] = "|&;<>()$`*?[]#~!{}=%";
	static struct words want, got;

	if (split(base, author, &want) && no_keyword(&want)) {
		CHECK(split(text, special, &got));
		CHECK(want.n == got.n);
		for (size_t i = 0; i < want.n; i++) {
			put_value(&want.v[i], harmless, value);
			CHECK(strcmp(want.v[i].p, got.v[i].p) == 0);
		}
		words_release(&got);
	}
	words_release(&want);
}

/* A value with record separators is a list of what stands between them: where it is let in
 * behind a plain command, the words are its members. */
static void
check_list(const char *tpl, char *value)
{
	static struct words got;
	struct arena *a = fuzz_need(arena_new(0));
	struct jinja_list *list = fuzz_need(jinja_list_new(a));
	struct jinja_val v = {.kind = JINJA_LIST, .list = list};
	struct buf text;
	char *p;
	size_t n = 0;

	while ((p = strsep(&value, "\x1e")) != NULL)
		CHECK(jinja_list_push(a, list, jinja_str(p)) == 0);
	buf_init(&text, 0);
	(void)render(tpl, strlen(tpl), v, &text);
	buf_clear(&text);
	if (render("t ^ ^", 5, v, &text) == 0) {
		CHECK(split(text.p, "|&;<>()$`*?[]#~!{}", &got));
		CHECK(got.n == 1 + 2 * jinja_list_len(list));
		for (size_t i = 1; i < got.n; i++, n++)
			CHECK(strcmp(got.v[i].p,
				     jinja_list_at(list, n % jinja_list_len(list)).s.p) ==
			      0);
		words_release(&got);
	}
	buf_release(&text);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *bar = n != 0 ? memrchr(data, 0xff, n) : NULL;
	size_t ntpl = bar != NULL ? (size_t)(bar - data) : n;
	char *value =
	    bar != NULL ? fuzz_string(bar + 1, n - ntpl - 1) : fuzz_string(data, 0);
	char *tpl = fuzz_string(data, ntpl);
	bool digits = value[0] != '\0' && value[strspn(value, "0123456789")] == '\0';
	const char *harmless = digits ? HARMLESS_N : HARMLESS;
	struct buf text, base;

	if (strchr(value, '\x1e') != NULL) {
		check_list(tpl, value);
		free(tpl);
		free(value);
		return 0;
	}
	ntpl = strlen(tpl);
	buf_init(&text, 0);
	buf_init(&base, 0);
	if (render(tpl, ntpl, jinja_str(value), &text) == 0) {
		/* Each value is at most quoted, each quote in it becomes four characters. */
		CHECK(text.n <= ntpl * (4 * strlen(value) + 2) + ntpl);
		/* The author's own text must not look like the harmless word, quoted or not. */
		if (strpbrk(tpl, digits ? "31" : "Z") == NULL &&
		    render(tpl, ntpl, jinja_str(harmless), &base) == 0)
			check_words(base.p, harmless, text.p, value);
	}
	buf_release(&text);
	buf_release(&base);
	free(tpl);
	free(value);
	return 0;
}
