#include "scheduler/cache_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/path.h"
#include "store/dvc/dvc_lock.h"
#include "store/meta.h"
#include "store/meter.h"
#include "store/objects/index.h"
#include "store/project.h"
#include "store/track/collect.h"
#include "store/track/links.h"
#include "store/track/parallel.h"

#define WAIT_US (INT64_C(86400) * 1000000) /* the meter ends it earlier */

/* A lock file as one seat has read it. */
struct seat_lock {
	struct seat_lock *next;
	char *path;
	bool pipeline;
	struct stat st;
	struct dvc_lock *lock; /* NULL: there is none */
};

struct cache_pool {
	const struct project *project;
	bool still;
	pthread_mutex_t mutex;
	struct cache_seat *idle;
	struct index *index; /* of the first seat, shared by all; NULL: none */
	struct links notes;  /* to be remembered */
};

/* ---- seats ---- */

static void
seat_free(struct cache_seat *seat)
{
	struct seat_lock *l;

	if (seat == NULL)
		return;
	while ((l = seat->locks) != NULL) {
		seat->locks = l->next;
		dvc_lock_free(l->lock);
		free(l->path);
		free(l);
	}
	stage_look_close(seat->look);
	if (seat->list != NULL)
		track_list_free(seat->list);
	free(seat->list);
	meta_close(seat->meta);
	seat->track.index = NULL; /* the pool's */
	track_close(&seat->track);
	free(seat);
}

static int
note(void *arg, const char *path, const struct object_id *id, struct err *err)
{
	struct cache_pool *pool = arg;
	int rc;

	(void)pthread_mutex_lock(&pool->mutex);
	rc = links_set(&pool->notes, path, id, err);
	(void)pthread_mutex_unlock(&pool->mutex);
	return rc;
}

static int
open_look(struct cache_pool *pool, struct cache_seat *seat, struct err *err)
{
	struct stage_look_options o = {.ws = &seat->ws,
				       .root = seat->track.root,
				       .gitignore = seat->track.gitignore,
				       .note = note,
				       .note_arg = pool};

	return stage_look_open(&o, &seat->look, err);
}

/* The index is made by the first and used by all. */
static int
open_index(struct cache_pool *pool, struct cache_seat *seat, struct err *err)
{
	int rc = 0;

	(void)pthread_mutex_lock(&pool->mutex);
	if (pool->index == NULL)
		rc = track_index(&seat->track, &pool->index, err);
	seat->ws.index = pool->index;
	(void)pthread_mutex_unlock(&pool->mutex);
	return rc;
}

static int
claim(void *arg, const char *path, struct err *err)
{
	return track_claim(arg, path, err);
}

static void
fill(struct cache_seat *seat)
{
	struct track *t = &seat->track;
	size_t n = strlen(t->root);

	seat->ws.root_fd = t->root_fd;
	seat->ws.cache = t->cache;
	seat->ws.ignore = t->ignore;
	seat->ws.links = t->links;
	seat->ws.nlinks = t->nlinks;
	seat->ws.found = &seat->links;
	seat->ws.workers = parallel_workers(0); /* else asked for with each file */
	seat->ws.intent = &t->intent;
	seat->ws.claim = claim;
	seat->ws.claim_arg = t;
	seat->ws.others = t->others;
	/* The repository may be that of a directory above the project. */
	seat->below = ".";
	if (path_is_below(seat->project->root, t->root))
		seat->below = seat->project->root + n + (t->root[n] == '/');
}

static int
seat_new(struct cache_pool *pool, struct cache_seat **out, struct err *err)
{
	struct track_options o = {.project = pool->project, .still = pool->still};
	struct cache_seat *seat = calloc(1, sizeof(*seat));

	if (seat == NULL)
		return err_nomem(err);
	seat->project = pool->project;
	seat->track = (struct track){.root_fd = -1, .lock = -1};
	if (track_open(&o, &seat->track, err) != 0 || open_index(pool, seat, err) != 0) {
		seat_free(seat);
		return -1;
	}
	fill(seat);
	if (open_look(pool, seat, err) != 0) {
		seat_free(seat);
		return -1;
	}
	*out = seat;
	return 0;
}

/* ---- the pool ---- */

struct cache_pool *
cache_pool_new(const struct project *p, bool still)
{
	struct cache_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
		free(pool);
		return NULL;
	}
	pool->project = p;
	pool->still = still;
	pool->notes.state_fd = p->state_fd;
	return pool;
}

