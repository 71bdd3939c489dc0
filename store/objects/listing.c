/*
 * Which objects a store has, by what its directories say: 256 of them, read by two threads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "store/meter.h"
#include "store/objects/object_set.h"
#include "store/objects/objects_internal.h"
#include "store/thread.h"

/* A look at one object costs about as much as three in a list. */
#define STAT_COST   3
#define STAT_ALWAYS 64 /* so few are looked for without asking what a list would cost */

/* ---- one directory ---- */

int
objects_each_name(int base, const char *name, int (*fn)(void *, int, const char *),
		  void *arg)
{
	int fd = fsio_open(base, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0), r = 0;
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	d = fdopendir(fd);
	if (d == NULL) {
		(void)close(fd);
		return -1;
	}
	while (r == 0) {
		errno = 0;
		e = readdir(d);
		if (e == NULL) {
			r = errno != 0 ? -1 : 0;
			break;
		}
		r = fn(arg, dirfd(d), e->d_name);
	}
	if (r != 0) {
		int saved = errno;

		(void)closedir(d);
		errno = saved;
		return -1;
	}
	(void)closedir(d);
	return 0;
}

void
objects_prefix_name(unsigned prefix, char out[3])
{
	static const char hex[] = "0123456789abcdef";

	out[0] = hex[prefix >> 4];
	out[1] = hex[prefix & 15];
	out[2] = '\0';
}

/* ---- all of them ---- */

struct list {
	struct object_set *set;
	struct meter *m;
	int base;
	bool legacy;
	_Atomic unsigned next; /* prefix */
	_Atomic int failed;    /* errno */
};

struct list_dir {
	struct list *l;
	unsigned prefix;
	uint64_t n;
};

/* Only names in small letters are objects: DVC looks for no others. */
static int
list_name(void *arg, int fd, const char *name)
{
	struct list_dir *at = arg;
	char hex[OBJECT_HEX_MAX];
	size_t n = strlen(name);
	struct object_id id;

	(void)fd;
	if (n + 2 >= sizeof(hex) || strpbrk(name, "ABCDEF") != NULL)
		return 0;
	objects_prefix_name(at->prefix, hex);
	memcpy(hex + 2, name, n + 1);
	if (object_id_parse(hex, at->l->legacy, &id) != 0)
		return 0;
	at->n++;
	if (object_set_add(at->l->set, &id) >= 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

static void *
list_some(void *arg)
{
	struct list *l = arg;
	struct list_dir at = {.l = l};
	char name[3];

	while ((at.prefix = atomic_fetch_add(&l->next, 1)) < OBJECT_PREFIXES) {
		if (meter_cancelled(l->m))
			l->failed = ECANCELED;
		if (l->failed != 0)
			break;
		at.n = 0;
		objects_prefix_name(at.prefix, name);
		if (objects_each_name(l->base, name, list_name, &at) != 0)
			l->failed = errno;
		meter_add(l->m, at.n, 0);
	}
	return NULL;
}

int
objects_list(struct objects *o, bool legacy, struct object_set *set, struct meter *m,
	     struct err *err)
{
	struct list l = {.set = set, .m = m, .legacy = legacy};
	pthread_t other;
	bool two;

	l.base = objects_base(o, legacy, false);
	if (l.base < 0 && errno == ENOENT)
		return 0;
	if (l.base < 0)
		return err_sys(err, errno, "cannot open the store '%s'", o->dir);
	two = thread_start(&other, list_some, &l) == 0;
	(void)list_some(&l);
	if (two)
		(void)pthread_join(other, NULL);
	if (l.failed == ECANCELED)
		return err_set(err, ERR_CANCELLED, "stopped on request");
	if (l.failed != 0)
		return err_sys(err, l.failed, "cannot list the store '%s'", o->dir);
	return 0;
}

/* ---- which of these ---- */

static int
count_name(void *arg, int fd, const char *name)
{
	size_t *n = arg;

	(void)fd;
	(void)name;
	++*n;
	return 0;
}

/* What two of the directories hold says what all do, well enough. */
static size_t
estimate(int base)
{
	size_t n = 0;

	(void)objects_each_name(base, "00", count_name, &n);
	(void)objects_each_name(base, "80", count_name, &n);
	return n * (OBJECT_PREFIXES / 2);
}

/* By one list of all. */
static int
missing_by_list(struct objects *o, const struct object_id *v, size_t n, uint8_t *missing,
		struct meter *m, struct err *err)
{
	struct object_set *set = object_set_new();
	bool plain = false, legacy = false;
	int r = 0;

	if (set == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		*(v[i].legacy ? &legacy : &plain) = true;
	if (plain)
		r = objects_list(o, false, set, m, err);
	if (r == 0 && legacy)
		r = objects_list(o, true, set, m, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		missing[i] = !object_set_has(set, &v[i]);
	object_set_free(set);
	return r;
}

int
objects_missing(struct objects *o, const struct object_id *v, size_t n, uint8_t *missing,
		struct meter *m, struct err *err)
{
	bool none[2]; /* nothing of this kind has been made yet */
	int base, has;

	for (int legacy = 0; legacy <= 1; legacy++)
		none[legacy] = objects_base(o, legacy != 0, false) < 0 && errno == ENOENT;
	if (n > STAT_ALWAYS) {
		base = objects_base(o, v[0].legacy, false);
		if (base >= 0 && estimate(base) / STAT_COST < n)
			return missing_by_list(o, v, n, missing, m, err);
	}
	for (size_t i = 0; i < n; i++) {
		if (meter_cancelled(m))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		has = none[v[i].legacy] ? 0 : objects_has(o, &v[i], err);
		if (has < 0)
			return -1;
		missing[i] = has == 0;
		meter_add(m, 1, 0);
	}
	return 0;
}
