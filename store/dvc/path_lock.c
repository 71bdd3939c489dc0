#include "store/dvc/path_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "store/dvc/work_lock.h"
#include "store/meter.h"

#define FILE_NAME  "rwlock"
#define GUARD_NAME "rwlock.lock"
#define GUARD_US   10000000 /* DVC holds it for moments */
#define NAP_US	   50000
#define PAGE	   4096

struct path_lock {
	struct path_lock_options o;
	json_t *info; /* {"pid", "cmd"} */
	size_t n;
	struct path_lock_want v[]; /* with copies of the paths; NULL: was ours before */
};

/* ---- the file ---- */

static int
corrupt(struct err *err)
{
	return err_set(err, ERR_CORRUPT,
		       "the file .dvc/tmp/rwlock (without DVC: rwlock in the state "
		       "directory) cannot be understood: remove it when no other process "
		       "works in this repository");
}

/* Is it {"pid": int, "cmd": text}? */
static bool
is_info(const json_t *j)
{
	return json_is_object(j) && json_is_integer(json_object_get(j, "pid")) &&
	       json_is_string(json_object_get(j, "cmd"));
}

static bool
is_info_list(json_t *j)
{
	json_t *item;
	size_t i;

	json_array_foreach(j, i, item) if (!is_info(item)) return false;
	return json_is_array(j);
}

/* Each path has one of these, or a list of them. */
static bool
is_well_formed(json_t *half, bool lists)
{
	const char *key;
	json_t *v;

	json_object_foreach(half, key,
			    v) if (lists ? !is_info_list(v) : !is_info(v)) return false;
	return half == NULL || json_is_object(half);
}

static bool
is_rwlock(const json_t *j)
{
	json_t *write = json_object_get(j, "write"), *read = json_object_get(j, "read");

	return json_is_object(j) &&
	       json_object_size(j) == (size_t)(write != NULL) + (size_t)(read != NULL) &&
	       is_well_formed(write, false) && is_well_formed(read, true);
}

/* Read the file; an absent one is empty.  NULL with the error. */
static json_t *
read_file(int tmp_fd, struct err *err)
{
	struct buf text;
	json_t *j = NULL;
	struct err why = {0};

	buf_init(&text, PATH_LOCK_FILE_MAX);
	if (fsio_read(tmp_fd, FILE_NAME, PATH_LOCK_FILE_MAX, &text, &why) != 0) {
		if (why.code == ERR_NOTFOUND && (j = json_object()) == NULL)
			(void)err_nomem(err);
		else if (why.code != ERR_NOTFOUND && err != NULL)
			*err = why;
	} else {
		j = json_parse(text.p, text.n, &why);
		if (j == NULL && why.code == ERR_NOMEM)
			(void)err_nomem(err);
		else if (!is_rwlock(j)) {
			(void)corrupt(err);
			json_decref(j);
			j = NULL;
		}
	}
	buf_release(&text);
	return j;
}

static void
put_info(struct json_writer *w, const json_t *info)
{
	json_begin_object(w);
	json_kv_int(w, "pid", json_integer_value(json_object_get(info, "pid")));
	json_kv_str(w, "cmd", json_string_value(json_object_get(info, "cmd")));
	json_end(w);
}

/* jansson's own writer leaves pieces out where memory ends, and does not say so. */
static void
put_file(json_t *file, struct buf *out)
{
	const char *key, *path;
	struct json_writer w;
	json_t *half, *v, *item;
	size_t i;

	json_init(&w, out, 0);
	json_begin_object(&w);
	json_object_foreach(file, key, half)
	{
		if (json_object_size(half) == 0)
			continue;
		json_key(&w, key);
		json_begin_object(&w);
		json_object_foreach(half, path, v)
		{
			json_key(&w, path);
			if (!json_is_array(v)) {
				put_info(&w, v);
				continue;
			}
			json_begin_array(&w);
			json_array_foreach(v, i, item) put_info(&w, item);
			json_end(&w);
		}
		json_end(&w);
	}
	json_end(&w);
}

