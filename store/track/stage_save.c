/*
 * What a stage made, taken into the cache; and what it once made, brought back.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/gitignore.h"
#include "store/dvc/run_cache.h"
#include "store/meter.h"
#include "store/objects/digest.h"
#include "store/objects/objects.h"
#include "store/objects/runs.h"
#include "store/track/problems.h"
#include "store/track/save.h"
#include "store/track/stage_after.h"
#include "store/track/stage_entry.h"
#include "store/track/stage_look.h"
#include "store/track/stage_outs.h"
#include "store/track/status.h"

#define TEXT_PROBE 512 /* bytes that tell for DVC whether a file is text */

struct saving {
	struct stage_look *l;
	const struct stage_run *run;
	const struct stage_how *how;
	struct arena *a;
	struct err *err;
	struct dvc_lock_stage entry;
	struct stage_file *outs;
	struct saved *saved; /* of those that went into the cache */
	bool *kept;	     /* they went there */
	size_t n;
	bool runs; /* the run cache will know it */
	bool ran;  /* the command did, just now */
	bool sure; /* it is known what it was made from */
	/* What is on its way to the disk. */
	struct save *to;
	struct gitignore_lines lines;
};

/* ---- what is in the way ---- */

static int
check_metric(struct saving *s, const struct stage_file *f)
{
	uint8_t head[TEXT_PROBE];
	struct stat st;
	ssize_t n;
	int fd;

	if (f->out->kind != DVC_METRIC)
		return 0;
	fd = openat(s->l->o.ws->root_fd, f->full,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return 0;
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		? fsio_read_some(fd, head, sizeof(head))
		: 0;
	(void)close(fd);
	if (n <= 0 || digest_is_text(head, (size_t)n))
		return 0;
	return err_set(s->err, ERR_INVALID, "'%s' is not text, so it cannot hold metrics",
		       f->full);
}

static int
check_out(struct saving *s, const struct stage_file *f)
{
	const struct stage_look_options *o = &s->l->o;
	int r;

	if (check_metric(s, f) != 0)
		return -1;
	if (!f->inside)
		return 0;
	if (workspace_claim(o->ws, f->full, s->err) != 0)
		return -1;
	if (!f->out->cache || o->git_tracks == NULL)
		return 0;
	r = o->git_tracks(o->git, f->full, s->err);
	if (r <= 0)
		return r;
	return err_set(
	    s->err, ERR_EXISTS,
	    "git tracks '%s', an output of '%s': stop that first, then run it "
	    "again:\ngit rm -r --cached '%s'\ngit commit -m 'stop tracking %s'",
	    f->full, s->run->name, f->full, f->full);
}

/* ---- into the cache ---- */

static int
is_missing(struct saving *s, const struct stage_file *f)
{
	if (s->run->stage->frozen)
		return err_set(
		    s->err, ERR_NOTFOUND,
		    "'%s' is frozen, so it does not run, and its output '%s' does "
		    "not exist: bring it back, or do not freeze it",
		    s->run->name, f->full);
	return err_set(s->err, ERR_NOTFOUND, "'%s' did not make its output '%s'",
		       s->run->name, f->full);
}

static int
save_out(struct saving *s, struct save *to, size_t i)
{
	struct stage_file *f = &s->outs[i];
	struct saved *saved = &s->saved[i];
	bool wanted = f->inside && !s->how->no_commit && (f->out->cache || s->runs);
	int r;

	/* What DVC 2 recorded stays as it is as long as its content does. */
	if (!wanted || f->was_id.legacy) {
		if (stage_file_scan(s->l, f, s->err) != 0)
			return -1;
		if (!f->there)
			return is_missing(s, f);
		r = wanted && f->id.legacy ? status_cached(s->l->o.ws, &f->id, s->err)
					   : !wanted;
		if (r != 0)
			return r < 0 ? -1 : 0;
	}
	if (save_path(to, f->full, true, saved, s->err) != 0)
		return faccessat(s->l->o.ws->root_fd, f->full, F_OK,
				 AT_SYMLINK_NOFOLLOW) == 0
			   ? -1
			   : is_missing(s, f);
	s->kept[i] = true;
	f->there = true;
	f->id = saved->id;
	f->size = (int64_t)saved->size;
	f->nfiles = saved->dir ? (int64_t)saved->nfiles : -1;
	/* Of a task's directory it says that its list is not all of it. */
	f->exec = saved->dir ? saved->unlisted && s->run->native : saved->exec;
	return 0;
}

static int
save_outs(struct saving *s)
{
	int r = save_begin(s->l->o.ws, &s->to, s->err);

	meter_begin(s->l->o.ws->meter, "hashing");
	for (size_t i = 0; r == 0 && i < s->n; i++)
		r = save_out(s, s->to, i);
	return r;
}

/* A task's output that is a link: to the cache already, or the task's own, which stays. */
static bool
is_own_link(const struct saving *s, const struct stage_file *f)
{
	struct stat st;

	return s->run->native &&
	       fstatat(s->l->o.ws->root_fd, f->full, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

/* What could not be linked stays as it is. */
static int
relink(struct saving *s)
{
	struct problems problems;
	int r = 0;

	problems_init(&problems);
	for (size_t i = 0; i < s->n && r == 0 && !s->how->no_relink; i++)
		if (s->kept[i] && s->outs[i].out->cache &&
		    !(s->run->native && s->saved[i].unlisted) &&
		    !is_own_link(s, &s->outs[i]))
			r = save_relink(s->l->o.ws, s->outs[i].full, &s->saved[i],
					&problems, s->err);
	problems_release(&problems);
	return r;
}

static int
ignore(struct saving *s)
{
	const struct stage_look_options *o = &s->l->o;
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0 && o->gitignore != NULL; i++) {
		const struct stage_file *f = &s->outs[i];

		if (f->inside && f->out->cache)
			r = gitignore_lines_cover(&s->lines, o->gitignore, o->ws->root_fd,
						  o->root, f->full, f->nfiles >= 0,
						  s->err);
	}
	return r < 0 ? -1 : gitignore_lines_write(&s->lines, o->ws->root_fd, s->err);
}

static int
note_links(struct saving *s)
{
	const struct stage_look_options *o = &s->l->o;
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0 && o->note != NULL && !s->run->native; i++)
		if (s->kept[i] && s->outs[i].out->cache)
			r = o->note(o->note_arg, s->outs[i].full, &s->outs[i].id, s->err);
	return r;
}

/* ---- the entry ---- */

/* There already, and whole. */
static bool
has_run(struct saving *s, const struct run_name *name)
{
	struct buf b;
	struct err err;
	bool has;

	buf_init(&b, RUN_FILE_MAX);
	has = runs_read(s->l->o.ws->cache, name, &b, &err) == 0 &&
	      run_check(name, b.p, b.n, &err) == 0;
	buf_release(&b);
	return has;
}

static int
record(struct saving *s, const char **text)
{
	struct dvc_lock_stage *e = &s->entry;
	struct run_name name;

	e->outs = arena_array(s->a, s->n + 1, sizeof(*e->outs));
	if (e->outs == NULL)
		return err_nomem(s->err);
	for (size_t i = 0; i < s->n; i++)
		stage_entry_put(&e->outs[i], &s->outs[i]);
	e->nouts = s->n;
	if (stage_entry_text(s->a, e, &name, text, s->err) != 0)
		return -1;
	if (!s->runs || has_run(s, &name))
		return 0;
	if (runs_note(s->l->o.ws->cache, &name, *text, strlen(*text), s->err) != 0)
		return err_wrap(s->err, "the run of '%s' cannot be noted", s->run->name);
	return 0;
}

/* What goes in, as it was when that was decided (with what has appeared in it since), or as it is. */
static int
find_inputs(struct saving *s, const struct dvc_lock_stage *locked, const char *inputs)
{
	struct stage_inputs in;

	if (inputs != NULL) {
		if (dvc_lock_entry_parse(s->a, NULL, s->run->name, s->run->dir, inputs,
					 strlen(inputs), &s->entry, s->err) != 0)
			return -1;
		return s->ran ? stage_inputs_after(s->l, s->run, s->a, &s->entry,
						   &s->sure, s->err)
			      : 0;
	}
	if (stage_inputs_look(s->l, s->run, locked, false, s->a, &in, s->err) != 0)
		return -1;
	if (in.lacks != NULL && (in.lacks_param || !s->how->allow_missing))
		return err_set(s->err, ERR_NOTFOUND, "%s, of '%s'", in.lacks,
			       s->run->name);
	return stage_entry_inputs(s->a, s->run, &in, &s->entry, s->err);
}

/* Of outputs that git is to keep DVC knows only metrics and plots in its run cache. */
static bool
is_for_runs(const struct saving *s)
{
	if (s->how->no_commit || !s->sure ||
	    !stage_is_hashable(s->run, &s->entry, s->outs, s->n))
		return false;
	for (size_t i = 0; i < s->n && !s->how->commit; i++)
		if (!s->outs[i].out->cache && s->outs[i].out->kind == DVC_OUT)
			return false;
	return true;
}

/*
 * All that is written shares its waits for the disk: first the bytes of the objects and of
 * .gitignore, then their names.
 */
static int
settle(struct saving *s)
{
	struct save *to = s->to;
	int r;

	if (save_sync(to, s->err) != 0 || gitignore_lines_sync(&s->lines, s->err) != 0 ||
	    save_name(to, s->err) != 0)
		return -1;
	r = gitignore_lines_name(&s->lines, s->err);
	if (r < 0)
		return -1;
	if (r > 0)
		fault_point(TRACK_IGNORED);
	s->to = NULL;
	if (save_end(to, true, s->err) != 0)
		return -1;
	fault_point(TRACK_SAVED);
	return s->how->synced ? 0 : gitignore_lines_last(&s->lines, s->err);
}

static int
save_all(struct saving *s, const char **text)
{
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++)
		r = check_out(s, &s->outs[i]);
	if (r == 0)
		r = save_outs(s);
	if (r == 0)
		r = ignore(s);
	if (r == 0)
		r = settle(s);
	/* What is copied by now is of use to the next try, unless it is damaged. */
	(void)save_end(s->to, r != 0 && s->err->code == ERR_CANCELLED, NULL);
	gitignore_lines_drop(&s->lines);
	if (r == 0)
		r = relink(s);
	if (r == 0)
		r = record(s, text);
	return r == 0 ? note_links(s) : -1;
}

