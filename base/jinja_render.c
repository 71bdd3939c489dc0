/* Statements, and the two ways to use a template: its text and its value. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <string.h>

static int exec(struct jinja_run *, const struct jinja_stmt *);

/* ---- assignment ---- */

static int
set_var(struct jinja_run *run, const char *name, struct jinja_val v)
{
	struct jinja_frame *f = run->frame;

	if (f->vars == NULL && (f->vars = jinja_make_dict(run)) == NULL)
		return -1;
	return jinja_dict_set(run->arena, f->vars, jinja_str(name), v) == 0
		   ? 0
		   : jinja_fail_nomem(run);
}

static int
set_member(struct jinja_run *run, const struct jinja_target *t, struct jinja_val v)
{
	const struct jinja_val *ns = jinja_find_var(run, t->name);

	if (ns == NULL || ns->kind != JINJA_DICT || !ns->dict->is_namespace)
		return jinja_fail(
		    run, "'%s' is no namespace(), and nothing else can be changed",
		    t->name);
	return jinja_put_member(run, ns->dict, jinja_str(t->attr), v);
}

static int
assign(struct jinja_run *run, const struct jinja_target *t, struct jinja_val v)
{
	const struct jinja_target *part;
	const struct jinja_list *l;
	size_t i = 0;

	jinja_at(run, t->off, t->len);
	if (t->sub == NULL)
		return t->attr != NULL ? set_member(run, t, v) : set_var(run, t->name, v);
	if (jinja_iterate(run, v, &l) != 0)
		return -1;
	if (l->n != t->nsub)
		return jinja_fail(run, "%zu value%s cannot be assigned to %zu names",
				  l->n, l->n == 1 ? "" : "s", t->nsub);
	for (part = t->sub; part != NULL; part = part->next)
		if (assign(run, part, l->v[i++]) != 0)
			return -1;
	return 0;
}

/* ---- the statements ---- */

static int
exec_output(struct jinja_run *run, const struct jinja_stmt *s)
{
	const struct jinja_expr *x = s->output;
	struct jinja_emit e = {.offset = s->off, .len = s->len};
	int rc = 0;

	if (jinja_eval_soft(run, x, &e.val) != 0)
		return -1;
	jinja_at(run, x->off, x->len);
	if (e.val.kind == JINJA_UNDEFINED && !jinja_is_left_out(e.val))
		return jinja_fail_undefined(run, e.val);
	if (jinja_settle(run, e.val, &e.val) != 0)
		return -1;
	if (x->kind == JINJA_X_FILTER)
		e.filter = x->name;
	jinja_at(run, s->off, s->len);
	if (run->c->emit != NULL && run->captures == 0)
		rc = run->c->emit(run->c->ctx, &e, run->out, run->err);
	else
		jinja_put(run->out, e.val);
	if (rc != 0)
		return jinja_fail_as_is(run);
	return jinja_check_buf(run, run->out);
}

static int
exec_if(struct jinja_run *run, const struct jinja_stmt *s)
{
	const struct jinja_branch *b;
	struct jinja_val c;

	for (b = s->branches; b != NULL; b = b->next) {
		if (b->cond != NULL && jinja_eval_expr(run, b->cond, &c) != 0)
			return -1;
		if (b->cond == NULL || jinja_truth(c))
			return exec(run, b->body);
	}
	return 0;
}

/* The elements for which the loop's own condition holds. */
static int
filter_items(struct jinja_run *run, const struct jinja_stmt *s,
	     const struct jinja_list **items)
{
	struct jinja_frame frame = {.up = run->frame};
	struct jinja_list *kept;
	struct jinja_val c;
	size_t i;
	int rc = 0;

	kept = jinja_make_list(run);
	if (kept == NULL)
		return -1;
	run->frame = &frame;
	for (i = 0; i < (*items)->n && rc == 0; i++) {
		jinja_dict_clear(frame.vars);
		if (assign(run, s->loop.target, (*items)->v[i]) != 0 ||
		    jinja_eval_expr(run, s->loop.cond, &c) != 0)
			rc = -1;
		else if (jinja_truth(c))
			rc = jinja_push(run, kept, (*items)->v[i]);
	}
	run->frame = frame.up;
	*items = kept;
	return rc;
}

/* What a round sets is gone in the next. */
static int
exec_rounds(struct jinja_run *run, const struct jinja_stmt *s,
	    const struct jinja_list *items)
{
	struct jinja_loop *loop = jinja_loop_new(run, items);
	struct jinja_frame frame = {.up = run->frame};
	size_t i;
	int rc = 0;

	if (loop == NULL)
		return -1;
	run->frame = &frame;
	for (i = 0; i < items->n && rc == 0; i++) {
		jinja_dict_clear(frame.vars);
		jinja_loop_at(loop, i);
		jinja_at(run, s->off, s->len);
		if (jinja_step(run, 1) != 0 ||
		    set_var(run, "loop", jinja_loop_val(loop)) != 0 ||
		    assign(run, s->loop.target, items->v[i]) != 0)
			rc = -1;
		else
			rc = exec(run, s->loop.body);
	}
	run->frame = frame.up;
	return rc;
}

