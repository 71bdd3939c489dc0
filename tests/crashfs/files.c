/*
 * Files that are replaced whole.
 *
 * base/fsio.h promises for fsio_replace: the old content or the new one, and the new one once it
 * has returned.  The shim's exit record is renamed without a sync and promises less: whoever
 * finds it finds the whole record or none, and after a power loss, when nothing but sectors of
 * it may be there, none or the right one.  (What is found then is not even asked: the attempt
 * is of another boot, and lost.)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "crashfs.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/kvline.h"
#include "tasks/proto/record.h"
#include "tasks/shim/shim.h"

#define CONTENTS 5
#define BYTES	 3000

struct texts {
	unsigned n;
	char v[CONTENTS][BYTES];
	size_t len[CONTENTS];
};

/* ---- fsio_replace ---- */

static void
replace_play(int dirfd, struct texts *t, struct crash_log *log)
{
	static const size_t sizes[CONTENTS] = {600, 2900, 1, 0, 1500};
	struct err err = {0};
	size_t i;

	for (t->n = 0; t->n < CONTENTS; t->n++) {
		for (i = 0; i < sizes[t->n]; i++)
			t->v[t->n][i] = (char)('a' + (int)t->n);
		t->len[t->n] = sizes[t->n];
		if (t->n == 0) { /* was there before */
			if (fsio_replace(dirfd, "x", t->v[0], t->len[0], 0600, &err) != 0)
				die("%s", err.msg);
			record_start(log, dirfd);
			continue;
		}
		if (fsio_replace(dirfd, "x", t->v[t->n], t->len[t->n], 0600, &err) != 0)
			die("%s", err.msg);
		record_ack();
	}
	record_stop();
}

static bool
holds(const struct crash_image *image, const struct texts *t, size_t i)
{
	unsigned f;

	for (f = 0; f < image->n; f++)
		if (strcmp(image->files[f].name, "x") == 0)
			return image->files[f].n == t->len[i] &&
			       memcmp(image->files[f].p, t->v[i], t->len[i]) == 0;
	return false;
}

/* ---- going through a log ---- */

struct judge {
	bool (*fine)(void *, const struct crash_image *, size_t acked, bool power);
	void *ctx;
	size_t checked, wrong;
};

static void
look(struct judge *j, struct crash_disk *disk, const struct crash_how *how)
{
	bool power = how->data != FATE_KEPT || how->names != FATE_KEPT;
	struct crash_image image;

	disk_image(disk, how, &image);
	j->checked++;
	if (!j->fine(j->ctx, &image, disk_acked(disk), power))
		j->wrong++;
}

static void
go_through(struct judge *j, const struct crash_log *log, struct crash_how how,
	   unsigned seeds)
{
	struct crash_disk *disk = disk_new(log, &how);
	uint64_t seed = how.seed;
	unsigned data, names, s;
	size_t i;

	for (i = 0; i <= log->n; i++) {
		for (data = 0; data < FATES; data++)
			for (names = 0; names < 3; names++)
				for (s = 0; s < seeds; s++) {
					how.data = (enum crash_fate)data;
					how.names = names == 2 ? FATE_SOME
							       : (enum crash_fate)names;
					how.sector = s % 2 != 0 ? 4096 : 512;
					how.seed = rng_next(&seed);
					look(j, disk, &how);
				}
		if (i < log->n)
			disk_step(disk);
	}
	disk_free(disk);
}

static bool
replace_fine(void *ctx, const struct crash_image *image, size_t acked, bool power)
{
	const struct texts *t = ctx;

	(void)power;
	return holds(image, t, acked) ||
	       (acked + 1 < CONTENTS && holds(image, t, acked + 1));
}

static size_t
replace_check(struct crash_how lies, unsigned seeds, size_t *checked)
{
	static struct texts t;
	struct judge j = {.fine = replace_fine, .ctx = &t};
	struct crash_log log;
	struct project p;
	char dir[64];

	place_make(dir, sizeof(dir));
	place_open(&p, dir);
	replace_play(p.state_fd, &t, &log);
	go_through(&j, &log, lies, 10 * seeds);
	crash_log_free(&log);
	place_close(&p);
	*checked += j.checked;
	return j.wrong;
}

/* ---- the exit record ---- */

struct exits {
	int dirfd; /* an attempt's directory, to be filled */
	struct exit_record want;
	bool careless;	 /* read without the checksum */
	size_t there[2]; /* how often one was found: killed, power lost */
};

