/*
 * The limit of whoever puts files somewhere else: two threads copy every file below FROM to the
 * same path below TO, in the order of the directories, and one syncfs makes it durable.  No
 * names to choose, no hashes, no renames.
 *
 *	copyloop FROM TO
 *
 * TO is made.  What it prints: files, bytes, and the seconds of copying and of syncing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 2
#define BUFFER	((size_t)1 << 20)
#define SLICE	64 /* files that a worker takes at once */

static char **files;
static size_t nfiles;
static int from, to;
static _Atomic size_t next;
static _Atomic unsigned long long bytes;

static void
die(const char *what)
{
	perror(what);
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
collect(const char *dir)
{
	char *const roots[] = {(char *)dir, NULL};
	size_t cap = 0, skip = strlen(dir) + 1;
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;

	if (walk == NULL)
		die(dir);
	while ((e = fts_read(walk)) != NULL) {
		if (e->fts_info == FTS_D && e->fts_level > 0 &&
		    mkdirat(to, e->fts_path + skip, 0777) != 0)
			die(e->fts_path);
		if (e->fts_info != FTS_F)
			continue;
		if (nfiles == cap) {
			cap = cap != 0 ? cap * 2 : 1024;
			files = realloc(files, cap * sizeof(*files));
		}
		if (files == NULL ||
		    (files[nfiles++] = strdup(e->fts_path + skip)) == NULL)
			die("memory");
	}
	(void)fts_close(walk);
}

static void
copy(const char *path, char *buf)
{
	int in = openat(from, path, O_RDONLY | O_CLOEXEC);
	int out = openat(to, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	struct stat st;
	off_t left;

	if (in < 0 || out < 0 || fstat(in, &st) != 0)
		die(path);
	for (left = st.st_size; left > 0;) {
		ssize_t n = read(in, buf, BUFFER);

		if (n <= 0 || write(out, buf, (size_t)n) != n)
			die(path);
		left -= n;
	}
	bytes += (unsigned long long)st.st_size;
	(void)close(in);
	if (close(out) != 0)
		die(path);
}

static void *
work(void *arg)
{
	char *buf = malloc(BUFFER);
	size_t i, end;

	if (buf == NULL)
		die("memory");
	while ((i = atomic_fetch_add(&next, SLICE)) < nfiles)
		for (end = i + SLICE; i < end && i < nfiles; i++)
			copy(files[i], buf);
	free(buf);
	return arg;
}

int
main(int argc, char **argv)
{
	pthread_t threads[WORKERS];
	double begun, copied;

	if (argc != 3) {
		fputs("usage: copyloop FROM TO\n", stderr);
		return 2;
	}
	if (mkdir(argv[2], 0777) != 0)
		die(argv[2]);
	from = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		die(argv[1]);
	begun = now();
	collect(argv[1]);
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			die("threads");
	for (int i = 0; i < WORKERS; i++)
		(void)pthread_join(threads[i], NULL);
	copied = now();
	if (syncfs(to) != 0)
		die("syncfs");
	printf("%zu files, %llu bytes, copy %.3f s, sync %.3f s, all %.3f s\n", nfiles,
	       bytes, copied - begun, now() - copied, now() - begun);
	return 0;
}
