#include "store/track/checkout.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/meter.h"
#include "store/objects/link.h"
#include "store/objects/objects.h"
#include "store/objects/scan.h"
#include "store/objects/tree.h"
#include "store/track/apply.h"
#include "store/track/intent.h"
#include "store/track/parallel.h"
#include "store/track/plan.h"
#include "store/track/verified.h"
#include "store/track/workspace.h"

/* One out while it is worked at. */
struct job {
	struct checkout_out *out;
	struct tree have_tree, want_tree;
	struct plan_side have, want;
	struct plan plan;
	bool planned;	 /* there is something to do */
	bool needs_exec; /* all is right but the file is not executable */
};

struct checkout {
	const struct workspace *ws;
	const struct checkout_options *o;
	struct job *jobs;
	size_t n;
	struct checkout_report *report;
	int64_t since_ns;
	struct err *err;
};

/* ---- the two sides ---- */

static int
look_have(struct checkout *c, struct job *j)
{
	struct scan s;
	int r;

	r = workspace_scan(c->ws, j->out->path, j->out->id.legacy, &s, c->err);
	if (r == 0) {
		j->have = (struct plan_side){.there = s.exists,
					     .dir = s.is_dir,
					     .id = s.id,
					     .tree = &j->have_tree};
		j->have.id.legacy = j->out->id.legacy;
		j->needs_exec = s.exists && !s.is_dir && j->out->exec && !s.exec;
	}
	if (r == 0 && s.exists && s.is_dir &&
	    (!object_id_equal(&s.id, &j->out->id) || c->o->relink))
		r = scan_tree(&s, &j->have_tree, c->err);
	scan_release(&s);
	return r;
}

static void
leave_out(struct job *j, enum checkout_state state, struct problems *p,
	  const struct err *why)
{
	j->out->state = state;
	if (p != NULL)
		problems_add(p, j->out->path, why);
}

/* The list of a directory; one that cannot be had leaves the out as it is. */
static int
look_want(struct checkout *c, struct job *j)
{
	struct checkout_out *o = j->out;
	struct err err = {0};

	j->want = (struct plan_side){
	    .there = !o->gone, .dir = o->id.dir, .id = o->id, .tree = &j->want_tree};
	o->dir = o->gone ? j->have.dir : o->id.dir;
	if (o->gone || !o->id.dir ||
	    (j->have.there && object_id_equal(&j->have.id, &o->id) && !c->o->relink))
		return 0;
	if (objects_tree(c->ws->cache, &o->id, &j->want_tree, &err) == 0) {
		j->want_tree.legacy = o->id.legacy;
		return 0;
	}
	if (err.code == ERR_NOMEM || err.code == ERR_CANCELLED) {
		*c->err = err;
		return -1;
	}
	if (err.code == ERR_NOTFOUND)
		leave_out(j, CHECKOUT_MISSING, &c->report->missing, &err);
	else
		leave_out(j, CHECKOUT_REFUSED, &c->report->failed, &err);
	return 1;
}

/* Two names that are one here. */
static int
check_names(struct checkout *c, struct job *j)
{
	struct err err = {0};
	unsigned folds;
	int r;

	if (!j->want.dir || j->plan.made == 0)
		return 0;
	if (intent_tell(c->ws->intent, c->err) != 0)
		return -1;
	folds = workspace_folds(c->ws, j->out->path);
	if (folds == 0)
		return 0;
	r = tree_collision(&j->want_tree, folds, &err);
	if (r < 0)
		*c->err = err;
	else if (r > 0)
		leave_out(j, CHECKOUT_REFUSED, &c->report->failed, &err);
	return r;
}

/* ---- the plan ---- */

/* A file that becomes a directory becomes all of it with the first part that is asked for. */
static bool
is_done_with(const struct checkout *c, const struct job *j)
{
	return j > c->jobs && strcmp(j[-1].out->path, j->out->path) == 0 &&
	       j->have.there && j->have.dir != j->want.dir;
}

/* 0 there is a plan, 1 the out is left as it is, -1. */
static int
plan_job(struct checkout *c, struct job *j)
{
	struct checkout_out *o = j->out;
	bool same;
	int r;

	if (!o->gone && !object_id_is_set(&o->id)) {
		leave_out(j, CHECKOUT_NOTHING, NULL, NULL);
		return 1;
	}
	if (look_have(c, j) != 0)
		return -1;
	if ((r = look_want(c, j)) != 0)
		return r;
	if (is_done_with(c, j)) {
		o->state = CHECKOUT_SAME;
		return 1;
	}
	same = j->have.there && !o->gone && object_id_equal(&j->have.id, &o->id);
	if ((same && !c->o->relink && !j->needs_exec) || (o->gone && !j->have.there)) {
		o->state = CHECKOUT_SAME;
		return 1;
	}
	if (plan_make(&j->have, &j->want, o->only, c->o->relink || j->needs_exec,
		      &j->plan, c->err) != 0)
		return -1;
	if ((r = check_names(c, j)) != 0)
		return r;
	j->planned = true;
	return 0;
}

