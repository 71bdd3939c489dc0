#include "cli/gc_data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/gc_held.h"
#include "cli/gc_locks.h"
#include "cli/gc_projects.h"
#include "store/git.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/remote/remote.h"
#include "store/track/sweep.h"

#define GRACE_DEFAULT "1h"
#define PATHS_MAX     ((size_t)1 << 30)

/* What was found in the cache, or on the remote. */
struct side {
	struct sweep_found found;
	struct buf paths; /* to be told: lines, or a JSON array */
	bool done;
};

struct gc {
	struct exchange x; /* first: exchange_with hands it back */
	const struct gc_data_opts *o;
	bool dry, json;
	const char *grace;
	int64_t before_s; /* what is older may go */
	int64_t since_s;  /* of --date */
	struct repo_scope scope;
	struct side cache, remote;
	struct sweep_unknown unknown;	/* lists that are nowhere */
	VEC(struct transfer_want) held; /* by runs that have not ended */
	bool held_only;			/* some objects are used for that alone */
	struct object_set *links;	/* what links in work trees lead to */
	bool links_only;		/* likewise */
};

/* ---- the work ---- */

static int
note_paths(struct gc *g, const struct sweep_side *s, struct side *to, struct err *err)
{
	struct json_writer w;
	struct buf path;

	if (!g->json && (!g->dry || g->x.o->common.quiet))
		return 0;
	buf_init(&path, 0);
	json_init(&w, &to->paths, 0);
	if (g->json)
		json_begin_array(&w);
	for (size_t i = 0; i < to->found.v.n && !buf_failed(&path); i++) {
		buf_clear(&path);
		if (s->remote == NULL)
			objects_path(s->cache, &to->found.v.v[i], &path);
		else
			s->remote->ops->where(s->remote, &to->found.v.v[i], &path);
		if (g->json && !buf_failed(&path)) {
			json_strn(&w, path.p, path.n);
		} else if (!buf_failed(&path)) {
			buf_adds(&to->paths, "would remove ");
			text_put(&to->paths, path.p, path.n);
			buf_addc(&to->paths, '\n');
		}
	}
	if (g->json)
		json_end(&w);
	if (buf_failed(&path) || buf_failed(&to->paths))
		(void)err_nomem(err);
	buf_release(&path);
	return buf_failed(&to->paths) ? -1 : 0;
}

/* Of what is used, what the remote has not got. */
static int
without_remote(struct remote *r, const struct object_set *used, struct object_set *out,
	       struct meter *m, struct err *err)
{
	struct object_set *there = object_set_new();
	struct object_set_cursor at = {0};
	struct object_id id;
	int rc = there != NULL ? 0 : err_nomem(err);

	if (rc == 0)
		rc = r->ops->begin(r, REMOTE_READ, m, err);
	if (rc == 0) {
		rc = r->ops->list(r, false, there, m, err);
		if (rc == 0)
			rc = r->ops->list(r, true, there, m, err);
		r->ops->end(r);
	}
	while (rc == 0 && object_set_next(used, &at, &id))
		if (!object_set_has(there, &id) && object_set_add(out, &id) < 0)
			rc = err_nomem(err);
	object_set_free(there);
	return rc;
}

static bool
has_files(int root_fd, const char *path)
{
	int fd = fsio_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e = NULL;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return fd >= 0 || errno == EACCES;
	}
	while ((e = readdir(d)) != NULL &&
	       (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0))
		;
	(void)closedir(d);
	return e != NULL;
}

static int
say_unknown(struct gc *g, const struct transfer_want *w, struct err *err)
{
	bool remote = g->o->cloud || g->o->not_in_remote;
	struct buf b;
	int rc;

	buf_init(&b, 0);
	artifact_put_path(&g->x.a, w->path, &b);
	rc = buf_failed(&b)
		 ? err_nomem(err)
		 : err_set(
		       err, ERR_FAILED,
		       "'%.300s' is tracked and has files here, but its list is %s, so "
		       "that it is not known which objects they are: nothing was "
		       "removed; 'dag fetch' gets the list, 'dag commit' makes it anew "
		       "from the files",
		       b.p,
		       remote ? "neither in the cache nor on the remote"
			      : "not in the cache");
	buf_release(&b);
	return rc;
}

/*
 * Directories whose files are not known for want of their lists.  Where files lie in the work tree
 * that are what a pointer means, or began as that, they may be links to objects, which would go.
 * Elsewhere a branch may have been left without a checkout: what links lead to stays.
 */
static int
spare_unknown(struct gc *g, const struct sweep_unknown *unknown, struct object_set *used,
	      struct err *err)
{
	int root_fd = g->x.a.track.root_fd;

	vec_foreach (&unknown->v, const struct transfer_want, w) {
		if (w->in_tree && has_files(root_fd, w->path))
			return say_unknown(g, w, err);
		if (!w->in_tree && sweep_links(root_fd, w->path, used, err) != 0)
			return -1;
	}
	return 0;
}