/*
 * Over what stands there: a new file each time costs an inode and its writing, twice a stage.
 * What lies within one page is there whole or not at all for who is killed, and blanks behind it
 * are nothing to JSON.  Return 0; or 1 where it must be a new file.
 */
static int
write_over(int tmp_fd, struct buf *text)
{
	int fd = openat(tmp_fd, FILE_NAME, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	size_t n = text->n, was;
	struct stat st;
	int rc = 1;

	if (fd == -1)
		return 1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_size > 0 && st.st_size <= PAGE && n <= PAGE) {
		was = (size_t)st.st_size;
		while (text->n < was && !buf_failed(text))
			buf_addc(text, ' ');
		if (!buf_failed(text) &&
		    pwrite(fd, text->p, text->n, 0) == (ssize_t)text->n)
			rc = was > n && ftruncate(fd, (off_t)n) != 0;
	}
	(void)close(fd);
	buf_truncate(text, n);
	return rc;
}

static int
write_new(int tmp_fd, const struct buf *text, struct err *err)
{
	int fd, rc = -1, flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	char temp[48];

	(void)snprintf(temp, sizeof(temp), ".rwlock-%ld.tmp", (long)getpid());
	fd = openat(tmp_fd, temp, flags, 0666);
	if (fd != -1) {
		rc = fsio_write_all(fd, text->p, text->n);
		(void)close(fd);
	}
	if (rc == 0)
		rc = renameat(tmp_fd, temp, tmp_fd, FILE_NAME);
	if (rc != 0) {
		(void)err_sys(err, errno, "cannot write .dvc/tmp/rwlock");
		(void)unlinkat(tmp_fd, temp, 0);
	}
	return rc;
}

/* A crash may lose what is written here, as it ends all who hold a lock; but what is read is
 * always whole. */
static int
write_file(int tmp_fd, json_t *j, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, PATH_LOCK_FILE_MAX);
	put_file(j, &text);
	if (buf_failed(&text))
		rc = text.state == BUF_TOOBIG
			 ? err_set(err, ERR_LIMIT, ".dvc/tmp/rwlock would be too large")
			 : err_nomem(err);
	else
		rc = write_over(tmp_fd, &text) == 0 ? 0 : write_new(tmp_fd, &text, err);
	buf_release(&text);
	return rc;
}

/* ---- who is in the way ---- */

/* One that has ended may be there for long: as long as nobody asks how it ended. */
static bool
is_alive(const json_t *info)
{
	json_int_t pid = json_integer_value(json_object_get(info, "pid"));
	char state;

	if (pid <= 0 || pid > INT32_MAX)
		return false;
	if (kill((pid_t)pid, 0) != 0 && errno != EPERM)
		return false;
	state = proc_state((pid_t)pid);
	return state != 'Z' && state != 'X';
}

static const struct path_lock_want *
overlapped(const struct path_lock_want *v, size_t n, const char *path, bool writers_only)
{
	for (size_t i = 0; i < n; i++)
		if ((!writers_only || v[i].write) && path_overlap(v[i].path, path))
			return &v[i];
	return NULL;
}

static int
say_busy(const char *path, const json_t *info, struct err *err)
{
	return err_set(err, ERR_BUSY, "'%.300s' is in use by process %lld (%.200s)", path,
		       (long long)json_integer_value(json_object_get(info, "pid")),
		       json_string_value(json_object_get(info, "cmd")));
}

static bool
is_ours(const json_t *info)
{
	return json_integer_value(json_object_get(info, "pid")) == (json_int_t)getpid();
}

/* Look at one half of the file.  Dead processes are taken out.  1: a live one is in the way,
 * which is neither ${self} nor, with ${own}, this process. */
static int
look(json_t *half, bool lists, const struct path_lock_want *v, size_t n,
     const json_t *self, bool own, struct err *err)
{
	const struct path_lock_want *hit;
	json_t *infos, *info;
	const char *key;
	void *tmp;
	size_t i;

	json_object_foreach_safe(half, tmp, key, infos)
	{
		hit = overlapped(v, n, key, lists);
		if (hit == NULL)
			continue;
		for (i = lists ? json_array_size(infos) : 1; i-- > 0;) {
			info = lists ? json_array_get(infos, i) : infos;
			if (json_equal(info, self) == 1 || (own && is_ours(info)))
				continue;
			if (is_alive(info)) {
				(void)say_busy(hit->path, info, err);
				return 1;
			}
			if (lists)
				(void)json_array_remove(infos, i);
			else
				(void)json_object_del(half, key);
		}
		if (lists && json_array_size(infos) == 0)
			(void)json_object_del(half, key);
	}
	return 0;
}