static int
exec_for(struct jinja_run *run, const struct jinja_stmt *s)
{
	struct jinja_frame frame = {.up = run->frame};
	const struct jinja_list *items;
	struct jinja_val v;
	int rc;

	if (jinja_eval_expr(run, s->loop.iter, &v) != 0)
		return -1;
	jinja_at(run, s->loop.iter->off, s->loop.iter->len);
	if (jinja_iterate(run, v, &items) != 0 ||
	    (s->loop.cond != NULL && filter_items(run, s, &items) != 0))
		return -1;
	if (items->n != 0)
		return exec_rounds(run, s, items);
	run->frame = &frame;
	rc = exec(run, s->loop.other);
	run->frame = frame.up;
	return rc;
}

static int
exec_set(struct jinja_run *run, const struct jinja_stmt *s)
{
	struct jinja_val v;

	if (jinja_eval_expr(run, s->set.value, &v) != 0)
		return -1;
	return assign(run, s->set.target, v);
}

/* The text of a {% set %} block is plain: the hook sees it when it is emitted. */
static int
exec_capture(struct jinja_run *run, const struct jinja_stmt *s)
{
	struct jinja_frame frame = {.up = run->frame};
	struct buf *out = run->out, text;
	struct jinja_val v;
	int rc;

	jinja_buf(run, &text);
	run->out = &text;
	run->frame = &frame;
	run->captures++;
	rc = exec(run, s->set.body);
	run->captures--;
	run->frame = frame.up;
	run->out = out;
	if (rc != 0) {
		buf_release(&text);
		return -1;
	}
	jinja_at(run, s->off, s->len);
	if (jinja_take_buf(run, &text, &run->captured) != 0 ||
	    jinja_eval_expr(run, s->set.value, &v) != 0)
		return -1;
	return assign(run, s->set.target, v);
}

static int
exec(struct jinja_run *run, const struct jinja_stmt *s)
{
	int rc = 0;

	for (; s != NULL && rc == 0; s = s->next) {
		jinja_at(run, s->off, s->len);
		if (jinja_step(run, 1) != 0)
			return -1;
		switch (s->kind) {
		case JINJA_S_TEXT:
			buf_add(run->out, s->text.p, s->text.n);
			rc = jinja_check_buf(run, run->out);
			break;
		case JINJA_S_OUTPUT:
			rc = exec_output(run, s);
			break;
		case JINJA_S_IF:
			rc = exec_if(run, s);
			break;
		case JINJA_S_FOR:
			rc = exec_for(run, s);
			break;
		case JINJA_S_SET:
			rc = exec_set(run, s);
			break;
		case JINJA_S_CAPTURE:
			rc = exec_capture(run, s);
			break;
		}
	}
	return rc;
}

/* ---- the way in ---- */

/* A rendering ready to start; ${spare} takes the error of a caller that wants none. */
static void
prepare(struct jinja_run *run, const struct jinja *t, struct jinja_ctx *c,
	struct jinja_frame *frame, struct jinja_where *where, struct err *err,
	struct err *spare)
{
	memset(run, 0, sizeof(*run));
	run->t = t;
	run->c = c;
	run->arena = c->arena;
	run->frame = frame;
	run->steps_max = c->steps_max != 0 ? c->steps_max : JINJA_STEPS_MAX;
	run->output_max = c->output_max != 0 ? c->output_max : JINJA_OUTPUT_MAX;
	run->where = where;
	run->err = err != NULL ? err : spare;
	err_clear(run->err);
	if (where != NULL)
		*where = (struct jinja_where){0, 0};
}

static int
exec_template(struct jinja_run *run)
{
	struct jinja_stmt whole = {.kind = JINJA_S_OUTPUT};

	if (run->t->expr == NULL)
		return exec(run, run->t->body);
	whole.output = run->t->expr;
	whole.len = (uint32_t)run->t->len;
	return exec(run, &whole);
}

/* Append the text; a failure leaves ${out} as it was. */
static int
render(struct jinja_run *run, struct buf *out)
{
	size_t start = out->n, max = out->max;
	int rc;

	run->out = out;
	if (buf_failed(out))
		return jinja_check_buf(run, out);
	if (run->output_max > max - start)
		run->output_max = max - start;
	out->max = start + run->output_max;
	rc = exec_template(run);
	out->max = max;
	if (rc == 0 && run->c->done != NULL) {
		rc = run->c->done(run->c->ctx, out, run->err);
		if (rc != 0)
			jinja_at(run, 0, (uint32_t)run->t->len);
	}
	if (rc == 0)
		return 0;
	out->state = BUF_OK;
	buf_truncate(out, start);
	return jinja_fail_as_is(run);
}

int
jinja_render(const struct jinja *t, struct jinja_ctx *c, struct buf *out,
	     struct jinja_where *where, struct err *err)
{
	struct jinja_frame frame = {0};
	struct jinja_run run;
	struct err spare;

	prepare(&run, t, c, &frame, where, err, &spare);
	return render(&run, out);
}

int
jinja_eval(const struct jinja *t, struct jinja_ctx *c, struct jinja_val *v,
	   struct jinja_where *where, struct err *err)
{
	const struct jinja_expr *x = t->expr;
	struct jinja_frame frame = {0};
	struct jinja_run run;
	struct err spare;
	struct buf text;
	int rc;

	prepare(&run, t, c, &frame, where, err, &spare);
	if (jinja_is_single(t))
		x = t->body->output;
	if (x != NULL)
		return jinja_eval_expr(&run, x, v);
	jinja_buf(&run, &text);
	rc = render(&run, &text);
	if (rc == 0)
		return jinja_take_buf(&run, &text, v);
	buf_release(&text);
	return -1;
}