/* It has the bytes that it should have, and is only linked anew. */
static bool
is_right(const struct plan *p, const struct action *a)
{
	return a->want != NULL && a->have != NULL && p->have_legacy == p->want_legacy &&
	       memcmp(a->have->md5, a->want->md5, sizeof(a->want->md5)) == 0;
}

static void
count(struct job *j)
{
	struct checkout_out *o = j->out;
	const struct plan *p = &j->plan;

	for (size_t i = 0; i < p->n; i++) {
		const struct action *a = &p->v[i];

		if (a->want == NULL)
			o->deleted++;
		else if (a->have == NULL)
			o->added++;
		else if (is_right(p, a) && !j->needs_exec)
			o->relinked++;
		else
			o->modified++;
	}
	if (o->gone)
		o->state = CHECKOUT_DELETED;
	else if (!j->have.there)
		o->state = CHECKOUT_ADDED;
	else if (o->added + o->modified + o->deleted > 0)
		o->state = CHECKOUT_MODIFIED;
	else
		o->state = CHECKOUT_SAME;
}

/* ---- what must be in the cache ---- */

static void
put_path(struct buf *b, const struct job *j, const struct tree_entry *e)
{
	buf_clear(b);
	buf_adds(b, j->out->path);
	if (e->len > 0) {
		buf_addc(b, '/');
		buf_add(b, e->path, e->len);
	}
}

static void
report_file(struct problems *to, const struct job *j, const struct tree_entry *e,
	    const struct err *why)
{
	struct buf path;

	buf_init(&path, 0);
	put_path(&path, j, e);
	problems_add(to, path.p, why);
	buf_release(&path);
}

/* Which objects of what will be put are not there. */
static int
find_missing(struct checkout *c, struct job *j)
{
	struct plan *p = &j->plan;
	size_t first = p->removed, n = p->n - first;
	struct object_id *ids = calloc(n + 1, sizeof(*ids));
	uint8_t *missing = calloc(n + 1, 1);
	struct err why = {.code = ERR_NOTFOUND};
	size_t to = first;
	int r = ids == NULL || missing == NULL ? err_nomem(c->err) : 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		plan_id(p->v[first + i].want, p->want_legacy, &ids[i]);
	if (r == 0)
		r = objects_missing(c->ws->cache, ids, n, missing, c->ws->meter, c->err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct action *a = &p->v[first + i];
		char hex[OBJECT_HEX_MAX];

		if (missing[i]) {
			(void)err_set(&why, ERR_NOTFOUND, "%s is not in the cache",
				      object_id_hex(&ids[i], hex));
			report_file(&c->report->missing, j, a->want, &why);
			continue;
		}
		p->v[to++] = *a;
	}
	if (r == 0 && to < p->n) {
		/* What is not whole does not take the place of another thing. */
		if (!c->o->allow_missing || to == first ||
		    (j->have.there && p->have_dir != p->want_dir)) {
			leave_out(j, CHECKOUT_MISSING, NULL, NULL);
			r = 1;
		}
		p->n = to;
	}
	free(ids);
	free(missing);
	return r;
}

/* ---- what would be lost ---- */

struct doomed {
	const struct job *job;
	const struct action *action;
};

struct saving {
	struct checkout *c;
	VEC(struct doomed) v;
	atomic_size_t at;
	atomic_bool stop;
	pthread_mutex_t lock;
	struct err err;
};

static void
check_saved(void *arg, unsigned number)
{
	struct saving *s = arg;
	const struct workspace *ws = s->c->ws;
	struct object_id id;
	struct err err = {0};
	size_t i;
	int r;

	(void)number;
	while (!atomic_load(&s->stop) && (i = atomic_fetch_add(&s->at, 1)) < s->v.n) {
		const struct doomed *d = &s->v.v[i];

		plan_id(d->action->have, d->job->plan.have_legacy, &id);
		r = verified_check(ws->cache, ws->index, &id, ws->meter, &err);
		meter_add(ws->meter, 1, 0);
		if (r == 0)
			report_file(&s->c->report->unsaved, d->job, d->action->have,
				    &err);
		if (r >= 0)
			continue;
		(void)pthread_mutex_lock(&s->lock);
		s->err = err;
		(void)pthread_mutex_unlock(&s->lock);
		atomic_store(&s->stop, true);
	}
}

/* Somebody would miss it: not what is right, nor what a killed checkout had not finished. */
static bool
is_doomed(const struct plan *p, const struct action *a)
{
	if (a->have == NULL || is_right(p, a))
		return false;
	return a->want != NULL || !link_is_temporary(a->have->path, a->have->len, NULL);
}

