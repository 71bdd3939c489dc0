/*
 * What may be on the disk.  A sync of a file makes its content durable up to there, a sync of
 * the directory its names.  Of what came after, anything may be there: each write and each
 * sector of it, each truncation, each name, whatever became of those before it.
 *
 * Sectors are written whole or not at all, which is what SQLite takes for granted too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crashfs.h"

#define NAMES_MAX 16

struct bytes {
	uint8_t *p;
	size_t n, cap;
};

struct list {
	size_t *v;
	size_t n, cap;
};

struct file {
	struct bytes durable;
	struct list pending; /* operations that no sync has covered */
};

struct entry {
	char name[CRASH_NAME];
	unsigned file;
};

struct crash_disk {
	const struct crash_log *log;
	struct crash_how lies;
	size_t at, acked;
	struct file *files;
	unsigned nentries;
	struct entry entries[NAMES_MAX];
	struct list names; /* operations that no sync of the directory has covered */
	struct bytes room[NAMES_MAX]; /* of the latest image */
};

/* ---- bytes ---- */

static void
resize(struct bytes *b, size_t n)
{
	if (n > b->cap) {
		b->cap = n + n / 2;
		b->p = must_grow(b->p, b->cap);
	}
	if (n > b->n)
		memset(b->p + b->n, 0, n - b->n);
	b->n = n;
}

static void
overwrite(struct bytes *b, size_t at, const uint8_t *p, size_t n)
{
	if (at + n > b->n)
		resize(b, at + n);
	memcpy(b->p + at, p, n);
}

static void
push(struct list *l, size_t op)
{
	if (l->n == l->cap) {
		l->cap = l->cap != 0 ? 2 * l->cap : 16;
		l->v = must_grow(l->v, l->cap * sizeof(*l->v));
	}
	l->v[l->n++] = op;
}

/* ---- names ---- */

static void
set_name(struct entry *v, unsigned *n, const char *name, unsigned file)
{
	unsigned i;

	for (i = 0; i < *n && strcmp(v[i].name, name) != 0; i++)
		;
	if (i == NAMES_MAX)
		die("too many names");
	if (i == *n)
		++*n;
	(void)snprintf(v[i].name, sizeof(v[i].name), "%s", name);
	v[i].file = file;
}

static void
drop_name(struct entry *v, unsigned *n, const char *name, unsigned file)
{
	unsigned i;

	for (i = 0; i < *n; i++)
		if (v[i].file == file && strcmp(v[i].name, name) == 0) {
			v[i] = v[--*n];
			return;
		}
}

static void
do_name(struct entry *v, unsigned *n, const struct crash_op *op)
{
	if (op->kind != CRASH_CREATE)
		drop_name(v, n, op->name, op->file);
	if (op->kind != CRASH_UNLINK)
		set_name(v, n, op->kind == CRASH_RENAME ? op->to : op->name, op->file);
}

/* ---- time ---- */

struct crash_disk *
disk_new(const struct crash_log *log, const struct crash_how *lies)
{
	struct crash_disk *d = must_alloc(sizeof(*d));
	unsigned i;

	memset(d, 0, sizeof(*d));
	d->log = log;
	d->lies = *lies;
	d->files = must_alloc((log->nfiles + 1) * sizeof(*d->files));
	memset(d->files, 0, (log->nfiles + 1) * sizeof(*d->files));
	for (i = 0; i < log->nbase; i++) {
		overwrite(&d->files[i].durable, 0, log->base[i].p, log->base[i].n);
		set_name(d->entries, &d->nentries, log->base[i].name, i);
	}
	return d;
}

static void
settle_file(struct crash_disk *d, struct file *f)
{
	const struct crash_op *op;
	size_t i;

	for (i = 0; i < f->pending.n; i++) {
		op = &d->log->v[f->pending.v[i]];
		if (op->kind == CRASH_WRITE)
			overwrite(&f->durable, op->at, op->data, op->len);
		else
			resize(&f->durable, op->len);
	}
	f->pending.n = 0;
}

void
disk_step(struct crash_disk *d)
{
	const struct crash_op *op = &d->log->v[d->at];
	size_t i;

	switch (op->kind) {
	case CRASH_WRITE:
	case CRASH_TRUNCATE:
		push(&d->files[op->file].pending, d->at);
		break;
	case CRASH_SYNC:
		if (!d->lies.file_sync_lies)
			settle_file(d, &d->files[op->file]);
		break;
	case CRASH_CREATE:
	case CRASH_UNLINK:
	case CRASH_RENAME:
		push(&d->names, d->at);
		break;
	case CRASH_SYNC_DIR:
		if (d->lies.dir_sync_lies)
			break;
		for (i = 0; i < d->names.n; i++)
			do_name(d->entries, &d->nentries, &d->log->v[d->names.v[i]]);
		d->names.n = 0;
		break;
	case CRASH_ACK:
		d->acked++;
		break;
	case CRASH_KINDS:
		break;
	}
	d->at++;
}

size_t
disk_acked(const struct crash_disk *d)
{
	return d->acked;
}

void
disk_free(struct crash_disk *d)
{
	unsigned i;

	for (i = 0; i < d->log->nfiles; i++) {
		free(d->files[i].durable.p);
		free(d->files[i].pending.v);
	}
	for (i = 0; i < NAMES_MAX; i++)
		free(d->room[i].p);
	free(d->files);
	free(d->names.v);
	free(d);
}

/* ---- power loss ---- */

struct loss {
	const struct crash_how *how;
	uint64_t rng;
	size_t last; /* operation on a file's content */
};

