#ifndef SHELL_RANDOM_H
#define SHELL_RANDOM_H
/*
 * Random templates for the shell, with @ and ^ as in shell_template.h: mostly well-formed
 * scripts of the oracle's commands t, rd and f, sometimes a soup of tokens, sometimes with a
 * character wrong.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

static uint64_t rng;

static unsigned
pick(unsigned n)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(rng >> 33) % n;
}

#define ONE_OF(list) list[pick(sizeof(list) / sizeof(*(list)))]

static void put_list(struct buf *, int);

static void
put_piece(struct buf *b, int depth)
{
	static const char *const atoms[] = {
	    "a",
	    "b",
	    "@",
	    "@",
	    "@",
	    "^",
	    "-",
	    "x=",
	    "$V",
	    "${V}",
	    "$E",
	    "\"@\"",
	    "'@'",
	    "\"b @\"",
	    "\"\"",
	    "''",
	    "\\;",
	    "\\\\",
	    "\\'",
	    "\"$V\"",
	    "\"$E@\"",
	    "\"\\\"@\"",
	    "'\"@'",
	    "\"'@'\"",
	    "=",
	    ":",
	    "/",
	    ",",
	    "$((@))",
	    "\"$((@))\"",
	    "${U:-b}",
	    "\"${U:-b c}\"",
	    "~",
	    "{a,@}",
	    "[@]",
	    "#",
	    "$",
	    "\\\n",
	    "2",
	    "${E}@",
	    "${U:-'}'}",
	    "\\^",
	    "\\@",
	    "$V@",
	    "\"^\"",
	    "'^'",
	    "\"a ^\"",
	    "\"${U:-'}'}@\"",
	    "\"${U:-'\"'}@\"",
	    "\"$V@\"",
	    "@>/dev/null",
	    "$V^",
	    "${V@}",
	    "$'a'",
	    "\"a'b\"",
	    "'a\"b'",
	    "\\\"",
	    "!",
	    "%",
	    "+",
	};

	if (depth < 3 && pick(6) == 0) {
		static const char *const open[] = {"$(", "\"$(", "`", "\"`"};
		static const char *const close[] = {")", ")\"", "`", "`\""};
		unsigned i = pick(4);

		buf_adds(b, open[i]);
		put_list(b, depth + 1);
		buf_adds(b, close[i]);
		return;
	}
	buf_adds(b, ONE_OF(atoms));
}

static void
put_simple(struct buf *b, int depth)
{
	static const char *const start[] = {"t",
					    "t",
					    "t",
					    "f",
					    "A=@ t",
					    "A='@' t",
					    "A=$V t",
					    "2>&1 t",
					    ">/dev/null t",
					    "$E t",
					    "$E",
					    "$E ${U}",
					    "command t",
					    "t -- ^",
					    "printf %s",
					    "export A=@; t",
					    "! t",
					    "eval t",
					    "@",
					    "^"};
	unsigned n = pick(4) + 1, i, m;

	buf_adds(b, ONE_OF(start));
	while (n-- > 0) {
		buf_addc(b, ' ');
		for (i = 0, m = pick(3) + 1; i < m; i++)
			put_piece(b, depth);
	}
	if (pick(8) == 0)
		buf_adds(b, " >/dev/null");
	if (pick(8) == 0)
		buf_adds(b, " # it's \"@ (");
}

static void
put_heredoc(struct buf *b)
{
	static const char *const kinds[][2] = {
	    {"E", "E"}, {"'E'", "E"}, {"EOF", "EOF"}, {"\\E", "E"}, {"\"EOF\"", "EOF"},
	};
	static const char *const lines[] = {"@",    "a @",     "E@",	  "@OF",   "\t@",
					    "'@",   "\"@\"",   "$V @",	  "a \\",  "",
					    "EO\\", "\\$ @",   "$(t b)@", "${E}@", "# @",
					    "$@",   "`t c` @", "\\@",	  " E",	   "^"};
	unsigned k = pick(5), n = pick(4) + 1;
	bool tabs = pick(3) == 0;

	buf_addf(b, "rd <<%s%s", tabs ? "-" : "", kinds[k][0]);
	if (pick(3) == 0)
		buf_adds(b, " | t @");
	while (n-- > 0)
		buf_addf(b, "\n%s", ONE_OF(lines));
	buf_addf(b, "\n%s%s\n", tabs && pick(2) != 0 ? "\t" : "", kinds[k][1]);
}

static void
put_command(struct buf *b, int depth)
{
	static const char *const open[] = {"( ",
					   "{ ",
					   "if t; then ",
					   "if @; then t; else ",
					   "for i in a @; do ",
					   "f2() { ",
					   "case @ in qq) t;; *) ",
					   "case qq in @) t;; (qq|b) ",
					   "while ",
					   "for i in ^; do ",
					   "case b in a) t;; esac; { ",
					   "if [ @ = qq ]; then "};
	static const char *const close[] = {" )",      "; }",	  "; fi",
					    "; fi",    "; done",  "; }; f2 @",
					    ";; esac", ";; esac", "; false; do :; done",
					    "; done",  "; }",	  "; fi"};
	unsigned i;

	if (depth >= 3 || pick(3) != 0) {
		put_simple(b, depth);
		return;
	}
	if (pick(4) == 0 && depth == 0) {
		put_heredoc(b);
		return;
	}
	i = pick(12);
	buf_adds(b, open[i]);
	put_list(b, depth + 1);
	buf_adds(b, close[i]);
}

static void
put_list(struct buf *b, int depth)
{
	static const char *const seps[] = {"; ", "\n", " && ", " || ", " | ", ";\n"};

	put_command(b, depth);
	while (pick(3) == 0) {
		buf_adds(b, ONE_OF(seps));
		put_command(b, depth);
	}
}

static void
put_soup(struct buf *b)
{
	static const char *const tokens[] = {
	    "t ",	   " ",		  ";",	     "\n",	  "\"",	   "'",
	    "$(",	   ")",		  "`",	     "@",	  "@",	   "@",
	    "^",	   "#",		  "$((",     "))",	  "${E:-", "}",
	    "-",	   "=",		  "A=",	     "$E",	  "~",	   " && ",
	    " | ",	   "(",		  "{ ",	     "; }",	  "f() ",  "\\",
	    "\\\n",	   "if t; then ", "; fi",    "for i in ", "; do ", "; done",
	    "case qq in ", ") ",	  ";; esac", "rd <<E\n",  "\nE\n", "rd <<-E\n",
	    "rd <<'E'\n",  "E",		  "[",	     "]",	  ",",	   "!",
	    "t a",	   "$",		  "\t",	     "t \"",	  "t $(t "};
	unsigned n = pick(14) + 3;

	while (n-- > 0)
		buf_adds(b, ONE_OF(tokens));
}

static void
mutate(struct buf *b)
{
	static const char chars[] = "\"'`$\\@^ \n;#(){}E|=~[]!-";
	size_t at = pick((unsigned)b->n);

	if (pick(2) == 0)
		memmove(b->p + at, b->p + at + 1, b->n-- - at);
	else
		b->p[at] = chars[pick(sizeof(chars) - 1)];
}

/* Nothing that runs for ever, in the background, or writes files. */
static bool
is_tame(const char *p)
{
	const char *q;

	for (q = p; *q != '\0'; q++) {
		if (*q == '&' && q[1] != '&' && (q == p || q[-1] != '&') &&
		    strncmp(q - (q > p), ">&1", 3) != 0)
			return false;
		if (*q == '>' &&
		    (strncmp(q, ">/dev/null", 10) != 0 ||
		     strchr(" \n;)", q[10]) == NULL) &&
		    strncmp(q, ">&1", 3) != 0)
			return false;
		if (*q == '<' && q[1] != '<' && (q == p || q[-1] != '<'))
			return false;
		if (*q == '(' && q > p) {
			const char *r = q - 1;

			while (r > p && (*r == ' ' || *r == '\n' || *r == '\\' ||
					 *r == '"' || *r == '\''))
				r--;
			if ((*r == 't' || *r == 'd' || *r == 'f') && r[0] != '$' &&
			    strncmp(r, "f() {", 5) != 0)
				return false;
		}
	}
	/* A process id and a format are different in every run and for every value. */
	q = strstr(p, "printf");
	if (strstr(p, "$$") != NULL || strstr(p, "${$") != NULL ||
	    strstr(p, "$\\\n$") != NULL ||
	    (q != NULL && strncmp(q, "printf %s ", 10) != 0))
		return false;
	return strstr(p, "f() f") == NULL && strstr(p, "while") == NULL
		   ? true
		   : strstr(p, "false; do :; done") != NULL;
}

static void
make_template(struct buf *b)
{
	do {
		buf_clear(b);
		if (pick(3) == 0)
			put_soup(b);
		else
			put_list(b, 0);
		if (b->n > 0 && pick(3) == 0)
			mutate(b);
	} while (b->n == 0 || !is_tame(b->p) || strpbrk(b->p, "@^") == NULL);
}

#endif
