/*
 * crashfs [--seeds N] [--scripts N] [--letters N] [--from SEED] [--nested N]
 * crashfs --script SCRIPT --seed SEED [--point N] [--keep DIR]
 *
 * Every point of the log of every script, and at each point the disks that may be found:
 * all kept, all lost, the last write torn, and N seeds of each of the ways to lose some.  For
 * some of them the power goes again at every point of the recovery.  Disks that are the same
 * as one before are judged once.  --keep leaves the first wrong one in DIR.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "crashfs.h"
#include "store/project.h"

#define SEEN_SIZE  (1u << 20) /* disks of one log, a power of two */
#define SCRIPT_MAX 400
#define SHOWN_MAX  5
#define THOROUGH_OF \
	16 /* one disk of so many is looked at by a reader first, and used on */

void
die(const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	_exit(2);
}

void *
must_grow(void *p, size_t n)
{
	p = realloc(p, n != 0 ? n : 1);
	if (p == NULL)
		die("out of memory");
	return p;
}

void *
must_alloc(size_t n)
{
	return must_grow(NULL, n);
}

uint64_t
rng_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned
rng_below(uint64_t *seed, unsigned n)
{
	return (unsigned)(rng_next(seed) % n);
}

/* ---- places ---- */

void
place_make(char *dir, size_t room)
{
	(void)snprintf(dir, room, "/dev/shm/dag-crash-XXXXXX");
	if (mkdtemp(dir) != NULL)
		return;
	(void)snprintf(dir, room, "/tmp/dag-crash-XXXXXX");
	if (mkdtemp(dir) == NULL)
		die("cannot make a directory: %s", strerror(errno));
}

void
place_open(struct project *p, const char *dir)
{
	p->root = strdup(dir);
	p->state = strdup(dir);
	p->root_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->state_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->root == NULL || p->state == NULL || p->root_fd < 0 || p->state_fd < 0)
		die("cannot open %s", dir);
}

void
place_close(struct project *p)
{
	(void)fsio_remove_tree(AT_FDCWD, p->root, NULL);
	project_release(p);
}

static void
place_new(struct project *p)
{
	char dir[64];

	place_make(dir, sizeof(dir));
	place_open(p, dir);
}

/* ---- one log ---- */

struct tally {
	size_t points, disks, checked, thorough, nested, wrong;
};

struct trial {
	const struct crash_work *work;
	struct crash_log log;
	struct crash_states states;
	struct project place, inner;
	unsigned seeds, nested; /* one disk of so many is crashed again; 0: none */
	int keep;		/* directory for a wrong disk, or -1 */
	bool quiet;		/* a control: to be wrong is right */
	size_t only;		/* this point alone; SIZE_MAX: all */
	uint64_t *seen;
	struct tally tally;
};

static const char *const fate_names[FATES] = {"kept",	 "lost",  "last", "some",
					      "sectors", "zeros", "junk"};

/* Whether this disk was judged before with the same words. */
static bool
is_known(struct trial *t, uint64_t hash, size_t acked)
{
	uint64_t key = (hash ^ (acked + 1) * UINT64_C(0x9e3779b97f4a7c15)) | 1;
	size_t i = (size_t)(key >> 20) % SEEN_SIZE, tries;

	for (tries = 0; tries < 64; tries++, i = (i + 1) % SEEN_SIZE) {
		if (t->seen[i] == key)
			return true;
		if (t->seen[i] == 0) {
			t->seen[i] = key;
			return false;
		}
	}
	return false;
}

static void
tell(struct trial *t, const struct crash_image *image, const struct crash_how *how,
     size_t point, size_t inner, const char *why)
{
	if (t->tally.wrong++ >= SHOWN_MAX || t->quiet)
		return;
	if (t->keep >= 0 && t->tally.wrong == 1)
		image_write(image, t->keep);
	printf("WRONG: %s: --script %s --seed %llu --point %zu", t->work->name,
	       t->work->script, (unsigned long long)t->work->seed, point);
	if (inner != SIZE_MAX)
		printf(" (and at %zu of the recovery)", inner);
	printf(", data %s, names %s, sector %u, lost by %llx: %s\n",
	       fate_names[how->data], fate_names[how->names], how->sector,
	       (unsigned long long)how->seed, why);
}

/* The ways in which the power may go at one point. */
static unsigned
ways(struct crash_how *v, unsigned seeds, uint64_t seed)
{
	static const enum crash_fate plain[][2] = {{FATE_KEPT, FATE_KEPT},
						   {FATE_LOST, FATE_LOST},
						   {FATE_KEPT, FATE_LOST},
						   {FATE_LOST, FATE_KEPT},
						   {FATE_LAST, FATE_KEPT}};
	unsigned i, n = 0, fate;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		v[n++] = (struct crash_how){.data = plain[i][0],
					    .names = plain[i][1],
					    .sector = 512,
					    .seed = rng_next(&seed)};
	for (i = 0; i < seeds; i++)
		for (fate = FATE_SOME; fate < FATES; fate++)
			v[n++] = (struct crash_how){.data = (enum crash_fate)fate,
						    .names = FATE_SOME,
						    .sector = (i + fate) % 2 ? 512 : 4096,
						    .seed = rng_next(&seed)};
	return n;
}

