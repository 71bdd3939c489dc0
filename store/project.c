#include "store/project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "base/path.h"
#include "store/project_internal.h"

#define STATE_NAME     ".dag"
#define STATE_HASH_LEN 32 /* hex digits of the root's SHA-256 in $DAG_STATE */

#define WAY_OUT \
	"set DAG_STATE to a directory on a local disk, or state_dir in .dag/config.yaml"

/* ---- the root ---- */

/* Tell whether ${dir}/${name} exists; with ${only_dir} only as a directory. */
static bool
has_entry(const char *dir, const char *name, bool only_dir)
{
	struct stat st;
	struct buf b;
	bool has;

	buf_init(&b, 0);
	path_join(&b, dir, name);
	has =
	    !buf_failed(&b) && stat(b.p, &st) == 0 && (!only_dir || S_ISDIR(st.st_mode));
	buf_release(&b);
	return has;
}

/* Cut ${path} to the nearest directory, itself included, that has ${name}.  Return whether
 * there is one; ${path} is unchanged if not. */
static bool
ascend(char *path, const char *name, bool only_dir)
{
	size_t len = strlen(path), n = len;
	char saved;
	bool has;

	for (;;) {
		saved = path[n];
		path[n] = '\0';
		has = has_entry(path, name, only_dir);
		if (has)
			return true;
		path[n] = saved;
		if (n <= 1)
			return false;
		while (n > 1 && path[n - 1] != '/')
			n--;
		if (n > 1)
			n--;
	}
}

/* The canonical directory to start from: ${hint} itself, or the directory in which the file
 * of that name lies (where its link lies, if it is one). */
static char *
start_dir(const char *hint, struct err *err)
{
	const char *slash;
	struct stat st;
	char *dir, *real;

	if (hint == NULL || (stat(hint, &st) == 0 && S_ISDIR(st.st_mode)))
		return fsio_realpath(hint != NULL ? hint : ".", err);
	slash = strrchr(hint, '/');
	if (slash == NULL)
		return fsio_realpath(".", err);
	dir = strndup(hint, slash == hint ? 1 : (size_t)(slash - hint));
	if (dir == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	real = fsio_realpath(dir, err);
	free(dir);
	return real;
}

static char *
find_root(const char *hint, const char *dir_override, struct err *err)
{
	struct stat st;
	char *root;

	if (dir_override != NULL) {
		root = fsio_realpath(dir_override, err);
		if (root == NULL && access(dir_override, F_OK) != 0 && errno == ENOENT)
			(void)err_set(err, ERR_NOTFOUND,
				      "there is no directory '%s' (option -C)",
				      dir_override);
		if (root != NULL && (stat(root, &st) != 0 || !S_ISDIR(st.st_mode))) {
			(void)err_set(err, ERR_INVALID, "'%s' is not a directory",
				      dir_override);
			free(root);
			root = NULL;
		}
		return root;
	}
	root = start_dir(hint, err);
	if (root != NULL && !ascend(root, STATE_NAME, true) &&
	    !ascend(root, ".dvc", true))
		(void)ascend(root, ".git", false);
	return root;
}

/* ---- the state directory ---- */

/* $DAG_STATE/<hash of the root>: one directory serves all projects. */
static int
path_in_env(const char *env, const char *root, struct buf *out, struct err *err)
{
	char hex[HASH_HEX_MAX];

	if (env[0] != '/')
		return err_set(err, ERR_INVALID,
			       "DAG_STATE is '%s', but must be an absolute path", env);
	if (hash_bytes(HASH_SHA256, root, strlen(root), hex) != 0)
		return err_set(err, ERR_SYS, "cannot hash the path of the project");
	hex[STATE_HASH_LEN] = '\0';
	path_join(out, env, hex);
	return 0;
}

static int
owned_by_us(const struct stat *st, const char *path, struct err *err)
{
	if (st->st_uid == geteuid())
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "'%s' belongs to another user (uid %lu, we are %lu): run dag as that "
	    "user, or choose another project with -C DIR",
	    path, (unsigned long)st->st_uid, (unsigned long)geteuid());
}

