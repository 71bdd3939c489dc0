#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "base/fsio.h"
#include "base/textwidth.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/live.h"

#define HEIGHT_DEFAULT 24

/*
 * Invariant: the cursor stands at the end of the last of ${rows.n} lines, whose columns are in
 * rows; or, with none, at the start of an empty line.
 */
struct live_term {
	int fd;
	unsigned width, height;
	VEC(unsigned) rows;
	struct buf last; /* the text drawn last */
};

/* Parts of a redraw.  A terminal that knows synchronized output shows it in one piece; others
 * ignore those two.  Lines are overwritten and their ends erased, never cleared first, so that
 * nothing flickers. */
#define SYNC_BEGIN "\033[?2026h"
#define SYNC_END   "\033[?2026l"
#define ERASE_EOL  "\033[K"
#define ERASE_DOWN "\033[J"

static void
measure(struct live_term *t)
{
	struct winsize ws = {0};

	t->width = cli_width(t->fd);
	t->height = HEIGHT_DEFAULT;
	if (ioctl(t->fd, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0)
		t->height = ws.ws_row;
	if (t->width == 0)
		t->width = CLI_WIDTH;
}

struct live_term *
live_term_new(int fd)
{
	struct live_term *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fd = fd;
	buf_init(&t->last, 0);
	measure(t);
	return t;
}

void
live_term_free(struct live_term *t)
{
	if (t == NULL)
		return;
	vec_release(&t->rows);
	buf_release(&t->last);
	free(t);
}

void
live_term_size(struct live_term *t, unsigned *width, unsigned *height)
{
	*width = t->width;
	*height = t->height;
}

/* Go to the start of the picture.  After a change of width its lines may take more rows. */
static void
put_home(const struct live_term *t, struct buf *b)
{
	unsigned up = 0;
	size_t i;

	for (i = 0; i < t->rows.n; i++)
		up += t->rows.v[i] == 0 ? 1 : (t->rows.v[i] + t->width - 1) / t->width;
	buf_addc(b, '\r');
	if (up > 1)
		buf_addf(b, "\033[%uA", up - 1);
}

/* The columns of a line, colours not counted. */
static unsigned
columns(const char *p, size_t n)
{
	unsigned sum = 0;
	size_t i, start;

	for (i = start = 0; i < n; i++) {
		if (p[i] != '\033')
			continue;
		sum += text_columns(p + start, i - start);
		while (i < n && p[i] != 'm')
			i++;
		start = i + 1;
	}
	return start < n ? sum + text_columns(p + start, n - start) : sum;
}

static int
write_all(struct live_term *t, const struct buf *b)
{
	if (buf_failed(b)) {
		errno = ENOMEM;
		return -1;
	}
	return fsio_write_all(t->fd, b->p, b->n);
}

int
live_term_draw(struct live_term *t, const char *text)
{
	const char *p, *nl;
	struct buf b;
	int rc;

	if (t->rows.n > 0 && strcmp(text, t->last.p) == 0)
		return 0;
	buf_init(&b, 0);
	buf_adds(&b, SYNC_BEGIN);
	put_home(t, &b);
	t->rows.n = 0;
	for (p = text; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		if (p != text)
			buf_adds(&b, "\r\n");
		buf_add(&b, p, (size_t)(nl - p));
		buf_adds(&b, ERASE_EOL);
		if (vec_push(&t->rows, columns(p, (size_t)(nl - p))) != 0)
			break;
	}
	buf_adds(&b, ERASE_DOWN SYNC_END);
	rc = write_all(t, &b);
	buf_release(&b);
	buf_clear(&t->last);
	buf_adds(&t->last, text);
	return rc;
}

int
live_term_print(struct live_term *t, const char *text)
{
	struct buf b;
	int rc;

	buf_init(&b, 0);
	put_home(t, &b);
	buf_adds(&b, ERASE_DOWN);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_addc(&b, '\r');
		buf_addc(&b, *text);
	}
	t->rows.n = 0;
	rc = write_all(t, &b);
	buf_release(&b);
	return rc;
}

void
live_term_resized(struct live_term *t)
{
	unsigned width = t->width, height = t->height;

	measure(t);
	/* Of the same size: we were stopped, and others have written since. */
	if (t->width == width && t->height == height)
		t->rows.n = 0;
	/* Draw even if the picture is the same. */
	buf_clear(&t->last);
}

int
live_term_end(struct live_term *t)
{
	int rc = 0;

	if (t->rows.n > 0)
		rc = fsio_write_all(t->fd, "\r\n", 2);
	t->rows.n = 0;
	buf_clear(&t->last);
	return rc;
}
