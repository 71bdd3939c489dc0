#include "base/path.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

#define ENCODED_MAX 200
#define ENCODED_CUT 183 /* and "~" and 16 hex digits */

void
path_join(struct buf *b, const char *dir, const char *name)
{
	size_t n = strlen(dir);

	if (name[0] != '/' && n != 0 && strcmp(dir, ".") != 0) {
		buf_add(b, dir, n);
		if (dir[n - 1] != '/')
			buf_addc(b, '/');
	}
	buf_adds(b, name);
}

/* The next component of *s, its length in *n and *s behind it; NULL at the end. */
static const char *
next_component(const char **s, size_t *n)
{
	const char *at = *s + strspn(*s, "/");

	*n = strcspn(at, "/");
	*s = at + *n;
	return *n != 0 ? at : NULL;
}

static bool
is_dotdot(const char *p, size_t n)
{
	return n == 2 && p[0] == '.' && p[1] == '.';
}

/* Drop the last component of what b holds from start on; false if there is none to drop. */
static bool
drop_last(struct buf *b, size_t start)
{
	size_t n = b->n;

	while (n > start && b->p[n - 1] != '/')
		n--;
	if (b->n == start || is_dotdot(b->p + n, b->n - n))
		return false;
	buf_truncate(b, n > start ? n - 1 : n);
	return true;
}

void
path_normalize(struct buf *b, const char *path)
{
	bool absolute = path[0] == '/';
	size_t start, n;
	const char *c;

	if (absolute)
		buf_addc(b, '/');
	start = b->n;
	while ((c = next_component(&path, &n)) != NULL && !buf_failed(b)) {
		if (n == 1 && c[0] == '.')
			continue;
		if (is_dotdot(c, n) && (drop_last(b, start) || absolute))
			continue;
		if (b->n > start)
			buf_addc(b, '/');
		buf_add(b, c, n);
	}
	if (b->n == start && !absolute)
		buf_addc(b, '.');
}

/* How many ".." a normalized path starts with; *s is moved behind them. */
static size_t
skip_climbs(const char **s)
{
	size_t n = 0;

	while (is_dotdot(*s, strcspn(*s, "/"))) {
		n++;
		*s += 2;
		*s += **s == '/' ? 1 : 0;
	}
	return n;
}

bool
path_climbs(const char *path)
{
	return path[0] == '/' || skip_climbs(&path) > 0;
}

bool
path_is_below(const char *path, const char *dir)
{
	size_t up_path, up_dir, n;

	if ((path[0] == '/') != (dir[0] == '/'))
		return false;
	up_path = skip_climbs(&path);
	up_dir = skip_climbs(&dir);
	if (strcmp(dir, ".") == 0)
		dir = "";
	/* Nothing but ".." is above everything that climbs no higher. */
	if (dir[0] == '\0')
		return up_path <= up_dir;
	if (up_path != up_dir)
		return false;
	if (strcmp(dir, "/") == 0)
		return true;
	n = strlen(dir);
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool
path_overlap(const char *a, const char *b)
{
	return path_is_below(a, b) || path_is_below(b, a);
}

const char *
path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

size_t
path_stem_len(const char *name)
{
	size_t n = strlen(name), lead = strspn(name, ".");
	const char *dot = strrchr(name, '.');

	/* Leading dots hide a file, and a last dot has nothing behind it: no extensions. */
	if (dot == NULL || (size_t)(dot - name) < lead || dot[1] == '\0')
		return n;
	return (size_t)(dot - name);
}

static bool
is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("_.@-", c) != NULL);
}

void
path_put_encoded(struct buf *b, const char *name)
{
	size_t start = b->n, cut = start, i;

	for (i = 0; name[i] != '\0'; i++) {
		if (is_plain(name[i]) && !(i == 0 && name[i] == '.'))
			buf_addc(b, name[i]);
		else
			buf_addf(b, "%%%02X", (unsigned)(unsigned char)name[i]);
		/* The last place within the cut that splits no %XX. */
		if (b->n - start <= ENCODED_CUT)
			cut = b->n;
	}
	if (i == 0)
		buf_adds(b, "%00"); /* an empty component would vanish */
	if (b->n - start > ENCODED_MAX) {
		buf_truncate(b, cut);
		buf_addf(b, "~%016llx", (unsigned long long)hash_64(name, i));
	}
}

void
path_put_line(struct buf *b, const char *path)
{
	for (; *path != '\0'; path++)
		if (*path == '\n')
			buf_adds(b, "\\n");
		else if (*path == '\\')
			buf_adds(b, "\\\\");
		else
			buf_addc(b, *path);
}

void
path_take_line(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++)
		if (*s == '\\' && s[1] != '\0')
			*to++ = *++s == 'n' ? '\n' : *s;
		else
			*to++ = *s;
	*to = '\0';
}
