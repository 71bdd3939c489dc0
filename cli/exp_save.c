/* dag exp save: the work tree as it is, as an experiment. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/commit.h"
#include "cli/exp_run.h"
#include "store/exp/keep.h"
#include "store/track/untracked.h"

#define SHOWN 5 /* files that are not in it */

struct save {
	struct artifact a;
	struct exp_call *k;
	struct repo_head head;
	const char *name;
	const char **more;
	char id[REPO_ID];
	struct untracked left; /* what git does not track */
};

/* ---- before anything is changed ---- */

static bool
is_taken(void *ctx, const char *name)
{
	const struct save *s = ctx;

	return exp_name_taken(s->k, s->head.id, name);
}

static int
choose_name(struct save *s, struct err *err)
{
	const struct exp_opts *o = s->k->o;
	struct buf b;
	int rc;

	if (o->name != NULL) {
		s->name = o->name;
		if (exp_name_check(s->k->git, s->name, err) != 0)
			return -1;
		if (o->force || !is_taken(s, s->name))
			return 0;
		return err_set(err, ERR_EXISTS,
			       "there is an experiment '%s' already: --force replaces it",
			       s->name);
	}
	buf_init(&b, 0);
	rc = exp_name_draw(is_taken, s, &b, err);
	s->name = rc == 0 ? arena_strdup(s->a.arena, b.p) : NULL;
	buf_release(&b);
	return rc == 0 && s->name == NULL ? err_nomem(err) : rc;
}

static int
find_included(struct save *s, struct err *err)
{
	const struct opt_strings *words = &s->k->o->include;

	s->more = arena_array(s->a.arena, words->n + 1, sizeof(*s->more));
	if (s->more == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < words->n; i++) {
		s->more[i] =
		    exp_path(s->k, s->a.arena, words->v[i], "--include-untracked", err);
		if (s->more[i] == NULL)
			return -1;
	}
	return 0;
}

static int
check(struct save *s, struct err *err)
{
	if (exp_check_base(s->k, &s->head, err) != 0)
		return -1;
	return choose_name(s, err) == 0 ? find_included(s, err) : -1;
}

/* ---- the work ---- */

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct save *s = arg;
	struct repo *git = s->k->git;
	const struct keep_options o = {.from = git,
				       .into = git,
				       .root = s->a.track.root,
				       .base = s->head.id,
				       .all = true,
				       .more = s->more,
				       .n = s->k->o->include.n,
				       .stop = &m->cancel};
	struct kept kept;

	if (keep_tree(&o, &kept, err) != 0 ||
	    keep_commit(git, &kept, s->head.id, s->k->o->message, s->id, err) != 0 ||
	    exp_keep_ref(git, s->head.id, s->name, s->id, s->k->o->force, err) != 0)
		return -1;
	return untracked_find(&s->a.track, git, s->a.arena, &s->left, err);
}

static bool
is_in(const struct save *s, const char *full)
{
	for (size_t i = 0; i < s->k->o->include.n; i++)
		if (path_is_below(full, s->more[i]))
			return true;
	return false;
}

static bool
is_kept(const struct save *s, const char *full)
{
	struct err why = {0};
	struct buf none;
	int rc;

	buf_init(&none, 0);
	rc = repo_file(s->k->git, s->id, full, 0, &none, &why);
	buf_release(&none);
	return rc == 0 || why.code != ERR_NOTFOUND;
}

/* Perhaps somebody thinks that they are in it. */
static void
tell_left(struct save *s)
{
	const char *prefix = s->a.track.root + strlen(repo_top(s->k->git));
	struct buf b, full;
	size_t n = 0;

	buf_init(&b, 0);
	buf_init(&full, 0);
	prefix += *prefix == '/';
	for (size_t i = 0; i < s->left.n && n <= SHOWN; i++) {
		buf_clear(&full);
		path_join(&full, prefix, s->left.v[i]);
		if (buf_failed(&full) || is_in(s, full.p) || is_kept(s, full.p))
			continue;
		if (n < SHOWN) {
			buf_adds(&b, n > 0 ? ", " : "");
			artifact_put_path(&s->a, s->left.v[i], &b);
		}
		n++;
	}
	if (n > 0 && !buf_failed(&b))
		cli_note(s->k->c,
			 "not in it, as git does not track %s: %s%s (-I PATH takes one)",
			 n == 1 ? "it" : "them", b.p, n > SHOWN ? " ..." : "");
	buf_release(&b);
	buf_release(&full);
}

static void
tell(struct save *s)
{
	struct buf *b = &s->k->c->out, ref;
	struct json_writer w;

	buf_init(&ref, 0);
	exp_ref(s->head.id, s->name, &ref);
	if (s->k->o->json && !buf_failed(&ref)) {
		json_init(&w, b, 0);
		json_begin_object(&w);
		json_kv_str(&w, "ref", ref.p);
		json_end(&w);
		buf_addc(b, '\n');
	} else if (!s->k->o->common.quiet) {
		buf_addf(b, "%.7s [%s]\n", s->id, s->name);
	}
	buf_release(&ref);
	if (!s->k->o->common.quiet)
		tell_left(s);
}

int
exp_save_verb(struct exp_call *k)
{
	struct save s = {.k = k};
	struct err err = {0};
	int code;

	if (artifact_open(k->c, &k->o->common, true, &s.a, &err) != 0)
		code = artifact_fail(&s.a, &err);
	else if (check(&s, &err) != 0)
		code = cli_fail(k->c, &err);
	else
		code = commit_targets(k->c, k->words, k->n, k->o->stages.recursive);
	if (code == EXIT_OK) {
		if (artifact_work(&s.a, work, &s, &err) == 0)
			tell(&s);
		else
			code = artifact_fail(&s.a, &err);
	}
	untracked_free(&s.left);
	artifact_close(&s.a);
	return code;
}
