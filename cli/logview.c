#include "cli/logview.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "cli/cli.h"
#include "tasks/proto/logfile.h"

#define BLOCK ((size_t)64 << 10)

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