static bool
coin(struct loss *l)
{
	return (rng_next(&l->rng) & 1) != 0;
}

static void
noise(struct loss *l, uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(rng_next(&l->rng) >> 24);
}

/* The write, sector by sector; ${durable} is the size that is known to be there. */
static void
tear(struct loss *l, struct bytes *b, const struct crash_op *op, size_t durable)
{
	enum crash_fate fate = l->how->data;
	size_t at = op->at, end = op->at + op->len, next;

	if (fate >= FATE_ZEROS && end > b->n)
		resize(b, end);
	for (; at < end; at = next) {
		next = (at / l->how->sector + 1) * l->how->sector;
		if (next > end)
			next = end;
		if (coin(l))
			overwrite(b, at, op->data + (at - op->at), next - at);
		else if (fate == FATE_JUNK && at >= durable)
			noise(l, b->p + at, next - at);
	}
}

static void
lose_write(struct loss *l, struct bytes *b, const struct crash_op *op, size_t durable)
{
	bool whole = l->how->data == FATE_SOME || rng_below(&l->rng, 3) != 0;

	if (!whole)
		tear(l, b, op, durable);
	else if (coin(l))
		overwrite(b, op->at, op->data, op->len);
	else if (l->how->data >= FATE_ZEROS && op->at + op->len > b->n)
		resize(b, op->at + op->len);
}

static void
lose_op(struct loss *l, struct bytes *b, size_t index, const struct crash_op *op,
	size_t durable)
{
	enum crash_fate fate = l->how->data;

	if (fate == FATE_LAST && index != l->last)
		fate = FATE_KEPT;
	if (fate == FATE_LOST)
		return;
	if (op->kind == CRASH_TRUNCATE) {
		if (fate == FATE_KEPT || coin(l))
			resize(b, op->len);
	} else if (fate == FATE_KEPT) {
		overwrite(b, op->at, op->data, op->len);
	} else if (fate == FATE_LAST) {
		tear(l, b, op, durable);
	} else {
		lose_write(l, b, op, durable);
	}
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

static uint64_t
hash(const char *name, const uint8_t *p, size_t n)
{
	uint64_t h = mix(n, 1), w;
	size_t i;

	for (; *name != '\0'; name++)
		h = mix(h, (uint8_t)*name);
	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&w, p + i, 8);
		h = mix(h, w);
	}
	for (; i < n; i++)
		h = mix(h, p[i]);
	return h;
}

static void
lose_names(struct crash_disk *d, struct loss *l, struct entry *v, unsigned *n)
{
	enum crash_fate fate = l->how->names;
	size_t i;

	memcpy(v, d->entries, sizeof(d->entries));
	*n = d->nentries;
	for (i = 0; i < d->names.n; i++)
		if (fate == FATE_KEPT || (fate != FATE_LOST && coin(l)))
			do_name(v, n, &d->log->v[d->names.v[i]]);
}

void
disk_image(struct crash_disk *d, const struct crash_how *how, struct crash_image *out)
{
	struct loss l = {.how = how, .rng = how->seed};
	struct entry entries[NAMES_MAX];
	struct bytes *b;
	struct file *f;
	unsigned i;
	size_t k;

	for (i = 0; i < d->log->nfiles; i++) {
		f = &d->files[i];
		if (f->pending.n != 0 && f->pending.v[f->pending.n - 1] > l.last)
			l.last = f->pending.v[f->pending.n - 1];
	}
	lose_names(d, &l, entries, &out->n);
	out->hash = 0;
	for (i = 0; i < out->n; i++) {
		f = &d->files[entries[i].file];
		b = &d->room[i];
		b->n = 0;
		resize(b, f->durable.n);
		if (b->n != 0)
			memcpy(b->p, f->durable.p, b->n);
		for (k = 0; k < f->pending.n; k++)
			lose_op(&l, b, f->pending.v[k], &d->log->v[f->pending.v[k]],
				f->durable.n);
		memcpy(out->files[i].name, entries[i].name, CRASH_NAME);
		out->files[i].p = b->p;
		out->files[i].n = b->n;
		out->hash += hash(entries[i].name, b->p, b->n);
	}
}

/* ---- making it ---- */

static void
clear(const struct crash_image *image, int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	unsigned i;

	if (dir == NULL)
		die("cannot look into the directory: %s", strerror(errno));
	while ((de = readdir(dir)) != NULL) {
		for (i = 0; i < image->n; i++)
			if (strcmp(image->files[i].name, de->d_name) == 0)
				break;
		if (i == image->n && strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			(void)unlinkat(dirfd, de->d_name, 0);
	}
	(void)closedir(dir);
}

void
image_write(const struct crash_image *image, int dirfd)
{
	static const uint8_t zeros[4096];
	const uint8_t *p;
	size_t at, n, size;
	unsigned i;
	int fd;

	clear(image, dirfd);
	for (i = 0; i < image->n; i++) {
		p = image->files[i].p;
		size = image->files[i].n;
		fd = openat(dirfd, image->files[i].name,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			die("cannot make %s: %s", image->files[i].name, strerror(errno));
		for (at = 0; at < size; at += n) {
			n = size - at < sizeof(zeros) ? size - at : sizeof(zeros);
			if (memcmp(p + at, zeros, n) != 0 &&
			    pwrite(fd, p + at, n, (off_t)at) != (ssize_t)n)
				die("cannot write: %s", strerror(errno));
		}
		if (ftruncate(fd, (off_t)size) != 0)
			die("cannot set a size: %s", strerror(errno));
		close(fd);
	}
}