#define SEEDS_MAX 64
#define WAYS_MAX  (5 + SEEDS_MAX * 4)

/* The power goes while the program recovers from this disk. */
static void
crash_again(struct trial *t, const struct crash_image *image, size_t acked, size_t point)
{
	struct crash_how v[WAYS_MAX];
	struct crash_image found;
	struct crash_disk *disk;
	struct crash_log log;
	char why[300];
	unsigned i, n;
	size_t at;

	image_write(image, t->place.state_fd);
	record_start(&log, t->place.state_fd);
	check_recover(&t->place);
	record_stop();
	disk = disk_new(&log, &(struct crash_how){0});
	for (at = 0; at <= log.n; at++) {
		n = ways(v, 1, at);
		for (i = 0; i < n; i++) {
			disk_image(disk, &v[i], &found);
			if (is_known(t, found.hash, acked))
				continue;
			image_write(&found, t->inner.state_fd);
			t->tally.nested++;
			if (check_place(&t->inner, &t->states, acked, false, why,
					sizeof(why)) != 0)
				tell(t, &found, &v[i], point, at, why);
		}
		if (at < log.n)
			disk_step(disk);
	}
	disk_free(disk);
	crash_log_free(&log);
}

static void
judge_point(struct trial *t, struct crash_disk *disk, size_t point)
{
	struct crash_how v[WAYS_MAX];
	unsigned i, n = ways(v, t->seeds, point + t->work->seed);
	struct crash_image image;
	size_t acked = disk_acked(disk);
	bool thorough;
	char why[300];

	t->tally.points++;
	for (i = 0; i < n; i++) {
		disk_image(disk, &v[i], &image);
		t->tally.disks++;
		if (is_known(t, image.hash, acked))
			continue;
		thorough = i == 0 || t->tally.checked % THOROUGH_OF == 0;
		t->tally.checked++;
		t->tally.thorough += thorough;
		image_write(&image, t->place.state_fd);
		if (check_place(&t->place, &t->states, acked, thorough, why,
				sizeof(why)) != 0)
			tell(t, &image, &v[i], point, SIZE_MAX, why);
		else if (t->nested != 0 && t->tally.checked % t->nested == 0)
			crash_again(t, &image, acked, point);
	}
}

/* Play ${work} and judge what may be left of it; ${lies} is for controls. */
static void
trial_run(struct trial *t, const struct crash_work *work, const struct crash_how *lies)
{
	struct crash_disk *disk;
	struct project p;
	size_t at;

	t->work = work;
	memset(&t->tally, 0, sizeof(t->tally));
	memset(t->seen, 0, SEEN_SIZE * sizeof(*t->seen));
	place_new(&p);
	work_play(work, &p, &t->log, &t->states);
	place_close(&p);
	disk = disk_new(&t->log, lies);
	for (at = 0; at <= t->log.n; at++) {
		if (t->only == SIZE_MAX || t->only == at)
			judge_point(t, disk, at);
		if (at < t->log.n)
			disk_step(disk);
		if (t->quiet && t->tally.wrong >= 20)
			break; /* seen */
	}
	disk_free(disk);
	crash_log_free(&t->log);
	free(t->states.v);
}

/* ---- all of it ---- */

static const struct crash_work works[] = {
    {.name = "all there is",
     .script = "rivuecdtsXriubbvRbbKbbEKbbOfCiuecdrbbveKXbtfvC",
     .seed = 1},
    {.name = "writer thread", .script = "rWiubvbbcdbefwrtibKbbe", .seed = 2},
    {.name = "schema 1", .script = "1ribbvKbe", .seed = 3},
    {.name = "little room", .script = "LrvvbKvbbvKbbKv", .seed = 9},
    {.name = "schema 1 in use", .script = "2ribeCb", .seed = 4},
};

static const struct crash_work normal = {.name = "control: synchronous=NORMAL",
					 .script = "ribbvbeKbb",
					 .seed = 5,
					 .normal = true};
static const struct crash_work halves = {.name = "control: a run and its event apart",
					 .script = "ribrbefbf",
					 .seed = 6,
					 .halves = true};
static const struct crash_work lied = {
    .name = "control: syncs of files lie", .script = "ribbvKbbK", .seed = 7};
static const struct crash_work lied_dir = {
    .name = "control: syncs of the directory lie", .script = "ribb", .seed = 8};

