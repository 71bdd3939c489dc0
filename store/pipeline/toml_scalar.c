/* Strings, numbers and words of TOML. */
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "store/pipeline/toml_internal.h"
#include "store/pipeline/value.h"

/* ---- strings ---- */

static bool
at(const struct toml *t, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(t->end - t->p) >= n && memcmp(t->p, s, n) == 0;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
unicode(struct toml *t, int digits)
{
	const char *from = t->p;
	uint32_t c = 0;
	char out[4];

	for (int i = 0; i < digits; i++, t->p++) {
		if (t->p == t->end || hex(*t->p) < 0)
			return toml_say(t, from, "\\%c needs %d hexadecimal digits",
					from[-1], digits);
		c = c << 4 | (uint32_t)hex(*t->p);
	}
	if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return toml_say(t, from, "there is no character of that number");
	buf_add(&t->word, out, utf8_encode(c, out));
	return 0;
}

/* Behind a backslash at the end of a line: the blanks up to the next text are left out. */
static bool
continued(struct toml *t)
{
	const char *from = t->p;

	toml_blanks(t);
	if (!toml_newline(t)) {
		t->p = from;
		return false;
	}
	do
		toml_blanks(t);
	while (toml_newline(t));
	return true;
}

static int
escape(struct toml *t, bool lines)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *which;
	char c;

	if (lines && continued(t))
		return 0;
	if (t->p == t->end)
		return 0; /* the missing quote is told */
	c = *t->p++;
	if (c == 'u' || c == 'U')
		return unicode(t, c == 'u' ? 4 : 8);
	which = c != '\0' ? strchr(from, c) : NULL;
	if (which == NULL)
		return toml_say(t, t->p - 2,
				"an unknown escape: \\\\ is a plain backslash");
	buf_addc(&t->word, to[which - from]);
	return 0;
}

/* The quotes that end a string of several lines; up to two before them belong to it. */
static bool
ends_lines(struct toml *t, char quote)
{
	size_t n = 0;

	while (t->p + n < t->end && t->p[n] == quote && n < 5)
		n++;
	if (n < 3)
		return false;
	for (size_t i = 3; i < n; i++)
		buf_addc(&t->word, quote);
	t->p += n;
	return true;
}

static bool
is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7F;
}

int
toml_string(struct toml *t, bool may_have_lines)
{
	const char *from = t->p;
	char quote = *t->p;
	bool lines = may_have_lines && at(t, quote == '"' ? "\"\"\"" : "'''");

	buf_clear(&t->word);
	t->p += lines ? 3 : 1;
	if (lines)
		(void)toml_newline(t);
	while (t->p < t->end) {
		if (lines ? ends_lines(t, quote) : *t->p == quote) {
			t->p += lines ? 0 : 1;
			return 0;
		}
		if (*t->p == '\\' && quote == '"') {
			t->p++;
			if (escape(t, lines) != 0)
				return -1;
		} else if (lines && (*t->p == '\n' || at(t, "\r\n"))) {
			(void)toml_newline(t);
			buf_addc(&t->word, '\n');
		} else if (*t->p == '\n' || is_control(*t->p)) {
			break;
		} else {
			buf_addc(&t->word, *t->p++);
		}
	}
	if (t->p < t->end && *t->p != '\n')
		return toml_say(t, t->p, "a control character in a string");
	return toml_say(t, from, "this string does not end%s",
			lines ? "" : " on its line");
}

/* ---- numbers ---- */

static const char *
digits(const char *s, const char *set)
{
	/* Underscores stand between digits only. */
	while (*s != '\0' && strchr(set, *s) != NULL) {
		s++;
		if (*s == '_' && s[1] != '\0' && strchr(set, s[1]) != NULL)
			s++;
	}
	return s;
}

#define DECIMAL "0123456789"

static bool
is_number(const char *s, bool *is_float)
{
	const char *p = s + (*s == '+' || *s == '-'), *q;

	*is_float = false;
	if (s == p && p[0] == '0' && p[1] != '\0' && strchr("xob", p[1]) != NULL) {
		q = digits(p + 2, p[1] == 'x'	? DECIMAL "abcdefABCDEF"
				  : p[1] == 'o' ? "01234567"
						: "01");
		return q > p + 2 && *q == '\0';
	}
	q = digits(p, DECIMAL);
	if (q == p || (*p == '0' && q > p + 1))
		return false;
	if (*q == '.') {
		*is_float = true;
		p = q + 1;
		q = digits(p, DECIMAL);
		if (q == p)
			return false;
	}
	if (*q == 'e' || *q == 'E') {
		*is_float = true;
		p = q + 1 + (q[1] == '+' || q[1] == '-');
		q = digits(p, DECIMAL);
		if (q == p)
			return false;
	}
	return *q == '\0';
}

/* What YAML calls the same number; NULL if it is none. */
static const char *
yaml_spelling(const char *s)
{
	static const char *const odd[][2] = {{"inf", ".inf"},	{"+inf", ".inf"},
					     {"-inf", "-.inf"}, {"nan", ".nan"},
					     {"+nan", ".nan"},	{"-nan", ".nan"}};
	bool is_float;

	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		if (strcmp(s, odd[i][0]) == 0)
			return odd[i][1];
	if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0)
		return s;
	return is_number(s, &is_float) ? s : NULL;
}