/* Add what runs that have not ended use. */
static int
add_held(struct gc *g, struct remote *r, struct object_set *used, struct meter *m,
	 struct err *err)
{
	struct sweep_unknown unknown = {0}; /* is no news to who began the run */
	int rc = sweep_used(g->x.a.track.cache, r, g->held.v, g->held.n, used, &unknown,
			    m, err);

	if (rc == 0)
		rc = spare_unknown(g, &unknown, used, err);
	vec_release(&unknown.v);
	return rc;
}

/* A link that no pointer names, such as a task's result for one date, is all there is of it. */
static int
add_links(struct gc *g, struct object_set *used, struct err *err)
{
	struct object_set_cursor at = {0};
	struct object_id id;

	while (object_set_next(g->links, &at, &id)) {
		int new = object_set_add(used, &id);

		if (new < 0)
			return err_nomem(err);
		if (new > 0 && objects_has(g->x.a.track.cache, &id, NULL) > 0)
			g->links_only = true;
	}
	return 0;
}

static int
gc_cache(struct gc *g, struct remote *r, const struct object_set *used, struct meter *m,
	 struct err *err)
{
	struct sweep_side s = {.cache = g->x.a.track.cache};
	struct object_set *less = NULL;
	int rc = 0;

	if (g->o->not_in_remote) {
		less = object_set_new();
		rc =
		    less != NULL ? without_remote(r, used, less, m, err) : err_nomem(err);
		/* A run may have links to it. */
		if (rc == 0)
			rc = add_held(g, r, less, m, err);
	}
	if (rc == 0)
		rc = sweep_find(&s, less != NULL ? less : used, g->before_s,
				&g->cache.found, m, err);
	if (rc == 0)
		rc = note_paths(g, &s, &g->cache, err);
	if (rc == 0 && !g->dry)
		rc = sweep_remove(&s, &g->cache.found, m, err);
	if (rc == 0 && !g->dry)
		rc = objects_sweep(s.cache, NULL, g->before_s, NULL, err);
	g->cache.done = rc == 0;
	object_set_free(less);
	return rc;
}

static int
gc_remote(struct gc *g, struct remote *r, const struct object_set *used, struct meter *m,
	  struct err *err)
{
	struct sweep_side s = {.cache = g->x.a.track.cache, .remote = r};
	int64_t old = clock_now().wall_us / 1000000 - REMOTE_LEFTOVER_S;
	int rc = r->ops->begin(r, g->dry ? REMOTE_READ : REMOTE_WRITE, m, err);

	if (rc != 0)
		return -1;
	rc = sweep_find(&s, used, g->before_s, &g->remote.found, m, err);
	if (rc == 0)
		rc = note_paths(g, &s, &g->remote, err);
	if (rc == 0 && !g->dry)
		rc = sweep_remove(&s, &g->remote.found, m, err);
	if (rc == 0 && !g->dry && r->ops->sweep != NULL)
		rc = r->ops->sweep(r, true, old < g->before_s ? old : g->before_s, err);
	r->ops->end(r);
	g->remote.done = rc == 0;
	return rc;
}

static int
both(struct exchange *x, const struct transfer_options *opt,
     const struct transfer_want *v, size_t n, struct transfer_report *report,
     struct err *err)
{
	struct gc *g = (struct gc *)x;
	struct object_set *used = object_set_new();
	int rc = used != NULL ? 0 : err_nomem(err);

	(void)report;
	if (rc == 0)
		rc = sweep_used(opt->cache, opt->remote, v, n, used, &g->unknown,
				opt->meter, err);
	if (rc == 0)
		rc = spare_unknown(g, &g->unknown, used, err);
	if (rc == 0)
		rc = add_links(g, used, err);
	if (rc == 0) {
		size_t before = object_set_count(used);

		rc = add_held(g, opt->remote, used, opt->meter, err);
		g->held_only = object_set_count(used) > before;
	}
	if (rc == 0)
		rc = gc_cache(g, opt->remote, used, opt->meter, err);
	if (rc == 0 && g->o->cloud)
		rc = gc_remote(g, opt->remote, used, opt->meter, err);
	object_set_free(used);
	return rc;
}

static int
hold(void *ctx, const struct transfer_want *w, struct err *err)
{
	struct gc *g = ctx;

	return vec_push(&g->held, *w) == 0 ? 0 : err_nomem(err);
}

static int
find_held(struct gc *g, struct meter *m, struct err *err)
{
	struct artifact *a = &g->x.a;
	struct gc_held h = {.project = &a->project,
			    .track = &a->track,
			    .arena = a->arena,
			    .meter = m,
			    .add = hold,
			    .ctx = g};

	if (artifact_git(a, &h.git, err) != 0 || gc_held(&h, err) != 0)
		return -1;
	return gc_trials(&h, !g->dry, err);
}