/* ---- taking ---- */

/* The object under the key, made if it is missing. */
static json_t *
half_of(json_t *file, const char *key)
{
	json_t *j = json_object_get(file, key);

	if (j == NULL && json_object_set_new(file, key, json_object()) == 0)
		j = json_object_get(file, key);
	return j;
}

/* Enter one path; *ours tells whether it was not ours before.  -1: no memory. */
static int
enter(json_t *file, const struct path_lock_want *w, json_t *info, bool *ours)
{
	json_t *half = half_of(file, w->write ? "write" : "read"), *v, *item;
	size_t i;

	*ours = false;
	if (half == NULL)
		return -1;
	v = json_object_get(half, w->path);
	if (w->write) {
		if (v != NULL && json_equal(v, info) == 1)
			return 0;
		*ours = true;
		return json_object_set(half, w->path, info);
	}
	if (v == NULL) {
		if (json_object_set_new(half, w->path, json_array()) != 0)
			return -1;
		v = json_object_get(half, w->path);
	}
	json_array_foreach(v, i, item) if (json_equal(item, info) == 1) return 0;
	*ours = true;
	return json_array_append(v, info);
}

static int
guard(const struct path_lock_options *o, struct err *err)
{
	struct work_lock_options w = {.dir_fd = o->tmp_fd,
				      .path = GUARD_NAME,
				      .wait_us = GUARD_US,
				      .meter = o->meter};

	return work_lock_take(&w, err);
}

/* One try.  1: somebody is in the way, as ${err} says. */
static int
try_once(struct path_lock *l, struct err *err)
{
	int fd = guard(&l->o, err), rc = -1;
	json_t *file = fd != -1 ? read_file(l->o.tmp_fd, err) : NULL;
	bool ours;

	if (file == NULL)
		goto out;
	rc = look(json_object_get(file, "write"), false, l->v, l->n, l->info, l->o.own,
		  err);
	if (rc == 0)
		rc = look(json_object_get(file, "read"), true, l->v, l->n, l->info,
			  l->o.own, err);
	for (size_t i = 0; i < l->n && rc == 0; i++) {
		rc = enter(file, &l->v[i], l->info, &ours);
		if (rc != 0) {
			(void)err_nomem(err);
		} else if (!ours) {
			free((void *)(uintptr_t)l->v[i].path);
			l->v[i].path = NULL;
		}
	}
	if (rc == 0)
		rc = write_file(l->o.tmp_fd, file, err);
out:
	json_decref(file);
	work_lock_drop(fd);
	return rc;
}

static void
lock_free(struct path_lock *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((void *)(uintptr_t)l->v[i].path);
	json_decref(l->info);
	free(l);
}

/* JSON holds nothing else. */
static bool
is_utf8(const char *s)
{
	size_t n = strlen(s);
	uint32_t c;
	int len = 1;

	for (; n > 0 && len > 0; s += len, n -= (size_t)len)
		if ((len = utf8_decode(s, n, &c)) < 0)
			return false;
	return true;
}

static struct path_lock *
lock_new(const struct path_lock_options *o, const struct path_lock_want *v, size_t n,
	 struct err *err)
{
	struct path_lock *l;