static double
now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
add(struct tally *sum, const struct tally *t)
{
	sum->points += t->points;
	sum->disks += t->disks;
	sum->checked += t->checked;
	sum->thorough += t->thorough;
	sum->nested += t->nested;
	sum->wrong += t->wrong;
}

static void
print_tally(const char *name, const struct tally *t, bool right)
{
	printf("%s %-38s %5zu points, %6zu disks, %6zu of them different, %5zu after a "
	       "second crash, %zu wrong\n",
	       right ? "ok    " : "NOT OK", name, t->points, t->disks, t->checked,
	       t->nested, t->wrong);
	(void)fflush(stdout);
}

static bool
run_work(struct trial *t, const struct crash_work *work, struct tally *sum)
{
	trial_run(t, work, &(struct crash_how){0});
	print_tally(work->name, &t->tally, t->tally.wrong == 0);
	add(sum, &t->tally);
	return t->tally.wrong == 0;
}

/* Return whether it was found wrong, as it is. */
static bool
run_control(struct trial *t, const struct crash_work *work, bool file, bool dir)
{
	unsigned nested = t->nested;

	t->quiet = true;
	t->nested = 0;
	trial_run(t, work,
		  &(struct crash_how){.file_sync_lies = file, .dir_sync_lies = dir});
	print_tally(work->name, &t->tally, t->tally.wrong != 0);
	t->quiet = false;
	t->nested = nested;
	return t->tally.wrong != 0;
}

struct options {
	uint64_t seeds, scripts, letters, from, nested, seed, point;
	const char *script, *keep;
};

static void
parse(int argc, char **argv, struct options *o)
{
	struct {
		const char *name;
		uint64_t *to;
	} numbers[] = {
	    {"--seeds", &o->seeds},	{"--scripts", &o->scripts},
	    {"--letters", &o->letters}, {"--from", &o->from},
	    {"--nested", &o->nested},	{"--seed", &o->seed},
	    {"--point", &o->point},
	};
	size_t k, n = sizeof(numbers) / sizeof(numbers[0]);
	int i;

	for (i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			die("%s needs a value", argv[i]);
		if (strcmp(argv[i], "--script") == 0) {
			o->script = argv[i + 1];
			continue;
		}
		if (strcmp(argv[i], "--keep") == 0) {
			o->keep = argv[i + 1];
			continue;
		}
		for (k = 0; k < n && strcmp(argv[i], numbers[k].name) != 0; k++)
			;
		if (k == n || num_u64(argv[i + 1], numbers[k].to) != 0)
			die("unknown option or value: %s %s", argv[i], argv[i + 1]);
	}
	if (o->seeds > SEEDS_MAX || o->letters >= SCRIPT_MAX)
		die("at most %d seeds and %d letters", SEEDS_MAX, SCRIPT_MAX - 1);
}

static bool
run_all(struct trial *t, const struct options *o, struct tally *sum)
{
	char script[SCRIPT_MAX], name[40];
	struct crash_work work = {.name = name, .script = script};
	bool right = files_check(t->seeds) == 0;
	uint64_t s;
	size_t i;

	(void)fflush(stdout);
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		right &= run_work(t, &works[i], sum);
	for (s = o->from; s < o->from + o->scripts; s++) {
		work_random(s, script, o->letters);
		work.seed = s;
		(void)snprintf(name, sizeof(name), "random %llu", (unsigned long long)s);
		right &= run_work(t, &work, sum);
	}
	right &= run_control(t, &normal, false, false);
	right &= run_control(t, &halves, false, false);
	right &= run_control(t, &lied, true, false);
	right &= run_control(t, &lied_dir, false, true);
	return right;
}

int
main(int argc, char **argv)
{
	struct options o = {.seeds = 1,
			    .scripts = 1,
			    .letters = 30,
			    .from = 100,
			    .nested = 400,
			    .point = SIZE_MAX};
	struct trial t = {.only = SIZE_MAX, .keep = -1};
	struct tally sum = {0};
	double began = now_s();
	bool right;

	parse(argc, argv, &o);
	t.seeds = (unsigned)o.seeds;
	t.nested = (unsigned)o.nested;
	t.only = (size_t)o.point;
	t.seen = must_alloc(SEEN_SIZE * sizeof(*t.seen));
	place_new(&t.place);
	place_new(&t.inner);
	if (o.keep != NULL &&
	    (t.keep = open(o.keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		die("cannot open %s: %s", o.keep, strerror(errno));
	if (o.script != NULL)
		right =
		    run_work(&t,
			     &(struct crash_work){
				 .name = "script", .script = o.script, .seed = o.seed},
			     &sum);
	else
		right = run_all(&t, &o, &sum);
	print_tally("all", &sum, right);
	printf("%.1f s\n", now_s() - began);
	place_close(&t.place);
	place_close(&t.inner);
	free(t.seen);
	return right ? 0 : 1;
}
