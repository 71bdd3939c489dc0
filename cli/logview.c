#include "cli/logview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "tasks/proto/logfile.h"

#define BLOCK	    ((size_t)64 << 10)
#define QUOTE_BYTES 4096

/* Fill p with the n bytes at offset; *got is where the kept ones among them start. */
static int
read_block(int dirfd, uint64_t offset, char *p, size_t n, size_t *got, struct err *err)
{
	struct log_chunk chunk;
	size_t at = 0;

	*got = 0;
	while (at < n) {
		if (log_read(dirfd, offset + at, p + at, n - at, &chunk, err) != 0)
			return -1;
		if (chunk.gap > 0) {
			/* Older bytes are gone: only what follows the gap is usable. */
			if (chunk.offset >= offset + n) {
				*got = n;
				return 0;
			}
			at = (size_t)(chunk.offset - offset);
			*got = at;
			continue;
		}
		if (chunk.n == 0)
			break;
		at += chunk.n;
	}
	return 0;
}

int
logview_tail(int dirfd, uint64_t lines, uint64_t *offset, struct err *err)
{
	char *p = malloc(BLOCK);
	struct log_chunk chunk;
	uint64_t pos, start, seen = 0;
	size_t n, i, kept;
	int rc;

	if (p == NULL)
		return err_nomem(err);
	rc = log_read(dirfd, 0, p, 1, &chunk, err);
	pos = *offset = chunk.end;
	while (rc == 0 && pos > 0 && lines > 0) {
		start = pos > BLOCK ? pos - BLOCK : 0;
		n = (size_t)(pos - start);
		rc = read_block(dirfd, start, p, n, &kept, err);
		for (i = n; rc == 0 && i > kept; i--) {
			/* The newline at the very end closes the last line. */
			if (p[i - 1] != '\n' || start + i == chunk.end)
				continue;
			if (++seen == lines) {
				*offset = start + i;
				goto out;
			}
		}
		pos = *offset = start + kept;
		if (kept > 0)
			break;
	}
out:
	free(p);
	return rc;
}

static void
tell_gap(struct cli *c, const struct log_chunk *chunk, const char *label)
{
	struct buf b;

	buf_init(&b, 0);
	num_put_size(&b, chunk->gap);
	cli_note(c, "%s: %s of the log are not kept (bytes %llu to %llu)", label, b.p,
		 (unsigned long long)(chunk->offset - chunk->gap),
		 (unsigned long long)chunk->offset);
	buf_release(&b);
}

int
logview_copy(struct cli *c, int dirfd, uint64_t *offset, const char *label,
	     struct err *err)
{
	char *p = malloc(BLOCK);
	struct log_chunk chunk;
	int rc = p == NULL ? err_nomem(err) : 0;

	while (rc >= 0) {
		if (log_read(dirfd, *offset, p, BLOCK, &chunk, err) != 0) {
			rc = -1;
			break;
		}
		if (chunk.gap > 0) {
			tell_gap(c, &chunk, label);
			*offset += chunk.gap;
			rc = 1;
		}
		if (chunk.n == 0)
			break;
		*offset = chunk.offset + chunk.n;
		rc = 1;
		buf_add(&c->out, p, chunk.n);
		if (cli_flush(c) != 0)
			rc =
			    err_sys(err, c->out_errno, "cannot write to standard output");
	}
	free(p);
	return rc;
}

int
logview_last(int dirfd, uint64_t lines, size_t max, struct buf *out, struct err *err)
{
	struct log_chunk chunk;
	uint64_t offset;
	char *p;
	int rc;

	if (logview_tail(dirfd, lines, &offset, err) != 0)
		return -1;
	p = malloc(max);
	if (p == NULL)
		return err_nomem(err);
	rc = log_read(dirfd, offset, p, 1, &chunk, err);
	if (rc == 0 && chunk.end > offset + max)
		offset = chunk.end - max;
	while (rc == 0 && max > 0) {
		rc = log_read(dirfd, offset, p, max, &chunk, err);
		if (rc != 0 || chunk.n == 0)
			break;
		buf_add(out, p, chunk.n);
		offset = chunk.offset + chunk.n;
		max -= chunk.n;
	}
	free(p);
	return rc;
}

/* ---- quoted ---- */

/* Copy without the escape sequences of colours and cursors: here they would be noise. */
static char *
without_escapes(const char *p, size_t n)
{
	char *out = malloc(n + 1);
	size_t i, k = 0;

	for (i = 0; out != NULL && i < n; i++) {
		if (p[i] != '\033' || i + 1 == n || p[i + 1] != '[') {
			out[k++] = p[i];
			continue;
		}
		for (i += 2; i < n && (p[i] < '@' || p[i] > '~'); i++)
			;
	}
	if (out != NULL)
		out[k] = '\0';
	return out;
}

static void
quote_line(struct buf *b, const char *p, size_t n, unsigned width)
{
	const char *cr;
	char *line;

	/* Of a progress bar only what it came to. */
	if (n > 0 && p[n - 1] == '\r')
		n--;
	cr = n > 0 ? memrchr(p, '\r', n) : NULL;
	if (cr != NULL) {
		n -= (size_t)(cr + 1 - p);
		p = cr + 1;
	}
	line = without_escapes(p, n);
	buf_adds(b, "      | ");
	if (line != NULL)
		(void)text_fit(b, line, width > 20 ? width - 9 : (unsigned)-1);
	while (b->n > 0 && b->p[b->n - 1] == ' ')
		buf_truncate(b, b->n - 1);
	buf_addc(b, '\n');
	free(line);
}

void
logview_quote(struct buf *b, int dirfd, uint64_t lines, unsigned width)
{
	const char *p, *nl;
	struct buf log;

	buf_init(&log, 0);
	if (logview_last(dirfd, lines, QUOTE_BYTES, &log, NULL) == 0) {
		for (p = log.p; p < log.p + log.n; p = nl + 1) {
			nl = memchr(p, '\n', (size_t)(log.p + log.n - p));
			if (nl == NULL)
				nl = log.p + log.n;
			quote_line(b, p, (size_t)(nl - p), width);
		}
	}
	buf_release(&log);
}