/* All files that would be overwritten or removed and are nowhere else. */
static int
find_unsaved(struct checkout *c)
{
	struct saving s = {.c = c};
	int r = 0;

	if (c->o->force)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct job *j = &c->jobs[i];

		for (size_t k = 0; r == 0 && j->planned && k < j->plan.n; k++)
			if (is_doomed(&j->plan, &j->plan.v[k]))
				r = vec_push(&s.v, ((struct doomed){j, &j->plan.v[k]}));
	}
	if (r != 0) {
		vec_release(&s.v);
		return err_nomem(c->err);
	}
	meter_begin(c->ws->meter, "checking the cache");
	meter_expect(c->ws->meter, s.v.n, 0);
	(void)pthread_mutex_init(&s.lock, NULL);
	if (s.v.n > 0)
		parallel_run(parallel_workers(c->ws->workers), check_saved, &s);
	(void)pthread_mutex_destroy(&s.lock);
	vec_release(&s.v);
	if (atomic_load(&s.stop)) {
		*c->err = s.err;
		return -1;
	}
	problems_sort(&c->report->unsaved);
	return c->report->unsaved.count > 0 ? 1 : 0;
}

/* ---- all together ---- */

static int
plan_all(struct checkout *c)
{
	int r = 0;

	meter_begin(c->ws->meter, "looking at the work tree");
	for (size_t i = 0; r >= 0 && i < c->n; i++)
		r = plan_job(c, &c->jobs[i]);
	meter_begin(c->ws->meter, "looking into the cache");
	for (size_t i = 0; r >= 0 && i < c->n; i++) {
		if (!c->jobs[i].planned)
			continue;
		r = find_missing(c, &c->jobs[i]);
		c->jobs[i].planned = r == 0;
	}
	return r < 0 ? -1 : find_unsaved(c);
}

static int
apply_all(struct checkout *c)
{
	const struct workspace *ws = c->ws;
	struct apply_options o = {.cache = ws->cache,
				  .index = ws->index,
				  .root_fd = ws->root_fd,
				  .workers = ws->workers,
				  .force = c->o->force,
				  .since_ns = c->since_ns,
				  .ignore = ws->ignore,
				  .intent = ws->intent,
				  .meter = ws->meter};
	struct apply_out *outs = calloc(c->n + 1, sizeof(*outs));
	size_t n = 0, puts = 0, all = 0;
	int r = outs != NULL ? 0 : err_nomem(c->err);

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		struct job *j = &c->jobs[i];

		if (!j->planned)
			continue;
		count(j);
		outs[n++] = (struct apply_out){.path = j->out->path,
					       .plan = &j->plan,
					       .exec = j->out->exec && !j->want.dir,
					       .arg = j->out};
		puts += j->plan.n - j->plan.removed;
		all += j->plan.n;
	}
	if (r == 0 && puts > 0)
		r = intent_tell(ws->intent, c->err);
	if (r == 0 && puts > 0)
		r = workspace_link(ws, &o.type, c->err);
	meter_begin(ws->meter, "checking out");
	meter_expect(ws->meter, all, 0);
	if (r == 0 && n > 0)
		r = apply_plans(&o, outs, n, &c->report->failed, c->err);
	for (size_t i = 0; i < n; i++)
		if (outs[i].failed > 0)
			((struct checkout_out *)outs[i].arg)->state = CHECKOUT_REFUSED;
	free(outs);
	return r;
}

int
checkout_outs(const struct workspace *ws, const struct checkout_options *o,
	      struct checkout_out *outs, size_t n, struct checkout_report *report,
	      struct err *err)
{
	struct err unused;
	struct checkout c = {.ws = ws,
			     .o = o,
			     .n = n,
			     .report = report,
			     .since_ns = clock_stamp_ns(),
			     .err = err != NULL ? err : &unused};
	int r = 0;

	problems_init(&report->unsaved);
	problems_init(&report->missing);
	problems_init(&report->failed);
	c.jobs = calloc(n + 1, sizeof(*c.jobs));
	if (c.jobs == NULL)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		c.jobs[i].out = &outs[i];
		r = workspace_claim(ws, outs[i].path, c.err);
		if (r == 0 && ws->intent != NULL && !outs[i].gone)
			r = intent_add(ws->intent, outs[i].path, c.err);
	}
	if (r == 0)
		r = plan_all(&c);
	if (r == 0 && !o->dry)
		r = apply_all(&c);
	intent_done(ws->intent);
	for (size_t i = 0; i < n; i++) {
		plan_release(&c.jobs[i].plan);
		tree_release(&c.jobs[i].have_tree);
		tree_release(&c.jobs[i].want_tree);
	}
	free(c.jobs);
	problems_sort(&report->missing);
	problems_sort(&report->failed);
	return r;
}

void
checkout_report_release(struct checkout_report *r)
{
	problems_release(&r->unsaved);
	problems_release(&r->missing);
	problems_release(&r->failed);
}