void
cache_pool_free(struct cache_pool *pool)
{
	struct cache_seat *seat;

	if (pool == NULL)
		return;
	while ((seat = pool->idle) != NULL) {
		pool->idle = seat->next;
		seat_free(seat);
	}
	index_close(pool->index);
	links_release(&pool->notes);
	(void)pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

int
cache_pool_take(struct cache_pool *pool, struct meter *m, struct cache_seat **out,
		struct err *err)
{
	struct cache_seat *seat;

	(void)pthread_mutex_lock(&pool->mutex);
	seat = pool->idle;
	if (seat != NULL)
		pool->idle = seat->next;
	(void)pthread_mutex_unlock(&pool->mutex);
	if (seat == NULL && seat_new(pool, &seat, err) != 0)
		return -1;
	seat->ws.meter = m;
	*out = seat;
	return 0;
}

void
cache_pool_give(struct cache_pool *pool, struct cache_seat *seat)
{
	if (seat == NULL)
		return;
	cache_seat_unlock(seat);
	seat->ws.meter = NULL;
	seat->arena = NULL;
	(void)pthread_mutex_lock(&pool->mutex);
	seat->next = pool->idle;
	pool->idle = seat;
	(void)pthread_mutex_unlock(&pool->mutex);
}

/* ---- what lies in the work tree ---- */

bool
cache_pool_noted(struct cache_pool *pool)
{
	bool any;

	(void)pthread_mutex_lock(&pool->mutex);
	any = pool->notes.n > 0;
	(void)pthread_mutex_unlock(&pool->mutex);
	return any;
}

static int
remember(struct cache_seat *seat, const struct links *notes, struct err *err)
{
	struct links l = {.state_fd = -1};
	struct buf name;
	int rc = 0;

	buf_init(&name, 0);
	track_own_name(&seat->track, LINKS_FILE, &name);
	if (buf_failed(&name))
		rc = err_nomem(err);
	if (rc == 0)
		rc = links_load(seat->project->state_fd, name.p, &l, err);
	for (size_t i = 0; rc == 0 && i < notes->n; i++)
		rc = links_set(&l, notes->v[i].path, &notes->v[i].id, err);
	if (rc == 0)
		rc = links_save(&l, err);
	links_release(&l);
	buf_release(&name);
	return rc;
}

void
cache_pool_remember(struct cache_pool *pool, struct cache_seat *seat)
{
	struct links notes;
	struct err err;

	(void)pthread_mutex_lock(&pool->mutex);
	notes = pool->notes;
	pool->notes = (struct links){.state_fd = notes.state_fd};
	(void)pthread_mutex_unlock(&pool->mutex);
	if (seat != NULL && notes.n > 0) {
		if (cache_seat_lock(seat, &err) != 0 || remember(seat, &notes, &err) != 0)
			log_debug("what lies in the work tree is not remembered: %s",
				  err.msg);
		cache_seat_unlock(seat);
	}
	links_release(&notes);
}

/* ---- what is in a seat ---- */

void
cache_seat_tell(struct cache_seat *seat, const char *text)
{
	/* What it says is handed over with it. */
	if (seat->ws.meter != NULL)
		atomic_store(&seat->ws.meter->phase, text);
}

static void
waiting(void *arg, const char *whom)
{
	struct cache_seat *seat = arg;

	if (seat->arena != NULL)
		cache_seat_tell(seat,
				arena_printf(seat->arena, CACHE_WAITS "for %s", whom));
}

int
cache_seat_lock(struct cache_seat *seat, struct err *err)
{
	int rc;

	if (seat->track.lock != -1)
		return 0;
	rc = track_lock(&seat->track, WAIT_US, seat->ws.meter, waiting, seat, err);
	cache_seat_tell(seat, NULL);
	return rc;
}

void
cache_seat_unlock(struct cache_seat *seat)
{
	if (seat->track.lock != -1)
		track_unlock(&seat->track);
}

const struct track_list *
cache_seat_list(struct cache_seat *seat, struct err *err)
{
	struct track_list *l;

	if (seat->list != NULL)
		return seat->list;
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	if (track_collect(&seat->track, seat->ws.meter, NULL, l, err) != 0) {
		track_list_free(l);
		free(l);
		return NULL;
	}
	return seat->list = l;
}

struct meta *
cache_seat_meta(struct cache_seat *seat, struct err *err)
{
	if (seat->meta == NULL &&
	    meta_open(seat->project, META_WRITE, &seat->meta, err) != 0)
		seat->meta = NULL;
	return seat->meta;
}

/* ---- lock files ---- */

int
lock_file_open(const struct cache_seat *seat, const char *path, bool pipeline,
	       const char **base, struct err *err)
{
	int root = pipeline ? seat->track.root_fd : seat->project->root_fd, fd;
	char *dir;

	*base = path_basename(path);
	dir = *base > path ? strndup(path, (size_t)(*base - path)) : strdup(".");
	if (dir == NULL)
		return err_nomem(err);
	fd = openat(root, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		(void)err_sys(err, errno, "cannot open the directory of '%s'", path);
	free(dir);
	return fd;
}

static struct seat_lock *
seat_lock(struct cache_seat *seat, const char *path, bool pipeline)
{
	struct seat_lock *l;

	for (l = seat->locks; l != NULL; l = l->next)
		if (l->pipeline == pipeline && strcmp(l->path, path) == 0)
			return l;
	l = calloc(1, sizeof(*l));
	if (l == NULL || (l->path = strdup(path)) == NULL) {
		free(l);
		return NULL;
	}
	l->pipeline = pipeline;
	l->next = seat->locks;
	seat->locks = l;
	return l;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int
read_lock(struct seat_lock *l, int dirfd, const char *base, struct err *err)
{
	struct dvc_lock *lock = NULL;

	dvc_lock_free(l->lock);
	l->lock = NULL;
	if (dvc_lock_read(dirfd, base, NULL, &lock, err) != 0) {
		dvc_lock_free(lock);
		return -1;
	}
	l->lock = lock;
	return 0;
}

int
cache_seat_locked(struct cache_seat *seat, const char *path, bool pipeline,
		  struct dvc_lock **out, struct err *err)
{
	struct seat_lock *l = seat_lock(seat, path, pipeline);
	const char *base;
	struct stat st;
	int fd, rc = 0;

	if (l == NULL)
		return err_nomem(err);
	fd = lock_file_open(seat, path, pipeline, &base, err);
	if (fd == -1)
		return -1;
	if (fstatat(fd, base, &st, 0) != 0) {
		dvc_lock_free(l->lock);
		l->lock = NULL;
		l->st.st_ino = 0;
		rc = errno == ENOENT ? 0
				     : err_sys(err, errno, "cannot look at '%s'", path);
	} else if (!same(&st, &l->st)) {
		rc = read_lock(l, fd, base, err);
		if (rc == 0)
			l->st = st;
	}
	(void)close(fd);
	*out = l->lock;
	return rc;
}
