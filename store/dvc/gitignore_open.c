#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/gitignore.h"
#include "store/dvc/ignore.h"

#define GIT_CONFIG_MAX ((size_t)1 << 20)
#define GIT_LINK_MAX   ((size_t)8 << 10) /* a file `.git`, or `commondir` */

struct gitignore {
	char *top;
	int top_fd;
	struct ignore *ig;
};

/* ---- where git keeps its things ---- */

/* Append the file's text without the white space at its end; false: there is none. */
static bool
read_line(const char *path, struct buf *out)
{
	size_t start = out->n;

	if (fsio_read(AT_FDCWD, path, GIT_LINK_MAX, out, NULL) != 0)
		return false;
	while (out->n > start && strchr(" \r\n", out->p[out->n - 1]) != NULL)
		buf_truncate(out, out->n - 1);
	return true;
}

/* Append ${to} as seen from the directory ${from}. */
static void
add_joined(struct buf *out, const char *from, const char *to)
{
	struct buf b;

	buf_init(&b, 0);
	path_join(&b, from, to);
	path_normalize(out, b.p);
	if (buf_failed(&b))
		out->state = BUF_NOMEM;
	buf_release(&b);
}

/* Append the git directory of the work tree at ${top}, that of all its work trees. */
static int
common_dir(const char *top, struct buf *out, struct err *err)
{
	struct buf dot, text, dir;
	struct stat st;

	buf_init(&dot, 0);
	buf_init(&text, 0);
	buf_init(&dir, 0);
	path_join(&dot, top, ".git");
	if (!buf_failed(&dot) && stat(dot.p, &st) == 0 && S_ISDIR(st.st_mode))
		buf_add(&dir, dot.p, dot.n);
	else if (read_line(dot.p, &text) && strncmp(text.p, "gitdir: ", 8) == 0)
		add_joined(&dir, top, text.p + 8);
	buf_clear(&dot);
	buf_clear(&text);
	path_join(&dot, dir.p, "commondir");
	if (dir.n > 0 && read_line(dot.p, &text))
		add_joined(out, dir.p, text.p);
	else
		buf_add(out, dir.p, dir.n);
	if (buf_failed(&dot) || buf_failed(&text) || buf_failed(&dir))
		out->state = BUF_NOMEM;
	buf_release(&dir);
	buf_release(&text);
	buf_release(&dot);
	return buf_failed(out) ? err_nomem(err) : 0;
}

/* Cut ${path} to the nearest directory upwards that has `.git`.  1; 0: none has; or -1. */
static int
find_top(char *path, struct err *err)
{
	char dot[PATH_MAX];
	struct stat st;
	char *slash;

	while (path[0] != '\0') {
		if ((size_t)snprintf(dot, sizeof(dot), "%s/.git", path) < sizeof(dot)) {
			int there = fsio_there(dot, &st, err);

			if (there != 0)
				return there;
		}
		slash = strrchr(path, '/');
		slash += slash == path && path[1] != '\0' ? 1 : 0;
		*slash = '\0';
	}
	return 0;
}

/* ---- core.excludesFile ---- */

/* Append the value at ${p} of a line of git's configuration: quotes, backslashes, comments. */
static void
add_value(struct buf *out, const char *p, size_t n)
{
	bool quoted = false;
	size_t keep = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && (p[i] == '#' || p[i] == ';')) {
			break;
		} else {
			i += p[i] == '\\' && i + 1 < n ? 1 : 0;
			buf_addc(out, p[i]);
			if (quoted || (p[i] != ' ' && p[i] != '\t' && p[i] != '\r'))
				keep = out->n;
		}
	}
	buf_truncate(out, keep);
}

/* One line; ${in_core} tells whether it stands in [core]. */
static void
config_line(const char *p, size_t n, bool *in_core, struct buf *value)
{
	static const char key[] = "excludesfile";
	const char *eq;
	size_t len;

	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	if (n > 0 && *p == '[') {
		*in_core = n >= 6 && strncasecmp(p, "[core]", 6) == 0;
		if (!*in_core)
			return;
		p += 6;
		n -= 6;
		while (n > 0 && (*p == ' ' || *p == '\t')) {
			p++;
			n--;
		}
	}
	eq = memchr(p, '=', n);
	if (!*in_core || eq == NULL)
		return;
	for (len = (size_t)(eq - p); len > 0 && strchr(" \t", p[len - 1]) != NULL;)
		len--;
	if (len != sizeof(key) - 1 || strncasecmp(p, key, len) != 0)
		return;
	n -= (size_t)(eq + 1 - p);
	for (p = eq + 1; n > 0 && (*p == ' ' || *p == '\t'); p++)
		n--;
	buf_clear(value);
	add_value(value, p, n);
}

/* The last value in the file takes the place of ${value}.  A file that cannot be read, or is
 * larger than any, says nothing. */