static int
want(void *ctx, const struct transfer_want *w, struct err *err)
{
	struct exchange *x = ctx;

	return vec_push(&x->wants, *w) == 0 ? 0 : err_nomem(err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct gc *g = arg;
	struct exchange *x = &g->x;
	struct transfer_options opt = {.cache = x->a.track.cache, .meter = m};

	g->links = object_set_new();
	if (g->links == NULL)
		return err_nomem(err);
	if (track_list_whole(&x->a.list, err) != 0 || exchange_wants(x, m, err) != 0 ||
	    gc_locks(&x->a.track, x->a.arena, want, x, err) != 0 ||
	    find_held(g, m, err) != 0 ||
	    sweep_links(x->a.track.root_fd, "", g->links, err) != 0 ||
	    gc_projects(x, g->o->projects.v, g->o->projects.n, &g->scope, g->links, m,
			err) != 0)
		return -1;
	if (g->o->cloud || g->o->not_in_remote)
		return exchange_with(x, g->o->x.remote, x->wants.v, x->wants.n, m, err);
	return both(x, &opt, x->wants.v, x->wants.n, NULL, err);
}

/* ---- before and after ---- */

bool
gc_data_asked(const struct gc_data_opts *o)
{
	return o->workspace || o->x.branches || o->x.tags || o->x.commits || o->exps ||
	       o->date != NULL || o->revs.n > 0;
}

const char *
gc_data_stray(const struct gc_data_opts *o)
{
	const struct {
		bool given;
		const char *name;
	} v[] = {{o->num.set, "num"},
		 {o->projects.n > 0, "projects"},
		 {o->cloud, "cloud"},
		 {o->x.remote != NULL, "remote"},
		 {o->not_in_remote, "not-in-remote"},
		 {o->grace != NULL, "grace"},
		 {o->skip_failed, "skip-failed"}};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		if (v[i].given)
			return v[i].name;
	return NULL;
}

/* Read "2026-11-22", which begins at midnight where we are, or an instant. */
static int
read_date(const char *s, int64_t *out_s)
{
	struct civil day;
	struct tm tm;
	int64_t us;

	if (time_parse(s, &us) != 0)
		return -1;
	*out_s = us / 1000000;
	if (strchr(s, ':') != NULL)
		return 0;
	time_civil(us, &day);
	tm = (struct tm){.tm_year = day.year - 1900,
			 .tm_mon = day.month - 1,
			 .tm_mday = day.day,
			 .tm_isdst = -1};
	*out_s = mktime(&tm);
	return 0;
}

static int
check_opts(struct gc *g, struct cli *c)
{
	const struct gc_data_opts *o = g->o;
	int64_t us;

	g->grace = o->grace != NULL ? o->grace : GRACE_DEFAULT;
	if (strcmp(g->grace, "0") == 0)
		us = 0;
	else if (num_duration(g->grace, &us) < 0)
		return cli_usage(c, "--grace: '%s' is no age (30m, 2d)", g->grace);
	/* With none, nothing is young: neither what this very second brought, nor what a clock
	 * stamped that goes ahead of ours. */
	g->before_s = us == 0 ? INT64_MAX : (clock_now().wall_us - us) / 1000000;
	if (o->num.set && o->revs.n == 0 && !o->x.branches)
		return cli_usage(c,
				 "--num has a meaning with --rev or --all-branches only");
	if (o->date != NULL && read_date(o->date, &g->since_s) != 0)
		return cli_usage(c, "--date: '%s' is no date (2026-11-22)", o->date);
	if (o->skip_failed)
		return cli_usage(c,
				 "--skip-failed would remove what cannot be read: mend "
				 "or delete the branch or the tag that is named, then "
				 "call gc without it");
	if (o->not_in_remote && o->cloud)
		return cli_usage(c,
				 "--not-in-remote and --cloud are two calls: the first "
				 "takes from the cache what the remote has, the second "
				 "from both what nobody uses");
	if (o->x.remote != NULL && !o->cloud && !o->not_in_remote)
		return cli_usage(c, "--remote has a meaning with --cloud or "
				    "--not-in-remote only");
	/* Whatever is asked: what branches, tags, stashes and work trees name stays. */
	g->scope = (struct repo_scope){.revs = o->revs.v,
				       .nrevs = o->revs.n,
				       .branches = true,
				       .tags = true,
				       .stashes = true,
				       .heads = true,
				       .commits = o->x.commits,
				       .exps = o->exps,
				       .dated = o->date != NULL,
				       .since_s = g->since_s,
				       .last = o->num.set ? (unsigned)o->num.v : 0};
	return EXIT_OK;
}

/* Return whether it may be done. */
static bool
confirmed(struct gc *g, struct cli *c, int *code)
{
	char answer[16] = "";

	if (g->dry || g->o->force)
		return true;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
		*code = cli_usage(c, "this removes data for good: --dry shows what, "
				     "--force does it where nobody can be asked");
		return false;
	}
	(void)dprintf(STDERR_FILENO,
		      "remove everything from the cache%s that nothing uses? [y/N] ",
		      g->o->cloud ? " and from the remote" : "");
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	cli_note(c, "nothing was removed");
	*code = EXIT_WORK;
	return false;
}

