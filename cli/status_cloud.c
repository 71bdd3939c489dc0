#include "cli/status_cloud.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/exchange.h"
#include "store/remote/remote.h"

struct entry {
	const char *path; /* relative to the root */
	enum transfer_state state;
};

struct cloud {
	struct exchange x; /* first: exchange_each hands it back */
	VEC(struct entry) v;
	struct err why; /* what ended the telling */
};

static const char *
state_name(enum transfer_state s)
{
	switch (s) {
	case TRANSFER_NEW:
		return "new";
	case TRANSFER_DELETED:
		return "deleted";
	case TRANSFER_ABSENT:
		return "missing";
	case TRANSFER_OK:
		break;
	}
	return "ok";
}

static int
take(void *arg, const struct transfer_want *w, const char *path,
     const struct object_id *id, enum transfer_state state)
{
	struct cloud *k = arg;
	struct entry e = {.path = w->path, .state = state};

	(void)id;
	if (state == TRANSFER_OK)
		return 0;
	if (path != NULL)
		e.path = arena_printf(k->x.a.arena, "%s/%s", w->path, path);
	if (e.path == NULL || vec_push(&k->v, e) != 0)
		return err_nomem(&k->why);
	return 0;
}

static int
compare_sides(struct exchange *x, const struct transfer_options *opt,
	      const struct transfer_want *v, size_t n, struct transfer_report *report,
	      struct err *err)
{
	struct cloud *k = (struct cloud *)x;
	int rc = transfer_status(opt, v, n, take, k, report, err);

	if (k->why.code != ERR_NONE)
		*err = k->why;
	return rc;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct cloud *k = arg;

	return exchange_wants(&k->x, m, err) == 0 ? exchange_each(&k->x, m, err) : -1;
}

static int
by_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r != 0 ? r : (int)x->state - (int)y->state;
}

static bool
is_first(const struct cloud *k, size_t i)
{
	return i == 0 || strcmp(k->v.v[i - 1].path, k->v.v[i].path) != 0;
}

static void
put_json(struct cloud *k)
{
	struct json_writer w;
	struct buf path;

	buf_init(&path, 0);
	json_init(&w, &k->x.a.c->out, 2);
	json_begin_object(&w);
	for (size_t i = 0; i < k->v.n; i++) {
		if (!is_first(k, i))
			continue;
		buf_clear(&path);
		artifact_put_seen(&k->x.a, k->v.v[i].path, &path);
		if (!buf_failed(&path))
			json_kv_str(&w, path.p, state_name(k->v.v[i].state));
	}
	json_end(&w);
	buf_addc(&k->x.a.c->out, '\n');
	buf_release(&path);
}

static void
put_text(struct cloud *k)
{
	struct buf *b = &k->x.a.c->out;

	for (size_t i = 0; i < k->v.n; i++) {
		const char *name = state_name(k->v.v[i].state);

		if (!is_first(k, i))
			continue;
		buf_addf(b, "\t%s:%*s", name, (int)(19 - strlen(name)), "");
		artifact_put_path(&k->x.a, k->v.v[i].path, b);
		buf_addc(b, '\n');
	}
	if (k->v.n > 0)
		return;
	vec_foreach (&k->x.parts, struct exchange_part, p)
		buf_addf(b, "Cache and remote '%s' are in sync.\n", p->name);
}

static int
tell(struct cloud *k, bool json)
{
	int code = exchange_damage(&k->x);

	if (k->v.n > 1)
		qsort(k->v.v, k->v.n, sizeof(*k->v.v), by_path);
	if (json)
		put_json(k);
	else if (!k->x.o->common.quiet && (k->v.n > 0 || code == EXIT_OK))
		put_text(k);
	return code != EXIT_OK || !k->x.o->common.quiet || k->v.n == 0 ? code : EXIT_WORK;
}

int
status_cloud(struct cli *c, const struct exchange_opts *o, bool json)
{
	struct cloud k = {.x = {.o = o, .push = true, .move = compare_sides}};
	struct err err = {0};
	int code;

	if (artifact_open_all(c, &o->common, false, &k.x.a, &err) == 0 &&
	    artifact_work(&k.x.a, work, &k, &err) == 0)
		code = tell(&k, json);
	else
		code = artifact_fail(&k.x.a, &err);
	vec_release(&k.v);
	exchange_release(&k.x);
	return code;
}