/* Where the state directory is to be.  The settings in .dag are only believed if it is ours. */
static int
state_path(const struct project *p, struct buf *out, struct err *err)
{
	const char *env = getenv("DAG_STATE");
	struct buf dot;
	struct stat st;
	int rc = 0;

	buf_init(&dot, 0);
	path_join(&dot, p->root, STATE_NAME);
	if (!buf_failed(&dot) && stat(dot.p, &st) == 0)
		rc = owned_by_us(&st, dot.p, err);
	if (rc == 0 && env != NULL && env[0] != '\0')
		rc = path_in_env(env, p->root, out, err);
	else if (rc == 0)
		rc = project_config(p->root, dot.p, out, err);
	if (rc == 0 && out->n == 0)
		buf_add(out, dot.p, dot.n);
	if (rc == 0 && (buf_failed(&dot) || buf_failed(out)))
		rc = err_nomem(err);
	buf_release(&dot);
	return rc;
}

static int
refuse_fs(const char *path, const char *type, const char *what, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "'%s' is on a file system (%s) where %s: " WAY_OUT, path, type,
		       what);
}

/* Refuse a file system on which the database and the locks would not be safe.  With ${try} a
 * doubtful one is tried out, too, and so is every one when the directory is ${fresh}. */
static int
check_fs(int fd, const char *path, bool try, bool fresh, struct err *err)
{
	char type[FS_TYPE_MAX];
	unsigned long long free_bytes;
	enum fs_trust trust;
	struct fs_probe probe;

	if (project_fs(fd, type, &trust, &free_bytes, err) != 0)
		return err_wrap(err, "'%s'", path);
	if (trust == FS_NETWORK)
		return refuse_fs(path, type, "other machines' locks are not seen", err);
	if (!try || (trust == FS_LOCAL && !fresh))
		return 0;
	if (project_probe(fd, &probe, err) != 0)
		return err_wrap(err, "'%s'", path);
	if (!probe.locks)
		return refuse_fs(path, type, "file locks do not work", err);
	if (!probe.mmap)
		return refuse_fs(path, type, "shared memory mappings do not work", err);
	return 0;
}

/* Make the directory ${path} durably; ${made} tells whether it was missing. */
static int
make_state(const char *path, bool *made, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *parent = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd, rc = -1;

	*made = false;
	if (parent == NULL)
		return err_nomem(err);
	if (fsio_mkdirs(AT_FDCWD, parent, 0777, err) != 0)
		goto out;
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		(void)err_sys(err, errno, "cannot open '%s'", parent);
		goto out;
	}
	rc = check_fs(fd, parent, false, false, err);
	close(fd);
	if (rc != 0)
		goto out;
	if (mkdir(path, 0777) == 0) {
		*made = true;
		fault_point(STATE_MADE);
		rc = fsio_sync_dir(AT_FDCWD, parent, err);
	} else if (errno != EEXIST) {
		rc = err_sys(err, errno, "cannot make '%s'", path);
	}
out:
	free(parent);
	return rc;
}

/* Was the state directory made to the end?  Who died while making it leaves one whose file system
 * was not tried out and that git would look into. */
static bool
is_whole(const struct project *p)
{
	struct stat st;

	return p->state_fd >= 0 && fstatat(p->state_fd, ".gitignore", &st, 0) == 0 &&
	       st.st_size > 0;
}

/* Keep git from looking into the state directory. */
static int
write_gitignore(const struct project *p, struct err *err)
{
	if (is_whole(p))
		return 0;
	fault_point(STATE_CHECKED);
	if (fsio_replace(p->state_fd, ".gitignore", "*\n", 2, 0666, err) != 0)
		return err_wrap(err, "cannot finish '%s'", p->state);
	fault_point(STATE_WHOLE);
	return 0;
}

/* Check the open state directory, and with ${create} that it can be used. */
static int
check_state(const struct project *p, bool create, bool made, struct err *err)
{
	struct stat st;

	if (fstat(p->state_fd, &st) != 0)
		return err_sys(err, errno, "cannot look at '%s'", p->state);
	if (owned_by_us(&st, p->state, err) != 0)
		return -1;
	if (create && faccessat(p->state_fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0)
		return err_sys(err, errno, "cannot write into '%s'", p->state);
	if (check_fs(p->state_fd, p->state, create, made || !is_whole(p), err) != 0)
		return -1;
	return create ? write_gitignore(p, err) : 0;
}

/* Open ${path}, just ${made} or not, as the state directory of ${p}. */
static int
open_state(struct project *p, const char *path, bool create, bool made, struct err *err)
{
	p->state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->state_fd < 0) {
		if (errno != ENOENT || create)
			return err_sys(err, errno, "cannot open '%s'", path);
		p->state = strdup(path);
		return p->state != NULL ? 0 : err_nomem(err);
	}
	p->state = fsio_realpath(path, err);
	if (p->state == NULL)
		return -1;
	if (check_state(p, create, made, err) == 0)
		return 0;
	if (made) /* leave nothing behind that was refused */
		(void)rmdir(path);
	return -1;
}

