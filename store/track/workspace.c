#include "store/track/workspace.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/ignore.h"
#include "store/unicode.h"

/* ---- what is ignored ---- */

static int
enter(void *dir, const char *name, void **out, struct err *err)
{
	struct ignore_dir *in = NULL;
	int r = ignore_enter(dir, name, &in, err);

	*out = in;
	return r;
}

static void
leave(void *dir)
{
	ignore_leave(dir);
}

static bool
matches(const void *dir, const char *name, bool is_dir)
{
	return ignore_match(dir, name, is_dir);
}

static int
say_ignored(const struct ignore_dir *dir, const char *path, const char *name,
	    struct err *err)
{
	struct ignore_why why = {0};

	(void)ignore_match_why(dir, name, true, &why);
	if (why.rule == NULL)
		(void)ignore_match_why(dir, name, false, &why);
	if (why.file == NULL)
		return err_set(err, ERR_INVALID,
			       "'%s' can never be tracked: '%s' is always ignored", path,
			       name);
	return err_set(err, ERR_INVALID, "'%s' is ignored by %s:%u: %s", path, why.file,
		       why.line, why.rule);
}

static bool
is_dir(const struct workspace *ws, const char *path)
{
	struct stat st;

	return fstatat(ws->root_fd, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

int
workspace_ignore(const struct workspace *ws, const char *path, struct workspace_ignore *w,
		 struct err *err)
{
	struct ignore_dir *next;
	char part[PATH_MAX];
	const char *at, *end;
	int r = 0;

	*w = (struct workspace_ignore){0};
	if (ws->ignore == NULL)
		return 0;
	w->dir = ignore_root(ws->ignore);
	for (at = path; r == 0 && *at != '\0'; at = *end == '/' ? end + 1 : end) {
		bool last;

		end = strchrnul(at, '/');
		last = *end == '\0';
		if ((size_t)(end - path) >= sizeof(part))
			return err_set(err, ERR_LIMIT, "'%s' is too long", path);
		memcpy(part, path, (size_t)(end - path));
		part[end - path] = '\0';
		if (ignore_match(w->dir, part + (at - path), !last || is_dir(ws, path)))
			return say_ignored(w->dir, path, part + (at - path), err);
		if (last && !is_dir(ws, path))
			return 0;
		r = ignore_enter(w->dir, part + (at - path), &next, err);
		if (r == 0) {
			ignore_leave(w->dir);
			w->dir = next;
		}
	}
	w->scan = (struct scan_ignore){
	    .top = w->dir, .enter = enter, .leave = leave, .match = matches};
	return r;
}

void
workspace_ignore_release(struct workspace_ignore *w)
{
	ignore_leave(w->dir);
	w->dir = NULL;
}

int
workspace_link(const struct workspace *ws, enum link_type *type, struct err *err)
{
	struct workspace_links *found = ws->found;

	if (found != NULL && found->known) {
		*type = found->type;
		return 0;
	}
	if (link_probe(ws->cache, ws->root_fd, ws->links, ws->nlinks, type, err) != 0)
		return -1;
	if (found != NULL)
		*found = (struct workspace_links){.known = true, .type = *type};
	return 0;
}

int
workspace_claim(const struct workspace *ws, const char *path, struct err *err)
{
	return ws->claim != NULL ? ws->claim(ws->claim_arg, path, err) : 0;
}

int
workspace_scan(const struct workspace *ws, const char *path, bool legacy, struct scan *s,
	       struct err *err)
{
	struct scan_options o = {.root_fd = ws->root_fd,
				 .path = path,
				 .index = ws->index,
				 .cache = ws->cache,
				 .workers = ws->workers,
				 .read_max = ws->read_max,
				 .legacy = legacy,
				 .others = ws->others,
				 .broken_ok = true,
				 .meter = ws->meter};
	struct workspace_ignore ignore;
	int r;

	*s = (struct scan){0};
	r = workspace_ignore(ws, path, &ignore, err);
	if (ignore.scan.top != NULL)
		o.ignore = &ignore.scan;
	if (r == 0)
		r = scan_path(&o, s, err);
	workspace_ignore_release(&ignore);
	return r;
}

/* ---- names that are one ---- */

#define ALL_FOLDS   (UNICODE_CASE | UNICODE_FORM)
#define KELVIN	    "\xe2\x84\xaa" /* which is K in each normal form of Unicode */
#define NAMES_TRIED 256		   /* by then each letter has stood in one */

/* A temporary's name with a K in it. */
static const char *
name_with_k(struct objects *o, char name[LINK_NAME + 1])
{
	for (int i = 0; i < NAMES_TRIED; i++) {
		link_temporary(o, name);
		if (strchr(name, 'K') != NULL)
			break;
	}
	return strchr(name, 'K');
}

static bool
is_there(int fd, const char *name, const struct stat *file)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == file->st_ino;
}

/* Under which other names the file ${name} is there, too. */
static unsigned
look_for(int fd, const char *name, const char *k, const struct stat *file)
{
	char other[LINK_NAME + sizeof(KELVIN)];
	unsigned folds = 0;
	size_t i;

	for (i = 0; name[i] != '\0'; i++)
		other[i] = (char)(islower((unsigned char)name[i])
				      ? toupper((unsigned char)name[i])
				      : tolower((unsigned char)name[i]));
	other[i] = '\0';
	if (is_there(fd, other, file))
		folds |= UNICODE_CASE;
	if (k == NULL)
		return folds;
	(void)snprintf(other, sizeof(other), "%.*s%s%s", (int)(k - name), name, KELVIN,
		       k + 1);
	return is_there(fd, other, file) ? folds | UNICODE_FORM : folds;
}

static unsigned
folds_at(struct objects *o, int fd)
{
	char name[LINK_NAME + 1];
	const char *k = name_with_k(o, name);
	unsigned folds = 0;
	int flags = 0, file;
	struct stat st;

#ifdef DAG_TEST_DOORS
	if (getenv("DAG_FOLDS") != NULL)
		return (strstr(getenv("DAG_FOLDS"), "case") != NULL ? UNICODE_CASE : 0U) |
		       (strstr(getenv("DAG_FOLDS"), "form") != NULL ? UNICODE_FORM : 0U);
#endif
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_CASEFOLD_FL) != 0)
		return ALL_FOLDS;
	file = fsio_open(fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (file < 0)
		return 0;
	if (fstat(file, &st) == 0)
		folds = look_for(fd, name, k, &st);
	(void)close(file);
	/* Nobody would look for it here: what fails once, as over a network, is tried once more. */
	if (unlinkat(fd, name, 0) != 0)
		(void)unlinkat(fd, name, 0);
	return folds;
}

unsigned
workspace_folds(const struct workspace *ws, const char *path)
{
	char dir[PATH_MAX];
	unsigned folds;
	char *slash;
	int fd = -1;

	if ((size_t)snprintf(dir, sizeof(dir), "./%s", path) >= sizeof(dir))
		return 0;
	for (;;) {
		fd = fsio_open_beneath(ws->root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
		slash = strrchr(dir, '/');
		if (fd >= 0 || slash == NULL)
			break;
		*slash = '\0';
	}
	if (fd < 0)
		return 0;
	folds = folds_at(ws->cache, fd);
	(void)close(fd);
	return folds;
}
