#include "store/track/move_note.h"

#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"

#define NOTE_MAX ((size_t)2 * PATH_MAX + 2)

static void
put_note(struct buf *b, const char *from, const char *to)
{
	buf_init(b, NOTE_MAX);
	buf_add(b, from, strlen(from) + 1);
	buf_add(b, to, strlen(to) + 1);
}

int
move_note_write(int state_fd, const char *name, const char *from, const char *to,
		struct err *err)
{
	struct buf b;
	int r;

	put_note(&b, from, to);
	if (b.state == BUF_NOMEM)
		r = err_nomem(err);
	else if (buf_failed(&b))
		r = err_set(err, ERR_LIMIT, "'%s' or '%s' is too long", from, to);
	else
		r = fsio_replace(state_fd, name, b.p, b.n, 0644, err);
	buf_release(&b);
	return r;
}

bool
move_note_is(int state_fd, const char *name, const char *from, const char *to)
{
	struct err why = {0};
	struct buf is, want;
	bool same = false;

	buf_init(&is, NOTE_MAX);
	put_note(&want, from, to);
	if (fsio_read(state_fd, name, NOTE_MAX, &is, &why) == 0 && !buf_failed(&want))
		same = is.n == want.n && memcmp(is.p, want.p, is.n) == 0;
	buf_release(&is);
	buf_release(&want);
	return same;
}

void
move_note_drop(int state_fd, const char *name)
{
	(void)fsio_unlink(state_fd, name);
}