/* Where it cannot be written there is another place. */
static void
say_way_out(struct err *err)
{
	struct err cause;

	if (err == NULL || (err->sys != EACCES && err->sys != EROFS && err->sys != EPERM))
		return;
	cause = *err;
	(void)err_set(err, cause.code, "%s: " WAY_OUT, cause.msg);
	err->sys = cause.sys;
}

static int
find_state(struct project *p, bool create, struct err *err)
{
	bool made = false;
	struct buf path;
	int rc;

	buf_init(&path, 0);
	rc = state_path(p, &path, err);
	if (rc == 0 && create)
		rc = make_state(path.p, &made, err);
	if (rc == 0)
		rc = open_state(p, path.p, create, made, err);
	if (rc != 0 && create)
		say_way_out(err);
	buf_release(&path);
	return rc;
}

int
project_find(const char *hint, const char *dir_override, bool create, struct project *out,
	     struct err *err)
{
	out->state = NULL;
	out->root_fd = -1;
	out->state_fd = -1;
	out->root = find_root(hint, dir_override, err);
	if (out->root == NULL)
		goto fail;
	out->root_fd = open(out->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->root_fd < 0) {
		(void)err_sys(err, errno, "cannot open '%s'", out->root);
		goto fail;
	}
	if (find_state(out, create, err) == 0)
		return 0;
fail:
	project_release(out);
	return -1;
}

void
project_release(struct project *p)
{
	if (p->root_fd >= 0)
		close(p->root_fd);
	if (p->state_fd >= 0)
		close(p->state_fd);
	free(p->root);
	free(p->state);
	p->root = p->state = NULL;
	p->root_fd = p->state_fd = -1;
}

/* ---- paths ---- */

/* Append the canonical form of ${path} to ${out}: the directory part through the file system
 * as far as it exists, the rest as text.  The last component is not followed: a link in the
 * project is named by where it is. */
static int
canonical(const char *path, struct buf *out, struct err *err)
{
	char *work = strdup(path), *real = NULL, *slash, *end;
	const char *rest = path;

	if (work == NULL)
		return err_nomem(err);
	end = work + strlen(work);
	while (end > work + 1 && end[-1] == '/')
		*--end = '\0';
	slash = strrchr(work, '/');
	if (slash != NULL && (strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0))
		slash = end; /* a directory named through itself: follow all of it */
	while (real == NULL && slash != NULL && slash > work) {
		*slash = '\0';
		real = fsio_realpath(work, NULL);
		rest = path + (slash - work);
		slash = strrchr(work, '/');
	}
	if (real != NULL) {
		buf_adds(out, real);
		buf_addc(out, '/');
		buf_adds(out, rest);
	} else {
		buf_adds(out, path);
	}
	free(real);
	free(work);
	return buf_failed(out) ? err_nomem(err) : 0;
}

int
project_relative(const struct project *p, const char *path, struct buf *out,
		 struct err *err)
{
	struct buf abs, real, norm;
	char *cwd = NULL;
	int rc = -1;

	buf_init(&abs, 0);
	buf_init(&real, 0);
	buf_init(&norm, 0);
	if (path[0] != '/') {
		cwd = fsio_realpath(".", err);
		if (cwd == NULL)
			goto out;
	}
	path_join(&abs, cwd != NULL ? cwd : "", path);
	if (buf_failed(&abs)) {
		(void)err_nomem(err);
		goto out;
	}
	if (canonical(abs.p, &real, err) != 0)
		goto out;
	path_normalize(&norm, real.p);
	if (strcmp(norm.p, p->root) == 0)
		buf_addc(out, '.');
	else if (strcmp(p->root, "/") == 0)
		buf_adds(out, norm.p + 1);
	else if (path_is_below(norm.p, p->root))
		buf_adds(out, norm.p + strlen(p->root) + 1);
	else
		buf_adds(out, norm.p);
	rc = buf_failed(&norm) || buf_failed(out) ? err_nomem(err) : 0;
out:
	free(cwd);
	buf_release(&norm);
	buf_release(&real);
	buf_release(&abs);
	return rc;
}
