#include "store/git_seen.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/hash.h"

#define MAGIC	   UINT64_C(0x31736e6565736764) /* and the version */
#define PATH_ROOM  4096
#define CONFIG_MAX ((size_t)1 << 20)
#define MEMO_MAX   ((size_t)16 << 10)

/* How a file looks; all zero: it is not there. */
struct ident {
	uint64_t dev, ino, size, mode, uid;
	int64_t mtime_ns, ctime_ns;
};

/* The files of the git directory that count, besides the branch's. */
enum part {
	PART_DIR,
	PART_HEAD,
	PART_CONFIG,
	PART_INDEX,
	PART_PACKED,
	PART_ATTRIBUTES,
	PARTS
};
static const char *const part_names[PARTS] = {".",     "HEAD",	      "config",
					      "index", "packed-refs", "info/attributes"};

enum why { WHY_CLEAN, WHY_STAGED, WHY_FILE };

/* The file: this, then the paths, each with its NUL, in this order: the root, the work tree's
 * top, the branch's file in the git directory ("": none), the file that had changed. */
struct memo {
	uint64_t magic;
	uint64_t sum; /* of all behind it */
	uint64_t why;
	char commit[REPO_ID + 7]; /* a multiple of 8 */
	struct ident parts[PARTS], ref, file;
};

struct git_seen_state {
	struct memo memo;
	char root[PATH_ROOM], top[PATH_ROOM], ref[PATH_ROOM];
	int64_t now_ns;
};

/* ---- how files look ---- */

static int64_t
ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct ident
ident_of(const struct stat *st)
{
	return (struct ident){.dev = st->st_dev,
			      .ino = st->st_ino,
			      .size = (uint64_t)st->st_size,
			      .mode = st->st_mode,
			      .uid = st->st_uid,
			      .mtime_ns = ns_of(&st->st_mtim),
			      .ctime_ns = ns_of(&st->st_ctim)};
}

/* A directory's times and size change with what is made in it, which is none of ours. */
static int
look(int dirfd, const char *path, struct ident *out)
{
	struct stat st;

	*out = (struct ident){0};
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	*out = ident_of(&st);
	if (S_ISDIR(st.st_mode))
		out->size = 0, out->mtime_ns = out->ctime_ns = 0;
	return 0;
}