static void
put_side(struct gc *g, const char *where, const struct sweep_found *f)
{
	struct buf *b = &g->x.a.c->out;

	if (g->x.o->common.quiet)
		return;
	if (f->v.n == 0) {
		buf_addf(b, "nothing to remove from the %s\n", where);
	} else {
		buf_addf(b, "%s %zu object%s, ", g->dry ? "would remove" : "removed",
			 f->v.n, f->v.n == 1 ? "" : "s");
		num_put_size(b, f->bytes);
		buf_addf(b, ", from the %s\n", where);
	}
	if (f->young > 0)
		cli_note(g->x.a.c,
			 "%zu object%s that nothing uses stay%s in the %s, being younger "
			 "than %s (--grace)",
			 f->young, f->young == 1 ? "" : "s", f->young == 1 ? "s" : "",
			 where, g->grace);
}

static void
put_json_side(struct json_writer *w, const char *name, const struct side *s)
{
	json_key(w, name);
	if (!s->done) {
		json_put_null(w);
		return;
	}
	json_begin_object(w);
	json_kv_int(w, "objects", (int64_t)s->found.v.n);
	json_kv_int(w, "bytes", (int64_t)s->found.bytes);
	json_kv_int(w, "used", (int64_t)s->found.kept);
	json_kv_int(w, "young", (int64_t)s->found.young);
	json_key(w, "paths");
	json_raw(w, s->paths.p, s->paths.n);
	json_end(w);
}

static void
put_json(struct gc *g)
{
	struct json_writer w;

	json_init(&w, &g->x.a.c->out, 2);
	json_begin_object(&w);
	json_kv_bool(&w, "dry_run", g->dry);
	put_json_side(&w, "cache", &g->cache);
	put_json_side(&w, "remote", &g->remote);
	json_kv_int(&w, "unknown", (int64_t)g->unknown.v.n);
	json_end(&w);
	buf_addc(&g->x.a.c->out, '\n');
}

static void
tell(struct gc *g)
{
	struct buf *b = &g->x.a.c->out;

	if (g->cache.done && g->unknown.v.n > 0 && !g->x.o->common.quiet)
		cli_note(g->x.a.c,
			 "the lists of %zu director%s that are used are not here, so "
			 "their files are not known: 'dag fetch -A' gets them",
			 g->unknown.v.n, g->unknown.v.n == 1 ? "y" : "ies");
	if (g->held_only && !g->x.o->common.quiet)
		cli_note(g->x.a.c, "objects stay that only runs use which have not ended "
				   "('dag runs' names them)");
	if (g->links_only && !g->x.o->common.quiet)
		cli_note(g->x.a.c,
			 "objects stay that nothing names, but links in the work "
			 "tree lead to");
	if (g->json) {
		if (g->cache.done)
			put_json(g);
		return;
	}
	buf_add(b, g->cache.paths.p, g->cache.paths.n);
	buf_add(b, g->remote.paths.p, g->remote.paths.n);
	if (g->cache.done)
		put_side(g, "cache", &g->cache.found);
	if (g->remote.done)
		put_side(g, "remote", &g->remote.found);
}

int
gc_data(struct cli *c, const struct gc_data_opts *o, bool dry, bool json)
{
	struct gc g = {.o = o, .dry = dry, .json = json};
	struct err err = {0};
	int code;

	g.x = (struct exchange){
	    .o = &o->x, .push = true, .move = both, .scope = &g.scope, .all = true};
	if ((code = check_opts(&g, c)) != EXIT_OK || !confirmed(&g, c, &code))
		return code;
	buf_init(&g.cache.paths, PATHS_MAX);
	buf_init(&g.remote.paths, PATHS_MAX);
	if (artifact_open_all(c, &o->x.common, !dry, &g.x.a, &err) == 0 &&
	    artifact_work(&g.x.a, work, &g, &err) == 0) {
		tell(&g);
	} else {
		tell(&g);
		code = artifact_fail(&g.x.a, &err);
	}
	object_set_free(g.links);
	vec_release(&g.held);
	vec_release(&g.unknown.v);
	buf_release(&g.cache.paths);
	buf_release(&g.remote.paths);
	sweep_release(&g.cache.found);
	sweep_release(&g.remote.found);
	exchange_release(&g.x);
	return code;
}