static int
save(struct saving *s, const struct dvc_lock_stage *locked, const char *inputs,
     const char **text)
{
	int r;

	if (find_inputs(s, locked, inputs) != 0 ||
	    stage_outs_find(s->l, s->run, locked, s->a, &s->outs, &s->n, s->err) != 0)
		return -1;
	s->saved = arena_array(s->a, s->n + 1, sizeof(*s->saved));
	s->kept = arena_array(s->a, s->n + 1, sizeof(*s->kept));
	if (s->saved == NULL || s->kept == NULL)
		return err_nomem(s->err);
	s->runs = is_for_runs(s);
	r = save_all(s, text);
	for (size_t i = 0; i < s->n; i++)
		saved_release(&s->saved[i]);
	return r;
}

int
stage_done(struct stage_look *l, const struct stage_run *run,
	   const struct dvc_lock_stage *locked, const struct stage_how *how,
	   const char *inputs, struct arena *a, const char **entry, struct err *err)
{
	struct err unused;
	struct saving s = {.l = l,
			   .run = run,
			   .how = how,
			   .a = a,
			   .err = err != NULL ? err : &unused,
			   .ran = true,
			   .sure = true};

	*entry = NULL;
	return save(&s, locked, inputs, entry);
}

/* ---- brought back ---- */