static void
exit_play(struct exits *e, int dirfd, int64_t dur_us, struct crash_log *log)
{
	int fd;

	/* As wide as it gets: more than a sector. */
	e->want = (struct exit_record){.version = EXIT_RECORD_VERSION,
				       .status = 77,
				       .timed_out = true,
				       .stop = EXIT_STOP_TERM,
				       .start_us = INT64_MAX - 1,
				       .end_us = INT64_MAX,
				       .dur_us = dur_us,
				       .user_us = INT64_MAX - 3,
				       .sys_us = INT64_MAX - 4,
				       .maxrss_kib = INT64_MAX - 5,
				       .minflt = INT64_MAX - 6,
				       .majflt = INT64_MAX - 7,
				       .inblock = INT64_MAX - 8,
				       .oublock = INT64_MAX - 9,
				       .nvcsw = INT64_MAX - 10,
				       .nivcsw = INT64_MAX - 11,
				       .survivors = INT64_MAX - 12,
				       .unkilled = INT64_MAX - 13,
				       .log_bytes = INT64_MAX - 14,
				       .log_stored = INT64_MAX - 15,
				       .oom = EXIT_OOM_NO};
	record_start(log, dirfd);
	fd = finish_prepare(dirfd);
	if (fd < 0 || finish_write(dirfd, fd, &e->want) != 0)
		die("the shim cannot write its record");
	record_ack();
	close(fd);
	record_stop();
}

/* The negative control: what a reader would do that takes the line as it is. */
static int
read_careless(int dirfd, struct exit_record *r)
{
	struct buf b;
	const char *sum;
	char hex[24];
	size_t n;
	int found;

	buf_init(&b, 0);
	if (fsio_read(dirfd, ATTEMPT_EXIT, EXIT_RECORD_MAX, &b, NULL) != 0 || b.n == 0) {
		buf_release(&b);
		return 0;
	}
	n = strcspn(b.p, "\n");
	sum = memmem(b.p, n, " sum=", 5);
	buf_truncate(&b, sum != NULL ? (size_t)(sum - b.p) : n);
	(void)snprintf(hex, sizeof(hex), " sum=%016llx\n",
		       (unsigned long long)kvline_sum(b.p, b.n));
	buf_adds(&b, hex);
	found = exit_record_decode(r, b.p, b.n) == RECORD_VALID;
	buf_release(&b);
	return found;
}

static bool
exit_fine(void *ctx, const struct crash_image *image, size_t acked, bool power)
{
	struct exits *e = ctx;
	struct exit_record r;
	struct err err = {0};
	int found;

	image_write(image, e->dirfd);
	found = e->careless ? read_careless(e->dirfd, &r)
			    : exit_record_read(e->dirfd, &r, &err);
	if (found < 0)
		return false;
	if (found == 0) /* there for everybody once it was renamed, if the power stays */
		return power || acked == 0;
	e->there[power]++;
	return memcmp(&r, &e->want, sizeof(r)) == 0;
}

/* One record; where it tears depends on the width of ${dur_us}. */
static size_t
exit_check_one(bool careless, int64_t dur_us, unsigned seeds, size_t *checked)
{
	struct exits e = {.careless = careless};
	struct judge j = {.fine = exit_fine, .ctx = &e};
	struct crash_log log;
	struct project p, q;
	char dir[2][64];

	place_make(dir[0], sizeof(dir[0]));
	place_make(dir[1], sizeof(dir[1]));
	place_open(&p, dir[0]);
	place_open(&q, dir[1]);
	exit_play(&e, p.state_fd, dur_us, &log);
	e.dirfd = q.state_fd;
	go_through(&j, &log, (struct crash_how){.seed = (uint64_t)dur_us}, seeds);
	crash_log_free(&log);
	place_close(&p);
	place_close(&q);
	*checked += j.checked;
	if (e.there[0] == 0 || e.there[1] == 0)
		die("no exit record was ever found");
	return j.wrong;
}

static size_t
exit_check(bool careless, unsigned seeds, size_t *checked)
{
	int64_t dur_us;
	size_t wrong = 0;

	for (dur_us = 1; dur_us < INT64_MAX / 100; dur_us *= 100)
		wrong += exit_check_one(careless, dur_us, 5 * seeds, checked);
	return wrong;
}

static int
expect(const char *what, size_t wrong, size_t checked, bool control)
{
	printf("%s %-42s %6zu disks, %zu wrong\n",
	       (wrong != 0) == control ? "ok    " : "NOT OK", what, checked, wrong);
	return (wrong != 0) == control ? 0 : -1;
}

int
files_check(unsigned seeds)
{
	const struct crash_how honest = {0}, file = {.file_sync_lies = true},
			       dir = {.dir_sync_lies = true};
	size_t n = 0, wrong;
	int rc = 0;

	wrong = replace_check(honest, seeds, &n);
	rc |= expect("fsio_replace", wrong, n, false);
	n = 0;
	wrong = replace_check(file, seeds, &n);
	rc |= expect("control: its sync of the file lies", wrong, n, true);
	n = 0;
	wrong = replace_check(dir, seeds, &n);
	rc |= expect("control: its sync of the directory lies", wrong, n, true);
	n = 0;
	wrong = exit_check(false, seeds, &n);
	rc |= expect("exit record", wrong, n, false);
	n = 0;
	wrong = exit_check(true, seeds, &n);
	rc |= expect("control: read without its checksum", wrong, n, true);
	return rc;
}
