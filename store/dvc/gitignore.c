#include "store/dvc/gitignore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/ignore.h"

#define FILE_NAME ".gitignore"

void
gitignore_entry(struct buf *out, const char *name)
{
	size_t i, n = strlen(name);

	buf_addc(out, '/');
	for (i = 0; i < n; i++) {
		if (strchr("\\[]!*#?", name[i]) != NULL || (name[i] == ' ' && i + 1 == n))
			buf_addc(out, '\\');
		/* A line cannot hold its own end; any character will do. */
		buf_addc(out, name[i] == '\n' || name[i] == '\r' ? '?' : name[i]);
	}
}

/* A file as it is, and the directory part of its path. */
struct file {
	struct buf path, text;
	mode_t mode;
	bool exists;
};

static void
file_release(struct file *f)
{
	buf_release(&f->path);
	buf_release(&f->text);
}

/* Read the .gitignore beside ${path}.  One that is a link is not read by git either. */
static int
file_read(struct file *f, int root_fd, const char *path, struct err *err)
{
	size_t dir = (size_t)(path_basename(path) - path);
	struct stat st;
	int fd, rc;

	buf_init(&f->path, 0);
	buf_init(&f->text, IGNORE_FILE_MAX);
	buf_add(&f->path, path, dir);
	buf_adds(&f->path, FILE_NAME);
	f->mode = 0666;
	f->exists = false;
	if (buf_failed(&f->path))
		return err_nomem(err);
	fd = fsio_open_beneath(root_fd, f->path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 && errno == ELOOP)
		return err_set(err, ERR_INVALID,
			       "'%s' is a link, which git does not read: make it a file",
			       f->path.p);
	if (fd == -1 || fstat(fd, &st) != 0) {
		rc = err_sys(err, errno, "cannot read '%s'", f->path.p);
	} else if (!S_ISREG(st.st_mode)) {
		rc = err_set(err, ERR_INVALID, "'%s' is no regular file", f->path.p);
	} else {
		f->mode = st.st_mode & 0777;
		f->exists = true;
		rc = fsio_read_fd(fd, IGNORE_FILE_MAX, &f->text, err);
		if (rc != 0)
			(void)err_wrap(err, "'%s'", f->path.p);
	}
	if (fd != -1)
		(void)close(fd);
	return rc;
}

/* The next line of the text, its end included. */
static size_t
line_at(const struct buf *text, size_t at)
{
	const char *eol = memchr(text->p + at, '\n', text->n - at);

	return eol != NULL ? (size_t)(eol - text->p) - at + 1 : text->n - at;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Is the line this entry, white space aside? */
static bool
line_is(const char *p, size_t n, const char *entry)
{
	size_t len = strlen(entry);

	while (n > len && is_blank(p[n - 1]))
		n--;
	while (n > len && is_blank(*p)) {
		p++;
		n--;
	}
	return n == len && memcmp(p, entry, n) == 0;
}

static bool
has_line(const struct buf *text, const char *entry)
{
	size_t at, n;

	for (at = 0; at < text->n; at += n) {
		n = line_at(text, at);
		if (line_is(text->p + at, n, entry) && text->p[at] == '/' &&
		    text->p[at + n - 1] == '\n')
			return true;
	}
	return false;
}

int
gitignore_add(int root_fd, const char *path, struct err *err)
{
	struct buf entry;
	struct file f;
	int rc;

	buf_init(&entry, 0);
	gitignore_entry(&entry, path_basename(path));
	rc = file_read(&f, root_fd, path, err);
	if (rc == 0 && buf_failed(&entry))
		rc = err_nomem(err);
	if (rc == 0 && !has_line(&f.text, entry.p)) {
		if (f.text.n > 0 && f.text.p[f.text.n - 1] != '\n')
			buf_addc(&f.text, '\n');
		buf_add(&f.text, entry.p, entry.n);
		buf_addc(&f.text, '\n');
		if (f.text.state == BUF_TOOBIG)
			rc = err_set(err, ERR_LIMIT, "'%s' would pass the limit of 1 MiB",
				     f.path.p);
		else if (buf_failed(&f.text))
			rc = err_nomem(err);
		else
			rc = fsio_replace(root_fd, f.path.p, f.text.p, f.text.n, f.mode,
					  err);
		rc = rc == 0 ? 1 : -1;
	}
	file_release(&f);
	buf_release(&entry);
	return rc;
}

/* Copy the lines that are neither of the two entries. */
static bool
filter(const struct buf *text, const char *entry, const char *raw, struct buf *out)
{
	bool found = false, is;
	size_t at, n;

	for (at = 0; at < text->n; at += n) {
		n = line_at(text, at);
		is = line_is(text->p + at, n, entry) || line_is(text->p + at, n, raw);
		found = found || is;
		if (!is)
			buf_add(out, text->p + at, n);
	}
	return found;
}

int
gitignore_cover(struct gitignore *g, int root_fd, const char *root, const char *path,
		bool is_dir, struct err *err)
{
	struct buf full;
	int r;

	buf_init(&full, 0);
	buf_addf(&full, "%s/%s", root, path);
	r = buf_failed(&full) ? err_nomem(err) : gitignore_check(g, full.p, is_dir, err);
	buf_release(&full);
	if (r != 0)
		return r < 0 ? -1 : 0;
	return gitignore_add(root_fd, path, err);
}

int
gitignore_remove(int root_fd, const char *path, struct err *err)
{
	struct buf entry, raw, text;
	struct file f;
	int rc;

	buf_init(&entry, 0);
	buf_init(&raw, 0);
	buf_init(&text, IGNORE_FILE_MAX);
	gitignore_entry(&entry, path_basename(path));
	buf_addc(&raw, '/');
	buf_adds(&raw, path_basename(path));
	rc = file_read(&f, root_fd, path, err);
	if (rc == 0 && (buf_failed(&entry) || buf_failed(&raw)))
		rc = err_nomem(err);
	if (rc == 0 && f.exists && filter(&f.text, entry.p, raw.p, &text)) {
		if (buf_failed(&text))
			rc = err_nomem(err);
		else if (text.n > 0)
			rc = fsio_replace(root_fd, f.path.p, text.p, text.n, f.mode, err);
		else if (unlinkat(root_fd, f.path.p, 0) != 0)
			rc = err_sys(err, errno, "cannot remove '%s'", f.path.p);
		if (rc == 0)
			rc = text.n > 0 ? 1 : 2;
	}
	file_release(&f);
	buf_release(&text);
	buf_release(&raw);
	buf_release(&entry);
	return rc;
}
