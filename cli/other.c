#include "cli/other.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/cli.h"

int
other_begin(struct other *x, struct cli *c, const struct other_opts *o, struct err *err)
{
	*x = (struct other){.c = c, .o = o};
	x->arena = arena_new(0);
	x->diag = diag_new();
	if (x->arena == NULL || x->diag == NULL)
		return err_nomem(err);
	x->where = (struct elsewhere_options){
	    .url = c->args[0],
	    .rev = o->rev,
	    .remote = o->remote,
	    .jobs = o->common.jobs.set ? (unsigned)o->common.jobs.v : 0,
	    .meter = &x->meter,
	    .diag = x->diag};
	if (*x->where.url == '\0')
		return err_set(err, ERR_INVALID,
			       "the address of the repository is empty");
	if (o->config != NULL)
		return err_set(
		    err, ERR_INVALID,
		    "--config is not known: settings for other repositories too "
		    "are set with 'dag config --global'");
	if (o->remote_config.n > 0)
		return err_set(
		    err, ERR_INVALID,
		    "--remote-config is not known: 'dag remote --global' sets a "
		    "remote for other repositories too, and --remote names it");
	return 0;
}

void
other_end(struct other *x)
{
	diag_free(x->diag);
	if (x->opened)
		elsewhere_close(&x->e);
	arena_free(x->arena);
}

int
other_path(struct other *x, const char *word, const char **out, struct err *err)
{
	struct buf b;
	int r = 0;

	buf_init(&b, 0);
	path_normalize(&b, word);
	*out = buf_failed(&b) ? NULL : arena_strdup(x->arena, b.p);
	if (*out == NULL)
		r = err_nomem(err);
	else if (path_climbs(*out))
		r = err_set(
		    err, ERR_INVALID,
		    "'%s' leads out of the repository: a path is seen from its root",
		    word);
	buf_release(&b);
	return r;
}

int
other_work(struct other *x, watch_fn *fn, void *arg, struct err *err)
{
	x->opened = true;
	return watch_work(x->c, x->o->common.quiet, &x->meter, fn, arg, &x->signal, err);
}

int
other_fail(struct other *x, const struct err *err)
{
	if (err->code == ERR_CANCELLED && x->signal != 0)
		return 128 + x->signal;
	if (x->diag != NULL && diag_errors(x->diag) > 0) {
		cli_diag(x->c, x->diag);
		return cli_exit_code(err->code);
	}
	return cli_fail(x->c, err);
}