static int
bring_back(struct saving *s, const struct dvc_lock_stage *locked, const char *result)
{
	struct dvc_lock_stage e;

	if (dvc_lock_entry_parse(s->a, NULL, s->run->name, s->run->dir, result,
				 strlen(result), &e, s->err) != 0 ||
	    stage_outs_find(s->l, s->run, locked, s->a, &s->outs, &s->n, s->err) != 0)
		return -1;
	return stage_outs_checkout(s->l, &e, s->outs, s->n, s->a, s->err);
}

/* The lock says just that. */
static int
is_known(struct saving *s, const struct dvc_lock_stage *locked, const char *text)
{
	const char *was;

	if (locked == NULL)
		return 0;
	if (stage_entry_text(s->a, locked, NULL, &was, s->err) != 0)
		return -1;
	return strcmp(was, text) == 0;
}

int
stage_restore(struct stage_look *l, const struct stage_run *run,
	      const struct dvc_lock_stage *locked, const struct stage_how *how,
	      const struct stage_decision *d, struct arena *a, const char **entry,
	      struct err *err)
{
	struct err unused;
	struct saving s = {.l = l,
			   .run = run,
			   .how = how,
			   .a = a,
			   .err = err != NULL ? err : &unused,
			   .sure = true};
	const char *text = NULL;
	int r = 0;

	*entry = NULL;
	if (d->verdict == STAGE_RUN || d->verdict == STAGE_UNCHANGED)
		return d->verdict == STAGE_RUN;
	if (d->result != NULL)
		r = bring_back(&s, locked, d->result);
	if (r == 0)
		r = save(&s, locked, d->inputs, &text);
	if (r != 0)
		return r;
	r = is_known(&s, locked, text);
	if (r < 0)
		return -1;
	if (r == 0)
		*entry = text;
	return 0;
}
