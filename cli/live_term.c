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
#define WHOLE_EVERY \
	10 /* pictures: whatever else was written on the terminal does not stay */

/*
 * Invariants:
 * 1. The cursor stands at the end of the last of ${rows.n} lines, whose columns are in rows
 *    (and which are on the screen); or, with none, at the start of an empty line.
 * 2. ${lost} rows of ours have been scrolled away by a terminal that became lower, and nothing
 *    has been written between them and the picture, which begins at the top of the screen.
 */
struct live_term {
	int fd;
	live_write_fn *write;
	void *ctx;
	unsigned width, height;
	VEC(unsigned) rows;
	unsigned lost;
	struct buf last; /* the text drawn last */
	unsigned pictures;
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
live_term_new(int fd, live_write_fn *write, void *ctx)
{
	struct live_term *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fd = fd;
	t->write = write;
	t->ctx = ctx;
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

/* The rows of the screen that a line takes. */
static unsigned
rows_of(const struct live_term *t, size_t i)
{
	return t->rows.v[i] == 0 ? 1 : (t->rows.v[i] + t->width - 1) / t->width;
}

/* A lower terminal has scrolled away what does not fit any more. */
static void
lose(struct live_term *t)
{
	unsigned sum = 0, first;
	size_t i, gone = 0;

	for (i = 0; i < t->rows.n; i++)
		sum += rows_of(t, i);
	while (gone < t->rows.n && sum > t->height) {
		first = rows_of(t, gone++);
		t->lost += first;
		sum = sum > first ? sum - first : 0;
	}
	t->rows.n -= gone;
	memmove(t->rows.v, t->rows.v + gone, t->rows.n * sizeof(*t->rows.v));
}

/* A higher one brings back what it has scrolled away, the last of it first, so ours: it is
 * above the picture and belongs to it again.  One that does not has the picture at its top
 * still, and there is no going up from there. */
static void
regain(struct live_term *t, unsigned more)
{
	size_t i, n = more < t->lost ? more : t->lost;

	if (n == 0 || t->rows.n == 0 || vec_reserve(&t->rows, t->rows.n + n) != 0)
		return;
	memmove(t->rows.v + n, t->rows.v, t->rows.n * sizeof(*t->rows.v));
	for (i = 0; i < n; i++)
		t->rows.v[i] = 1;
	t->rows.n += n;
	t->lost -= (unsigned)n;
}

/* Take over the size that the terminal has now; it may change between a signal and a draw. */
static void
follow_size(struct live_term *t)
{
	unsigned width = t->width, height = t->height;

	measure(t);
	if (t->width == width && t->height == height)
		return;
	/* Draw even if the picture is the same. */
	buf_clear(&t->last);
	/* How lines of another width are broken anew differs from terminal to terminal. */
	if (t->width != width)
		t->lost = 0;
	if (t->rows.n > 0 && t->height > height)
		regain(t, t->height - height);
	else if (t->rows.n > 0 && t->height < height)
		lose(t);
	if (t->width != width)
		t->lost = 0;
}

void
live_term_size(struct live_term *t, unsigned *width, unsigned *height)
{
	follow_size(t);
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
		up += rows_of(t, i);
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
write_bytes(struct live_term *t, const char *p, size_t n)
{
	return t->write != NULL ? t->write(t->ctx, p, n) : fsio_write_all(t->fd, p, n);
}

static int
write_all(struct live_term *t, const struct buf *b)
{
	if (buf_failed(b)) {
		errno = ENOMEM;
		return -1;
	}
	return write_bytes(t, b->p, b->n);
}

/* The line of n bytes is the same as the one at p, where there is one.  Move on to the next. */
static bool
is_same(const char **p, const char *line, size_t n)
{
	size_t old = *p != NULL ? strcspn(*p, "\n") : 0;
	bool same;

	if (*p == NULL || (*p)[old] == '\0') {
		*p = NULL;
		return false;
	}
	same = old == n && memcmp(*p, line, n) == 0;
	*p += old + 1;
	return same;
}

int
live_term_draw(struct live_term *t, const char *text)
{
	const char *p, *nl, *old = t->rows.n > 0 ? t->last.p : NULL;
	struct buf b;
	int rc;

	if (t->rows.n > 0 && strcmp(text, t->last.p) == 0)
		return 0;
	if (t->pictures++ % WHOLE_EVERY == 0)
		old = NULL;
	buf_init(&b, 0);
	buf_adds(&b, SYNC_BEGIN);
	put_home(t, &b);
	t->rows.n = 0;
	for (p = text; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		if (p != text)
			buf_adds(&b, "\r\n");
		/* A line that stands there already is passed over; the last one is where the cursor
		 * ends up, so that one is always written. */
		if (!is_same(&old, p, (size_t)(nl - p)) || nl[1] == '\0') {
			buf_add(&b, p, (size_t)(nl - p));
			buf_adds(&b, ERASE_EOL);
		}
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
	t->rows.n = t->lost = 0;
	rc = write_all(t, &b);
	buf_release(&b);
	return rc;
}

void
live_term_resized(struct live_term *t, bool continued)
{
	if (continued) {
		measure(t);
		t->rows.n = t->lost = 0;
	} else {
		follow_size(t);
	}
	/* Draw even if the picture is the same. */
	buf_clear(&t->last);
}

int
live_term_end(struct live_term *t)
{
	int rc = 0;

	if (t->rows.n > 0)
		rc = write_bytes(t, "\r\n", 2);
	t->rows.n = 0;
	buf_clear(&t->last);
	return rc;
}