static void
config_read(const char *dir, const char *name, struct buf *value)
{
	struct buf path, text;
	bool in_core = false;
	const char *p, *end, *eol;

	buf_init(&path, 0);
	buf_init(&text, GIT_CONFIG_MAX);
	if (dir != NULL)
		path_join(&path, dir, name);
	if (path.n > 0 && !buf_failed(&path) &&
	    fsio_read(AT_FDCWD, path.p, GIT_CONFIG_MAX, &text, NULL) == 0)
		for (p = text.p, end = p + text.n; p < end; p = eol + 1) {
			eol = memchr(p, '\n', (size_t)(end - p));
			if (eol == NULL)
				eol = end;
			config_line(p, (size_t)(eol - p), &in_core, value);
		}
	if (buf_failed(&path) || text.state == BUF_NOMEM)
		value->state = BUF_NOMEM;
	buf_release(&text);
	buf_release(&path);
}

/* Append the path of the user's own file of rules; as git, from the weakest file on. */
static void
user_excludes(const char *git_dir, struct buf *out)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *system = getenv("GIT_CONFIG_SYSTEM");
	const char *global = getenv("GIT_CONFIG_GLOBAL");
	struct buf dir, value;

	buf_init(&dir, 0);
	buf_init(&value, 0);
	if (xdg != NULL && xdg[0] != '\0')
		path_join(&dir, xdg, "git");
	else if (home != NULL)
		path_join(&dir, home, ".config/git");
	if (getenv("GIT_CONFIG_NOSYSTEM") == NULL)
		config_read("/", system != NULL ? system : "/etc/gitconfig", &value);
	if (global != NULL) {
		config_read("/", global, &value);
	} else {
		config_read(dir.n > 0 ? dir.p : NULL, "config", &value);
		config_read(home, ".gitconfig", &value);
	}
	config_read(git_dir, "config", &value);
	if (strncmp(value.p, "~/", 2) == 0 && home != NULL)
		path_join(out, home, value.p + 2);
	else if (value.n > 0)
		buf_add(out, value.p, value.n);
	else if (dir.n > 0)
		path_join(out, dir.p, "ignore");
	if (buf_failed(&dir) || buf_failed(&value))
		out->state = BUF_NOMEM;
	buf_release(&value);
	buf_release(&dir);
}

/* ---- the whole ---- */

/* Read a file of rules that need not be there. */
static int
read_extra(struct ignore_extra *x, const char *name, struct buf *text, struct err *err)
{
	if (access(name, R_OK) == 0 &&
	    fsio_read(AT_FDCWD, name, IGNORE_FILE_MAX, text, err) != 0)
		return -1;
	*x = (struct ignore_extra){.name = name, .text = text->p, .n = text->n};
	return 0;
}

static int
open_rules(struct gitignore *g, struct err *err)
{
	struct ignore_options o = {.syntax = IGNORE_GIT, .root_fd = g->top_fd};
	struct buf git_dir, names[2], texts[2];
	struct ignore_extra extra[2];
	int rc;

	buf_init(&git_dir, 0);
	for (int i = 0; i < 2; i++) {
		buf_init(&names[i], 0);
		buf_init(&texts[i], IGNORE_FILE_MAX);
	}
	rc = common_dir(g->top, &git_dir, err);
	user_excludes(git_dir.p, &names[0]);
	path_join(&names[1], git_dir.p, "info/exclude");
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = buf_failed(&names[i])
			 ? err_nomem(err)
			 : read_extra(&extra[i], names[i].p, &texts[i], err);
	o.extra = extra;
	o.nextra = 2;
	if (rc == 0)
		rc = ignore_new(&o, &g->ig, err);
	for (int i = 0; i < 2; i++) {
		buf_release(&names[i]);
		buf_release(&texts[i]);
	}
	buf_release(&git_dir);
	return rc;
}

int
gitignore_open(const char *dir, struct gitignore **out, struct err *err)
{
	struct gitignore *g = calloc(1, sizeof(*g));
	int found;

	*out = NULL;
	if (g == NULL)
		return err_nomem(err);
	g->top_fd = -1;
	g->top = strdup(dir);
	if (g->top == NULL) {
		(void)err_nomem(err);
		goto fail;
	}
	found = dir[0] == '/' ? find_top(g->top, err) : 0;
	if (found < 0)
		goto fail;
	if (found == 0) {
		gitignore_close(g);
		return 0;
	}
	g->top_fd = open(g->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->top_fd == -1) {
		(void)err_sys(err, errno, "cannot open '%s'", g->top);
		goto fail;
	}
	if (open_rules(g, err) != 0)
		goto fail;
	*out = g;
	return 0;
fail:
	gitignore_close(g);
	return -1;
}

void
gitignore_close(struct gitignore *g)
{
	if (g == NULL)
		return;
	ignore_free(g->ig);
	if (g->top_fd != -1)
		(void)close(g->top_fd);
	free(g->top);
	free(g);
}

const char *
gitignore_top(const struct gitignore *g)
{
	return g->top;
}

struct ignore *
gitignore_rules(struct gitignore *g)
{
	return g->ig;
}

int
gitignore_check(struct gitignore *g, const char *path, bool is_dir, struct err *err)
{
	size_t n = strlen(g->top);

	if (!path_is_below(path, g->top))
		return 0;
	path += n;
	path += *path == '/' ? 1 : 0;
	return ignore_check(g->ig, path, is_dir, err);
}
