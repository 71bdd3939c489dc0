/*
 * Output and messages of the verbs.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/fsio.h"
#include "cli/cli.h"
#include "cli/table.h"

#define FLUSH_AT ((size_t)64 << 10)

int
cli_exit_code(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return EXIT_OK;
	case ERR_FAILED:
		return EXIT_WORK;
	case ERR_INVALID:
	case ERR_NOTFOUND:
	case ERR_EXISTS:
	case ERR_LIMIT:
		return EXIT_USAGE;
	case ERR_CANCELLED:
		return EXIT_INTERRUPTED;
	case ERR_SYS:
	case ERR_BUSY:
	case ERR_STALE:
	case ERR_FULL:
	case ERR_CORRUPT:
	case ERR_NEWER:
	case ERR_NOMEM:
		break;
	}
	return EXIT_DAG;
}

int
cli_flush(struct cli *c)
{
	if (buf_failed(&c->out) && c->out_errno == 0)
		c->out_errno = ENOMEM;
	if (c->out.n > 0 && c->out_errno == 0 &&
	    fsio_write_all(STDOUT_FILENO, c->out.p, c->out.n) != 0)
		c->out_errno = errno;
	buf_clear(&c->out);
	return c->out_errno == 0 ? 0 : -1;
}

int
cli_flush_some(struct cli *c)
{
	return c->out.n < FLUSH_AT && !buf_failed(&c->out) ? 0 : cli_flush(c);
}

bool
cli_is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

bool
cli_color(const struct cli *c, int fd)
{
	const char *no = getenv("NO_COLOR");

	if (c->color != COLOR_AUTO)
		return c->color == COLOR_ALWAYS;
	if (no != NULL && *no != '\0')
		return false;
	return cli_is_terminal(fd);
}

unsigned
cli_width(int fd)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) != 0)
		return 0;
	return ws.ws_col == 0		   ? CLI_WIDTH
	       : ws.ws_col > CLI_WIDTH_MAX ? CLI_WIDTH_MAX
					   : ws.ws_col;
}

/* "dag: error: text", further lines of the text indented. */
static void
put_message(struct cli *c, struct buf *b, const char *word, const char *ansi,
	    const char *text)
{
	bool color = cli_color(c, STDERR_FILENO);
	size_t from = b->n;
	const char *nl;

	buf_adds(b, "dag: ");
	if (*word != '\0')
		buf_addf(b, "%s%s:%s ", color ? ansi : "", word, color ? "\033[0m" : "");
	while ((nl = strchr(text, '\n')) != NULL && nl[1] != '\0') {
		buf_add(b, text, (size_t)(nl - text));
		buf_adds(b, "\n  ");
		text = nl + 1;
	}
	buf_add(b, text, strcspn(text, "\n"));
	buf_addc(b, '\n');
	text_wrap(b, from, cli_width(STDERR_FILENO));
}

void
cli_put_message(struct cli *c, struct buf *b, bool warning, const char *text)
{
	put_message(c, b, warning ? "warning" : "", "\033[1;33m", text);
}

/* The same on stderr, in one write. */
static void
say(struct cli *c, const char *word, const char *ansi, const char *text)
{
	struct buf b;

	/* What was printed before must not appear behind it. */
	(void)cli_flush(c);
	buf_init(&b, 0);
	put_message(c, &b, word, ansi, text);
	/* Where stderr takes nothing there is nobody left to tell. */
	(void)fsio_write_all(STDERR_FILENO, b.p, b.n);
	buf_release(&b);
}

static void __attribute__((format(printf, 4, 0)))
vsay(struct cli *c, const char *word, const char *ansi, const char *fmt, va_list ap)
{
	struct buf b;

	buf_init(&b, 0);
	buf_vaddf(&b, fmt, ap);
	say(c, word, ansi, b.p);
	buf_release(&b);
}

void
cli_error(struct cli *c, const char *text)
{
	say(c, "error", "\033[1;31m", text);
}

int
cli_fail(struct cli *c, const struct err *err)
{
	int rc = cli_exit_code(err->code);

	cli_error(c, err->msg);
	return rc == EXIT_OK ? EXIT_DAG : rc;
}

int
cli_usage(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(c, "error", "\033[1;31m", fmt, ap);
	va_end(ap);
	if (c->verb != NULL)
		cli_note(c, "try 'dag help %s'", c->verb->name);
	else
		cli_note(c, "try 'dag help'");
	return EXIT_USAGE;
}

void
cli_note(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(c, "", "", fmt, ap);
	va_end(ap);
}

void
cli_warn(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(c, "warning", "\033[1;33m", fmt, ap);
	va_end(ap);
}

void
cli_diag(struct cli *c, struct diag *d)
{
	struct buf b;

	(void)cli_flush(c);
	buf_init(&b, 0);
	diag_print(d, &b, cli_color(c, STDERR_FILENO), cli_width(STDERR_FILENO));
	(void)fsio_write_all(STDERR_FILENO, b.p, b.n);
	buf_release(&b);
}