	for (size_t i = 0; i < n; i++)
		if (!is_utf8(v[i].path)) {
			(void)err_set(err, ERR_INVALID,
				      "'%.300s' is not UTF-8 and cannot be locked",
				      v[i].path);
			return NULL;
		}
	l = calloc(1, sizeof(*l) + n * sizeof(*v));
	if (l == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	l->o = *o;
	l->n = n;
	l->info = json_pack("{s:I,s:s}", "pid", (json_int_t)getpid(), "cmd", o->cmd);
	for (size_t i = 0; i < n; i++) {
		l->v[i].write = v[i].write;
		l->v[i].path = strdup(v[i].path);
		if (l->info == NULL || l->v[i].path == NULL) {
			(void)err_nomem(err);
			lock_free(l);
			return NULL;
		}
	}
	return l;
}

int
path_lock_take(const struct path_lock_options *o, const struct path_lock_want *v,
	       size_t n, struct path_lock **out, struct err *err)
{
	int64_t end = clock_now().mono_us + o->wait_us;
	struct timespec ts = {0, NAP_US * 1000};
	struct path_lock *l = lock_new(o, v, n, err);
	struct err why = {0};
	bool told = false;
	int rc;

	if (l == NULL)
		return -1;
	while ((rc = try_once(l, &why)) == 1 && clock_now().mono_us < end) {
		if (meter_cancelled(o->meter)) {
			(void)err_set(&why, ERR_CANCELLED, "stopped while waiting");
			break;
		}
		if (!told && o->waiting != NULL)
			o->waiting(o->ctx, why.msg);
		told = true;
		(void)nanosleep(&ts, NULL);
	}
	if (rc == 0) {
		l->o.waiting = NULL;
		*out = l;
		return 0;
	}
	if (err != NULL)
		*err = why;
	lock_free(l);
	return -1;
}

/* ---- giving back ---- */

static void
leave(json_t *file, const struct path_lock_want *w, const json_t *info)
{
	const char *name = w->write ? "write" : "read";
	json_t *half = json_object_get(file, name), *v = json_object_get(half, w->path);

	if (w->write && v != NULL && json_equal(v, info) == 1)
		(void)json_object_del(half, w->path);
	for (size_t i = w->write ? 0 : json_array_size(v); i-- > 0;)
		if (json_equal(json_array_get(v, i), info) == 1)
			(void)json_array_remove(v, i);
	if (!w->write && v != NULL && json_array_size(v) == 0)
		(void)json_object_del(half, w->path);
	if (half != NULL && json_object_size(half) == 0)
		(void)json_object_del(file, name);
}

int
path_lock_drop(struct path_lock *l, struct err *err)
{
	json_t *file = NULL;
	int fd, rc = -1;

	if (l == NULL)
		return 0;
	l->o.meter = NULL; /* also who was cancelled gives back what it has */
	fd = guard(&l->o, err);
	if (fd != -1)
		file = read_file(l->o.tmp_fd, err);
	if (file != NULL) {
		for (size_t i = 0; i < l->n; i++)
			if (l->v[i].path != NULL)
				leave(file, &l->v[i], l->info);
		rc = write_file(l->o.tmp_fd, file, err);
	}
	json_decref(file);
	work_lock_drop(fd);
	lock_free(l);
	return rc;
}

/* ---- looking ---- */

struct path_locks {
	json_t *file;
};

int
path_locks_read(int tmp_fd, struct path_locks **out, struct err *err)
{
	struct path_lock_options o = {.tmp_fd = tmp_fd};
	struct path_locks *l = calloc(1, sizeof(*l));
	int fd;

	*out = NULL;
	if (l == NULL)
		return err_nomem(err);
	if (faccessat(tmp_fd, FILE_NAME, F_OK, 0) != 0 && errno == ENOENT) {
		*out = l;
		return 0;
	}
	fd = guard(&o, err);
	if (fd != -1)
		l->file = read_file(tmp_fd, err);
	work_lock_drop(fd);
	if (l->file == NULL) {
		free(l);
		return -1;
	}
	*out = l;
	return 0;
}

void
path_locks_free(struct path_locks *l)
{
	if (l == NULL)
		return;
	json_decref(l->file);
	free(l);
}

int
path_locks_check(struct path_locks *l, const char *path, struct err *err)
{
	struct path_lock_want w = {path, true};

	if (look(json_object_get(l->file, "write"), false, &w, 1, NULL, true, err) != 0)
		return -1;
	return look(json_object_get(l->file, "read"), true, &w, 1, NULL, true, err) != 0
		   ? -1
		   : 0;
}