/* 1979-05-27, 07:32 ... */
static bool
is_time(const char *s)
{
	size_t n = strspn(s, DECIMAL);

	return (n == 4 && s[4] == '-') || (n == 2 && s[2] == ':');
}

/* Two digits of at most ${most}; they are skipped. */
static bool
take_two(const char **s, int most)
{
	int n;

	if (strspn(*s, DECIMAL) < 2)
		return false;
	n = ((*s)[0] - '0') * 10 + (*s)[1] - '0';
	*s += 2;
	return n <= most;
}

static bool
take_one(const char **s, const char *set)
{
	if (**s == '\0' || strchr(set, **s) == NULL)
		return false;
	(*s)++;
	return true;
}

/* 07:32:00.999 */
static bool
take_clock(const char **s)
{
	size_t n;

	if (!take_two(s, 23) || !take_one(s, ":") || !take_two(s, 59) ||
	    !take_one(s, ":") || !take_two(s, 59))
		return false;
	if (!take_one(s, "."))
		return true;
	n = strspn(*s, DECIMAL);
	*s += n;
	return n > 0;
}

/* Whether there is such a day. */
static bool
take_day(const char **s)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *at = *s;
	int year = 0, month, day;

	for (int i = 0; i < 4; i++, at++)
		year = year * 10 + *at - '0';
	*s = at + 1;
	if (!take_two(s, 12) || !take_one(s, "-") || !take_two(s, 31))
		return false;
	month = (at[1] - '0') * 10 + at[2] - '0';
	day = (at[4] - '0') * 10 + at[5] - '0';
	if (year == 0 || month == 0 || day == 0 || day > days[month - 1])
		return false;
	return month != 2 || day < 29 ||
	       (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* ${s}, which begins as a date or a time, is one. */
static bool
is_whole_time(const char *s)
{
	if (s[2] == ':')
		return take_clock(&s) && *s == '\0';
	if (!take_day(&s))
		return false;
	if (*s == '\0')
		return true;
	if (!take_one(&s, "Tt ") || !take_clock(&s))
		return false;
	if (take_one(&s, "+-"))
		return take_two(&s, 23) && take_one(&s, ":") && take_two(&s, 59) &&
		       *s == '\0';
	(void)take_one(&s, "Zz");
	return *s == '\0';
}

/* Between a date and its time may stand a blank. */
static int
date(struct toml *t, const char *from, struct yaml_node **out)
{
	struct diag_pos at;

	if (!t->dates)
		return toml_say(
		    t, from,
		    "a date or a time cannot be a value: quote it, to make it "
		    "a text");
	if (t->word.n == strlen("1979-05-27") && t->end - t->p > 3 && *t->p == ' ' &&
	    strspn(t->p + 1, DECIMAL) == 2 && t->p[3] == ':')
		do
			buf_addc(&t->word, *t->p++);
		while (t->p < t->end && strchr(" \t\r\n,]}#", *t->p) == NULL);
	if (!buf_failed(&t->word) && !is_whole_time(t->word.p))
		return toml_say(t, from, "'%.100s' is no date and no time", t->word.p);
	*out = value_str(t->a, t->word.p, t->word.n, NULL);
	if (buf_failed(&t->word) || *out == NULL) {
		t->nomem = true;
		return -1;
	}
	at = diag_place(t->file, t->text, (size_t)(t->end - t->text),
			(size_t)(from - t->text));
	(*out)->style = YAML_STYLE_PLAIN;
	(*out)->line = at.line;
	(*out)->col = at.col;
	return 0;
}

static int
bare(struct toml *t, struct yaml_node **out)
{
	const char *from = t->p, *text;
	struct yaml_node *n;

	buf_clear(&t->word);
	while (t->p < t->end && strchr(" \t\r\n,]}#=", *t->p) == NULL)
		buf_addc(&t->word, *t->p++);
	if (t->word.n == 0)
		return toml_say(t, from, "there is no value");
	if (is_time(t->word.p))
		return date(t, from, out);
	text = yaml_spelling(t->word.p);
	if (text == NULL)
		return toml_say(t, from,
				"'%.100s' is no value: quote it, if it is a text",
				t->word.p);
	n = value_str(t->a, text, strlen(text), NULL);
	if (n != NULL) {
		n->style = YAML_STYLE_PLAIN;
		n->kind = YAML_NULL; /* value_settle() tells */
	}
	if (n == NULL || value_settle(t->a, n, t->d, t->file) != 0) {
		t->nomem = true;
		return -1;
	}
	*out = n;
	return 0;
}

int
toml_scalar(struct toml *t, struct yaml_node **out)
{
	if (t->p == t->end || (*t->p != '"' && *t->p != '\''))
		return bare(t, out);
	if (toml_string(t, true) != 0)
		return -1;
	*out = value_str(t->a, t->word.p, t->word.n, NULL);
	if (*out == NULL)
		t->nomem = true;
	return *out != NULL ? 0 : -1;
}
