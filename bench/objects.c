/*
 * What the store of objects costs by itself, without walks, indexes or pointer files.
 *
 *	objects add FROM STORE		every file below FROM into STORE by one batch, two threads
 *	objects checkout FROM STORE TO	and out again, to the same path below TO
 *	objects list STORE		all of its names
 */
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "store/objects/batch.h"
#include "store/objects/link.h"
#include "store/objects/object_id.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"

#define WORKERS 2
#define SLICE	64

struct file {
	char *path;
	struct object_id id;
};

static struct file *files;
static size_t nfiles;
static int from, to = -1;
static _Atomic size_t next;
static struct objects *store;
static struct batch *batch;

static void
die(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err != NULL ? err->msg : "failed");
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
collect(char *dir, bool make)
{
	char *const roots[] = {dir, NULL};
	size_t cap = 0, skip = strlen(dir) + 1;
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;

	if (walk == NULL)
		die(dir, NULL);
	while ((e = fts_read(walk)) != NULL) {
		if (make && e->fts_info == FTS_D && e->fts_level > 0 &&
		    mkdirat(to, e->fts_path + skip, 0777) != 0)
			die(e->fts_path, NULL);
		if (e->fts_info != FTS_F)
			continue;
		if (nfiles == cap) {
			cap = cap != 0 ? cap * 2 : 1024;
			files = realloc(files, cap * sizeof(*files));
			if (files == NULL)
				die("memory", NULL);
		}
		files[nfiles].path = strdup(e->fts_path + skip);
		if (files[nfiles++].path == NULL)
			die("memory", NULL);
	}
	(void)fts_close(walk);
}

static void
add(struct file *f)
{
	int fd = openat(from, f->path, O_RDONLY | O_CLOEXEC);
	struct err err = {0};
	struct stat st, after;
	uint64_t size;

	if (fd < 0 || fstat(fd, &st) != 0)
		die(f->path, NULL);
	size = (uint64_t)st.st_size;
	if (batch_copy(batch, fd, NULL, &f->id, &size, &err) != 0)
		die(f->path, &err);
	if (fstat(fd, &after) != 0)
		die(f->path, NULL);
	(void)close(fd);
}

/* A directory is opened once for the files in it that follow each other. */
static void
checkout(struct file *f)
{
	static _Thread_local char last[4096];
	static _Thread_local int dir = -1;
	struct link_what what = {.id = &f->id, .type = LINK_COPY};
	const char *slash = strrchr(f->path, '/');
	size_t n = slash != NULL ? (size_t)(slash - f->path) : 0;
	struct err err = {0};
	struct stat st;

	if (dir < 0 || strncmp(last, f->path, n) != 0 || last[n] != '\0') {
		if (dir >= 0)
			(void)close(dir);
		(void)snprintf(last, sizeof(last), "%.*s", (int)n, f->path);
		dir = openat(to, n != 0 ? last : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (link_at(store, &what, dir, f->path + (n != 0 ? n + 1 : 0), &st, &err) != 0)
		die(f->path, &err);
}

static void *
work(void *arg)
{
	size_t i, end;

	while ((i = atomic_fetch_add(&next, SLICE)) < nfiles)
		for (end = i + SLICE; i < end && i < nfiles; i++)
			arg == NULL ? add(&files[i]) : checkout(&files[i]);
	return NULL;
}

static void
workers(void *arg)
{
	pthread_t threads[WORKERS];

	next = 0;
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, work, arg) != 0)
			die("threads", NULL);
	for (int i = 0; i < WORKERS; i++)
		(void)pthread_join(threads[i], NULL);
}

static void
list(void)
{
	struct object_set *set = object_set_new();
	struct err err = {0};

	if (set == NULL || objects_list(store, false, set, NULL, &err) != 0)
		die("list", &err);
	printf("%zu objects, ", object_set_count(set));
	object_set_free(set);
}

int
main(int argc, char **argv)
{
	struct objects_options opt = {0};
	struct err err = {0};
	struct rusage used;
	double begun, done, ended;

	if (argc < 3) {
		fputs("usage: objects add FROM STORE | checkout FROM STORE TO | list "
		      "STORE\n",
		      stderr);
		return 2;
	}
	opt.dir = argv[argv[1][0] == 'l' ? 2 : 3];
	if (objects_open(&opt, &store, &err) != 0)
		die(opt.dir, &err);
	from = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	begun = now();
	if (argv[1][0] == 'l') {
		list();
		done = ended = now();
	} else {
		collect(argv[2], false);
		if (batch_begin(store, NULL, &batch, &err) != 0)
			die("batch", &err);
		workers(NULL);
		done = now();
		if (batch_end(batch, true, &err) != 0)
			die("batch", &err);
		ended = now();
		if (argv[1][0] == 'c') {
			if (mkdir(argv[4], 0777) != 0)
				die(argv[4], NULL);
			to = open(argv[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			for (size_t i = 0; i < nfiles; i++)
				free(files[i].path);
			begun = now();
			struct file *with_ids = files;

			files = NULL;
			nfiles = 0;
			collect(argv[2], true);
			for (size_t i = 0; i < nfiles; i++)
				files[i].id = with_ids[i].id;
			workers(&to);
			done = now();
			if (syncfs(to) != 0)
				die("syncfs", NULL);
			ended = now();
		}
	}
	(void)getrusage(RUSAGE_SELF, &used);
	printf("%zu files, work %.3f s, sync %.3f s, all %.3f s, user %ld.%02ld sys "
	       "%ld.%02ld, %ld MiB\n",
	       nfiles, done - begun, ended - done, ended - begun, used.ru_utime.tv_sec,
	       used.ru_utime.tv_usec / 10000, used.ru_stime.tv_sec,
	       used.ru_stime.tv_usec / 10000, used.ru_maxrss / 1024);
	objects_close(store);
	return 0;
}
