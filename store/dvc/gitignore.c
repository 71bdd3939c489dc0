#include "store/dvc/gitignore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

/* Append the entry of ${path} unless a line says just that.  Return 1, 0 or -1. */
static int
add_entry(struct file *f, const char *path, struct err *err)
{
	struct buf entry;
	int rc = 0;

	buf_init(&entry, 0);
	gitignore_entry(&entry, path_basename(path));
	if (!buf_failed(&entry) && !has_line(&f->text, entry.p)) {
		if (f->text.n > 0 && f->text.p[f->text.n - 1] != '\n')
			buf_addc(&f->text, '\n');
		buf_add(&f->text, entry.p, entry.n);
		buf_addc(&f->text, '\n');
		rc = 1;
	}
	if (f->text.state == BUF_TOOBIG)
		rc = err_set(err, ERR_LIMIT, "'%s' would pass the limit of 1 MiB",
			     f->path.p);
	else if (buf_failed(&f->text) || buf_failed(&entry))
		rc = err_nomem(err);
	buf_release(&entry);
	return rc;
}

int
gitignore_add(int root_fd, const char *path, struct err *err)
{
	struct file f;
	int rc = file_read(&f, root_fd, path, err);

	if (rc == 0)
		rc = add_entry(&f, path, err);
	if (rc == 1 &&
	    fsio_replace(root_fd, f.path.p, f.text.p, f.text.n, f.mode, err) != 0)
		rc = -1;
	file_release(&f);
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

/* 1 where git ignores the path already, 0 or -1. */
static int
is_covered(struct gitignore *g, const char *root, const char *path, bool is_dir,
	   struct err *err)
{
	struct buf full;
	int r;

	buf_init(&full, 0);
	buf_addf(&full, "%s/%s", root, path);
	r = buf_failed(&full) ? err_nomem(err) : gitignore_check(g, full.p, is_dir, err);
	buf_release(&full);
	return r;
}

int
gitignore_cover(struct gitignore *g, int root_fd, const char *root, const char *path,
		bool is_dir, struct err *err)
{
	int r = is_covered(g, root, path, is_dir, err);

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

/* ---- several at once ---- */

struct gitignore_file {
	struct gitignore_file *next;
	struct file file;
	struct fsio_new made;
	bool more; /* lines than there were */
};

/* The one beside ${path}, read once.  NULL with the error. */
static struct gitignore_file *
file_beside(struct gitignore_lines *l, int root_fd, const char *path, struct err *err)
{
	size_t dir = (size_t)(path_basename(path) - path);
	struct gitignore_file *f;

	for (f = l->first; f != NULL; f = f->next)
		if (f->file.path.n == dir + strlen(FILE_NAME) &&
		    memcmp(f->file.path.p, path, dir) == 0)
			return f;
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	if (file_read(&f->file, root_fd, path, err) != 0) {
		file_release(&f->file);
		free(f);
		return NULL;
	}
	f->next = l->first;
	l->first = f;
	return f;
}

int
gitignore_lines_cover(struct gitignore_lines *l, struct gitignore *g, int root_fd,
		      const char *root, const char *path, bool is_dir, struct err *err)
{
	int r = is_covered(g, root, path, is_dir, err);
	struct gitignore_file *f;

	if (r != 0)
		return r < 0 ? -1 : 0;
	f = file_beside(l, root_fd, path, err);
	if (f == NULL)
		return -1;
	r = add_entry(&f->file, path, err);
	f->more = f->more || r > 0;
	return r;
}

int
gitignore_lines_write(struct gitignore_lines *l, int root_fd, struct err *err)
{
	for (struct gitignore_file *f = l->first; f != NULL; f = f->next) {
		if (!f->more)
			continue;
		if (fsio_new_write(root_fd, f->file.path.p, f->file.text.p,
				   f->file.text.n, f->file.mode, &f->made, err) != 0)
			return -1;
		fsio_write_soon(f->made.fd);
	}
	return 0;
}

int
gitignore_lines_sync(struct gitignore_lines *l, struct err *err)
{
	for (struct gitignore_file *f = l->first; f != NULL; f = f->next)
		if (f->more && fsio_new_sync(&f->made, f->file.path.p, err) != 0)
			return -1;
	return 0;
}

int
gitignore_lines_name(struct gitignore_lines *l, struct err *err)
{
	int r = 0;

	for (struct gitignore_file *f = l->first; f != NULL; f = f->next) {
		if (!f->more)
			continue;
		if (fsio_new_name(&f->made, f->file.path.p, err) != 0)
			return -1;
		r = 1;
	}
	return r;
}

int
gitignore_lines_last(struct gitignore_lines *l, struct err *err)
{
	for (struct gitignore_file *f = l->first; f != NULL; f = f->next)
		if (f->more && fsio_sync(f->made.dir, f->file.path.p) != 0 &&
		    errno != EINVAL)
			return err_sys(err, errno, "cannot sync the directory of '%s'",
				       f->file.path.p);
	return 0;
}

void
gitignore_lines_drop(struct gitignore_lines *l)
{
	struct gitignore_file *f;

	while ((f = l->first) != NULL) {
		l->first = f->next;
		fsio_new_drop(&f->made);
		file_release(&f->file);
		free(f);
	}
}
