#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "store/dvc/config_internal.h"

/* ---- where the files are ---- */

/* Append ${path} as an absolute one. */
static void
add_absolute(struct buf *out, const char *path)
{
	char *cwd = path[0] != '/' ? getcwd(NULL, 0) : NULL;
	struct buf b;

	buf_init(&b, 0);
	path_join(&b, cwd != NULL ? cwd : "", path);
	path_normalize(out, b.p);
	if (buf_failed(&b) || (path[0] != '/' && cwd == NULL))
		out->state = BUF_NOMEM;
	buf_release(&b);
	free(cwd);
}

/* The value of a variable that is set to something. */
static const char *
env(const char *name)
{
	const char *v = name != NULL ? getenv(name) : NULL;

	return v != NULL && v[0] != '\0' ? v : NULL;
}

/* Append the user's home directory; nothing if there is none. */
static void
add_home(struct buf *out)
{
	struct passwd pw, *found = NULL;
	char text[1024];

	if (env("HOME") != NULL)
		buf_adds(out, env("HOME"));
	else if (getpwuid_r(getuid(), &pw, text, sizeof(text), &found) == 0 &&
		 found != NULL)
		buf_adds(out, found->pw_dir);
}

/* Append the directory: that of ${own}, else the first one in ${xdg}, else ${fallback} below
 * home (or as it is, if absolute), the last two with ${app}. */
static void
add_dir(struct buf *out, const char *own, const char *xdg, const char *fallback,
	const char *app)
{
	struct buf b;

	buf_init(&b, 0);
	if (env(own) != NULL) {
		add_absolute(out, env(own));
	} else {
		if (env(xdg) != NULL) {
			buf_add(&b, env(xdg), strcspn(env(xdg), ":"));
		} else {
			if (fallback[0] != '/')
				add_home(&b);
			if (b.n > 0 && fallback[0] != '/')
				buf_addc(&b, '/');
			buf_adds(&b, fallback);
		}
		buf_addc(&b, '/');
		buf_adds(&b, app);
		add_absolute(out, b.p);
	}
	if (buf_failed(&b))
		out->state = BUF_NOMEM;
	buf_release(&b);
}

static int
set_path(struct config *c, enum config_level level, struct buf *dir, const char *name,
	 struct err *err)
{
	buf_addc(dir, '/');
	buf_adds(dir, name);
	c->files[level].path = buf_steal(dir);
	return c->files[level].path != NULL ? 0 : err_nomem(err);
}

int
config_paths(struct config *c, struct err *err)
{
	const char *app = c->dvc ? "dvc" : "dag";
	struct buf b;
	int rc;

	buf_init(&b, 0);
	add_dir(&b, c->dvc ? "DVC_SYSTEM_CONFIG_DIR" : NULL, "XDG_CONFIG_DIRS",
		"/etc/xdg", app);
	rc = set_path(c, CONFIG_SYSTEM, &b, "config", err);
	if (rc == 0) {
		add_dir(&b, c->dvc ? "DVC_GLOBAL_CONFIG_DIR" : NULL, "XDG_CONFIG_HOME",
			".config", app);
		rc = set_path(c, CONFIG_GLOBAL, &b, "config", err);
	}
	if (rc == 0 && c->dir != NULL) {
		buf_adds(&b, c->dir);
		rc = set_path(c, CONFIG_REPO, &b, "config", err);
	}
	if (rc == 0 && c->dir != NULL) {
		buf_adds(&b, c->dir);
		rc = set_path(c, CONFIG_LOCAL, &b, "config.local", err);
	}
	buf_release(&b);
	return rc;
}

/* ---- paths as values ---- */

/* Is it "word://..."? */
static bool
is_url(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) != 0 || s[n] == '_')
		n++;
	return n > 0 && strncmp(s + n, "://", 3) == 0;
}

/* Append the directory that "~" or "~name" stands for; how many bytes of ${s} that is, 0 if it
 * is none. */
static size_t
add_tilde(struct buf *out, const char *s)
{
	size_t n = strcspn(s, "/");
	struct passwd pw, *found = NULL;
	char text[1024], name[64];

	if (s[0] != '~' || n > sizeof(name))
		return 0;
	memcpy(name, s + 1, n - 1);
	name[n - 1] = '\0';
	if (n == 1)
		add_home(out);
	else if (getpwnam_r(name, &pw, text, sizeof(text), &found) == 0 && found != NULL)
		buf_adds(out, found->pw_dir);
	else
		return 0;
	return n;
}

void
config_resolve(struct buf *out, const char *value, const char *dir)
{
	struct buf b;
	size_t n;

	if (is_url(value) || value[0] == '/') {
		buf_adds(out, value);
		return;
	}
	buf_init(&b, 0);
	n = add_tilde(&b, value);
	if (n > 0) {
		buf_add(out, b.p, b.n);
		buf_adds(out, value + n);
	} else {
		path_join(&b, dir, value);
		path_normalize(out, b.p);
	}
	if (buf_failed(&b))
		out->state = BUF_NOMEM;
	buf_release(&b);
}

/* Append how ${to} is reached from the directory ${from}, both absolute and normalized. */
static void
add_relative(struct buf *out, const char *from, const char *to)
{
	size_t i = 0, common = 0, start = out->n;

	/* The last place where both end a component. */
	for (;; i++) {
		if ((from[i] == '\0' || from[i] == '/') &&
		    (to[i] == '\0' || to[i] == '/'))
			common = i;
		if (from[i] == '\0' || from[i] != to[i])
			break;
	}
	for (from += common; *from != '\0'; from++)
		if (*from == '/' && from[1] != '\0')
			buf_adds(out, out->n > start ? "/.." : "..");
	to += common;
	to += *to == '/' ? 1 : 0;
	if (*to != '\0') {
		buf_adds(out, out->n > start ? "/" : "");
		buf_adds(out, to);
	} else if (out->n == start) {
		buf_addc(out, '.');
	}
}

int
config_relate(struct buf *out, const char *value, const char *dir, struct err *err)
{
	struct buf abs, home;

	buf_init(&abs, 0);
	buf_init(&home, 0);
	if (is_url(value) || value[0] == '/' || add_tilde(&home, value) > 0) {
		buf_adds(out, value);
	} else {
		add_absolute(&abs, value);
		add_relative(out, dir, abs.p);
	}
	if (buf_failed(&abs))
		out->state = BUF_NOMEM;
	buf_release(&home);
	buf_release(&abs);
	return buf_failed(out) ? err_nomem(err) : 0;
}

void
config_put_url(struct buf *out, const char *url)
{
	const char *host = strstr(url, "://"), *at, *colon;

	at = host != NULL ? strchr(host + 3, '@') : NULL;
	colon = host != NULL ? strchr(host + 3, ':') : NULL;
	if (at == NULL || colon == NULL || colon > at ||
	    strcspn(host + 3, "/") < (size_t)(at - host - 3)) {
		buf_adds(out, url);
		return;
	}
	buf_add(out, url, (size_t)(colon - url));
	buf_adds(out, ":***");
	buf_adds(out, at);
}