static bool
same(const struct ident *a, const struct ident *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool
same_now(int dirfd, const char *path, const struct ident *then)
{
	struct ident now;

	return look(dirfd, path, &now) == 0 && same(&now, then);
}

static bool
is_quiet(const struct ident *i, int64_t now_ns)
{
	return i->mtime_ns < now_ns - SEEN_QUIET_NS &&
	       i->ctime_ns < now_ns - SEEN_QUIET_NS;
}

/* ---- the index ---- */

static uint32_t
be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

/*
 * An entry of the index: ctime, mtime (seconds, nanoseconds), device, inode, mode, uid, gid,
 * size, the id in 20 bytes, 16 bits of flags, of version 3 perhaps 16 more, the name with 1 to
 * 8 NULs, so that the whole is a multiple of 8.
 */
#define ENTRY_FIXED    62
#define FLAG_ASSUME    0x8000 /* valid */
#define FLAG_EXTENDED  0x4000
#define FLAG_STAGE     0x3000
#define FLAG_NOT_PLAIN (FLAG_ASSUME | FLAG_EXTENDED | FLAG_STAGE)

static bool
entry_is_clean(int top_fd, const uint8_t *e, const struct ident *index)
{
	struct stat st;

	if (((uint32_t)(e[60] << 8 | e[61]) & FLAG_NOT_PLAIN) != 0 ||
	    fstatat(top_fd, (const char *)e + ENTRY_FIXED, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	/* A gitlink is a directory, and clean by what is in it. */
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return false;
	return be32(e) == (uint32_t)st.st_ctim.tv_sec &&
	       be32(e + 4) == (uint32_t)st.st_ctim.tv_nsec &&
	       be32(e + 8) == (uint32_t)st.st_mtim.tv_sec &&
	       be32(e + 12) == (uint32_t)st.st_mtim.tv_nsec &&
	       be32(e + 20) == (uint32_t)st.st_ino && be32(e + 28) == st.st_uid &&
	       be32(e + 32) == st.st_gid && be32(e + 36) == (uint32_t)st.st_size &&
	       (be32(e + 24) & S_IFMT) == (st.st_mode & S_IFMT) &&
	       (S_ISLNK(st.st_mode) || ((be32(e + 24) ^ st.st_mode) & S_IXUSR) == 0) &&
	       ns_of(&st.st_mtim) < index->mtime_ns;
}

/* Whether each file looks as the index of ${n} bytes at ${p}, which ends with a checksum, has
 * it. */
static bool
all_clean(int top_fd, const uint8_t *p, size_t n, const struct ident *index,
	  const atomic_bool *stop)
{
	size_t at = 12, len, entries;

	if (n < 12 + 20 || memcmp(p, "DIRC", 4) != 0 ||
	    (be32(p + 4) != 2 && be32(p + 4) != 3))
		return false;
	n -= 20;
	for (entries = be32(p + 8); entries > 0; entries--) {
		if (stop != NULL && atomic_load_explicit(stop, memory_order_relaxed))
			return false;
		if (n - at <= ENTRY_FIXED)
			return false;
		len = strnlen((const char *)p + at + ENTRY_FIXED, n - at - ENTRY_FIXED);
		if (len == 0 || len == n - at - ENTRY_FIXED ||
		    !entry_is_clean(top_fd, p + at, index))
			return false;
		len = (ENTRY_FIXED + len + 8) & ~(size_t)7;
		if (len > n - at)
			return false;
		at += len;
	}
	return true;
}

static bool
is_clean(int git_fd, int top_fd, const struct ident *index, size_t max,
	 const atomic_bool *stop)
{
	struct stat st;
	struct ident now;
	struct buf b;
	bool yes = false;
	int fd;

	if (index->size > max)
		return false;
	fd = openat(git_fd, "index", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return false;
	buf_init(&b, 0);
	if (fstat(fd, &st) == 0 && (now = ident_of(&st), same(&now, index)) &&
	    fsio_read_fd(fd, index->size, &b, NULL) == 0 && b.n == index->size)
		yes = all_clean(top_fd, (const uint8_t *)b.p, b.n, index, stop);
	buf_release(&b);
	(void)close(fd);
	return yes;
}

/* ---- what is remembered ---- */

struct paths {
	const char *root, *top, *ref, *file;
};

/* Take the file apart; false if it is none. */
static bool
parse(const struct buf *b, struct memo *m, struct paths *p)
{
	const char **const names[] = {&p->root, &p->top, &p->ref, &p->file};
	const char *at, *end = b->p + b->n;

	if (b->n < sizeof(*m) + 4)
		return false;
	memcpy(m, b->p, sizeof(*m));
	at = b->p + sizeof(*m);
	if (m->magic != MAGIC || m->commit[REPO_ID - 1] != '\0' ||
	    m->sum != hash_64(b->p + 16, b->n - 16))
		return false;
	for (size_t i = 0; i < 4; i++) {
		size_t len = strnlen(at, (size_t)(end - at));

		if (len == (size_t)(end - at))
			return false;
		*names[i] = at;
		at += len + 1;
	}
	return at == end;
}

/* Whether the top is still where a search that begins at the root ends. */
static bool
is_nearest(const char *root, const char *top)
{
	char *path = strdup(root);
	bool yes = path != NULL && repo_above(path) && strcmp(path, top) == 0;

	free(path);
	return yes;
}

static bool
holds(const struct memo *m, const struct paths *p, int git_fd, int top_fd, size_t max,
      const atomic_bool *stop)
{
	for (size_t i = 0; i < PARTS; i++)
		if (!same_now(git_fd, part_names[i], &m->parts[i]))
			return false;
	if (*p->ref != '\0' && !same_now(git_fd, p->ref, &m->ref))
		return false;
	if (m->why == WHY_STAGED)
		return true;
	if (m->why == WHY_FILE)
		return same_now(top_fd, p->file, &m->file);
	return is_clean(git_fd, top_fd, &m->parts[PART_INDEX], max, stop);
}

static bool
is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid();
}

int
git_seen_look(const char *root, int state_fd, size_t max, const atomic_bool *stop,
	      struct git_seen *out)
{
	int top_fd = -1, git_fd = -1, rc = 0;
	struct paths p;
	struct memo m;
	struct buf b;

	buf_init(&b, 0);
	if (fsio_read(state_fd, SEEN_FILE, MEMO_MAX, &b, NULL) == 0 &&
	    parse(&b, &m, &p) && strcmp(p.root, root) == 0 && is_nearest(root, p.top))
		top_fd = open(p.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top_fd != -1)
		git_fd = openat(top_fd, ".git",
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (git_fd != -1 && is_ours(top_fd) && m.parts[PART_DIR].uid == geteuid() &&
	    holds(&m, &p, git_fd, top_fd, max, stop)) {
		memcpy(out->commit, m.commit, sizeof(out->commit));
		out->dirty = m.why != WHY_CLEAN;
		rc = 1;
	}
	if (git_fd != -1)
		(void)close(git_fd);
	if (top_fd != -1)
		(void)close(top_fd);
	buf_release(&b);
	return rc;
}

/* ---- remembering ---- */

/* What else than its own files a repository's configuration may read. */
static bool
config_is_plain(int git_fd)
{
	struct buf b;
	bool yes;

	buf_init(&b, 0);
	yes = fsio_read(git_fd, "config", CONFIG_MAX, &b, NULL) == 0 &&
	      strcasestr(b.p, "include") == NULL && strcasestr(b.p, "worktree") == NULL;
	buf_release(&b);
	return yes;
}

/* The file of the branch that HEAD names; "" where it is detached. */
static bool
find_ref(int git_fd, char out[PATH_ROOM])
{
	static const char head[] = "ref: refs/heads/";
	struct buf b;
	bool yes;

	*out = '\0';
	buf_init(&b, 0);
	yes = fsio_read(git_fd, "HEAD", PATH_ROOM, &b, NULL) == 0 && b.n > 1 &&
	      b.n < PATH_ROOM && b.p[b.n - 1] == '\n';
	if (yes && strncmp(b.p, "ref:", 4) == 0) {
		b.p[b.n - 1] = '\0';
		yes = strncmp(b.p, head, sizeof(head) - 1) == 0 &&
		      strstr(b.p, "..") == NULL;
		if (yes)
			(void)snprintf(out, PATH_ROOM, "%s", b.p + strlen("ref: "));
	}
	buf_release(&b);
	return yes;
}

/* A branch may be a link to another one. */
static bool
ref_is_plain(int git_fd, const char *ref)
{
	struct buf b;
	bool yes;

	buf_init(&b, 0);
	if (fsio_read(git_fd, ref, PATH_ROOM, &b, NULL) != 0)
		yes = true; /* it is packed, or there is none */
	else
		yes = strncmp(b.p, "ref:", 4) != 0;
	buf_release(&b);
	return yes;
}

/* Look at all parts; false where something is not plain, or has just been changed. */
static bool
take_parts(struct git_seen_state *s, int git_fd)
{
	struct memo *m = &s->memo;

	if (!find_ref(git_fd, s->ref) || !config_is_plain(git_fd) ||
	    (*s->ref != '\0' && !ref_is_plain(git_fd, s->ref)))
		return false;
	for (size_t i = 0; i < PARTS; i++)
		if (look(git_fd, part_names[i], &m->parts[i]) != 0 ||
		    S_ISLNK(m->parts[i].mode) || !is_quiet(&m->parts[i], s->now_ns))
			return false;
	if (m->parts[PART_DIR].uid != geteuid() || m->parts[PART_INDEX].mode == 0)
		return false;
	return *s->ref == '\0' || (look(git_fd, s->ref, &m->ref) == 0 &&
				   !S_ISLNK(m->ref.mode) && is_quiet(&m->ref, s->now_ns));
}

struct git_seen_state *
git_seen_begin(const char *root, const char *top, const char *git_dir)
{
	struct git_seen_state *s;
	struct timespec now;
	size_t n;
	int fd = -1;

	if (top == NULL || strlen(root) >= PATH_ROOM || strlen(top) >= PATH_ROOM)
		return NULL;
	n = strlen(top);
	if (strncmp(git_dir, top, n) != 0 || strcmp(git_dir + n, "/.git") != 0 ||
	    (s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	s->now_ns = ns_of(&now);
	(void)snprintf(s->root, sizeof(s->root), "%s", root);
	(void)snprintf(s->top, sizeof(s->top), "%s", top);
	fd = open(git_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || !take_parts(s, fd)) {
		free(s);
		s = NULL;
	}
	if (fd != -1)
		(void)close(fd);
	return s;
}

/* Find out what the answer hangs on; false if that cannot be remembered. */
static bool
take_why(struct git_seen_state *s, bool dirty, const struct repo_change *c)
{
	struct memo *m = &s->memo;
	bool yes;
	int fd;

	m->why = !dirty ? WHY_CLEAN : c->staged ? WHY_STAGED : WHY_FILE;
	if (m->why != WHY_FILE)
		return true;
	if (c->path[0] == '\0')
		return false;
	fd = open(s->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return false;
	/* It may have been changed again since, but not so that it is as it was. */
	yes = look(fd, c->path, &m->file) == 0 && !S_ISDIR(m->file.mode) &&
	      is_quiet(&m->file, s->now_ns);
	(void)close(fd);
	return yes;
}

static void
save(struct git_seen_state *s, int state_fd, const char *file)
{
	struct buf b;

	buf_init(&b, MEMO_MAX);
	s->memo.magic = MAGIC;
	buf_add(&b, (const char *)&s->memo, sizeof(s->memo));
	buf_add(&b, s->root, strlen(s->root) + 1);
	buf_add(&b, s->top, strlen(s->top) + 1);
	buf_add(&b, s->ref, strlen(s->ref) + 1);
	buf_add(&b, file, strlen(file) + 1);
	if (!buf_failed(&b)) {
		s->memo.sum = hash_64(b.p + 16, b.n - 16);
		memcpy(b.p, &s->memo, sizeof(s->memo));
		(void)fsio_replace_lazily(state_fd, SEEN_FILE, b.p, b.n, 0600, NULL);
	}
	buf_release(&b);
}

void
git_seen_end(struct git_seen_state *s, int state_fd, const struct git_seen *found,
	     const struct repo_change *change)
{
	if (s == NULL)
		return;
	if (found != NULL && take_why(s, found->dirty, change)) {
		memcpy(s->memo.commit, found->commit, REPO_ID);
		save(s, state_fd, s->memo.why == WHY_FILE ? change->path : "");
	}
	free(s);
}
