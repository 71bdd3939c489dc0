#ifndef DAG_BASE_JINJA_RUN_H
#define DAG_BASE_JINJA_RUN_H
/*
 * Inside the Jinja engine: a rendering under way, and what its files share.  Only
 * base/jinja_*.c includes this.
 *
 * Functions that take a `struct jinja_run *` return 0, or -1 after telling the mistake
 * through jinja_fail(), whose place is `run->at`: the evaluator sets it before it calls.
 */
#include "base/err.h"
#include "base/jinja_ast.h"
#include "base/jinja_value.h"

/* ---- a rendering: jinja_run.c ---- */

struct jinja_frame {
	struct jinja_frame *up;
	struct jinja_dict *vars; /* NULL: none yet */
};

/* Why a value is undefined: what was sought in vain.  See jinja_undefined.c. */
struct jinja_why {
	struct jinja_why *next;
	char name[1]; /* its address is that of the undefined value's name */
	bool is_name; /* index is a name of the context, not a member of base */
	uint32_t off, len;
	const char *text; /* the whole sentence, or NULL */
	struct jinja_val base, index;
	const struct jinja_expr *x; /* the base in the source, or NULL */
};

struct jinja_run {
	const struct jinja *t;
	struct jinja_ctx *c;
	struct arena *arena;
	struct buf *out;
	uint64_t steps, steps_max;
	size_t output_max;
	struct jinja_frame *frame;
	struct jinja_why *whys;
	struct jinja_val captured;
	unsigned captures; /* {% set %} blocks being written */
	struct {
		uint32_t off, len;
	} at; /* where a mistake found now is */
	struct jinja_where *where;
	struct err *err;
};

/**
 * jinja_at(run, off, len):
 * What is done from now on belongs to these bytes of the source.
 */
void jinja_at(struct jinja_run *, uint32_t, uint32_t);

/**
 * jinja_fail(run, fmt, ...), jinja_fail_limit(run, fmt, ...), jinja_fail_nomem(run):
 * Tell a mistake at run->at: ERR_INVALID, ERR_LIMIT, no memory.  Return -1.
 */
int jinja_fail(struct jinja_run *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
int jinja_fail_limit(struct jinja_run *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
int jinja_fail_nomem(struct jinja_run *);

/**
 * jinja_fail_as_is(run):
 * As jinja_fail, with run->err filled already.
 */
int jinja_fail_as_is(struct jinja_run *);

/**
 * jinja_step(run, n), jinja_cost(run, n), jinja_cost_key(run, key):
 * Count ${n} steps; the work of making or reading ${n} bytes; that of seeking ${key} in a
 * dict.  Return 0, or -1 if they are more than a rendering may take.
 */
int jinja_step(struct jinja_run *, uint64_t);
int jinja_cost(struct jinja_run *, size_t);
int jinja_cost_key(struct jinja_run *, struct jinja_val);

/**
 * jinja_check_buf(run, b):
 * Return 0, or -1 if an append to ${b} (run->out or another) found no memory or its limit.
 */
int jinja_check_buf(struct jinja_run *, const struct buf *);

/**
 * jinja_make_str(run, p, n, out):
 * Copy ${n} bytes into a new string: counted, limited, NUL-terminated.  Return 0 or -1.
 */
int jinja_make_str(struct jinja_run *, const char *, size_t, struct jinja_val *);

/**
 * jinja_make_room(run, n):
 * Return ${n} bytes to be written, with a NUL behind them, counted as those of jinja_make_str;
 * or NULL with the mistake told.
 */
char *jinja_make_room(struct jinja_run *, size_t);

/**
 * jinja_buf(run, b), jinja_take_buf(run, b, out):
 * Make ${b} empty, limited as the output is; make a string of what was written there and
 * release ${b}, also where that fails.  The latter returns 0 or -1.
 */
void jinja_buf(struct jinja_run *, struct buf *);
int jinja_take_buf(struct jinja_run *, struct buf *, struct jinja_val *);

/**
 * jinja_make_list(run), jinja_make_dict(run):
 * Return a new one in the arena of the rendering, or NULL with the mistake told.
 */
struct jinja_list *jinja_make_list(struct jinja_run *);
struct jinja_dict *jinja_make_dict(struct jinja_run *);

/**
 * jinja_push(run, l, v), jinja_put_member(run, d, key, v):
 * Append to a list; put into a dict, for which ${key} must be fit.  Steps are counted and the
 * depth is checked (but not that of what a namespace holds).  Return 0 or -1.
 */
int jinja_push(struct jinja_run *, struct jinja_list *, struct jinja_val);
int jinja_put_member(struct jinja_run *, struct jinja_dict *, struct jinja_val,
		     struct jinja_val);

/**
 * jinja_undefined_text(run, out, text), jinja_undefined_name(run, out, name),
 * jinja_undefined_member(run, out, base, index, x):
 * Make an undefined value that knows why: a sentence of the host's (copied); an unknown name
 * (not copied); a member or element that ${base}, which the expression ${x} (may be NULL)
 * gave, does not have.  Return 0 or -1.
 */
int jinja_undefined_text(struct jinja_run *, struct jinja_val *, const char *);
int jinja_undefined_name(struct jinja_run *, struct jinja_val *, const char *);
int jinja_undefined_member(struct jinja_run *, struct jinja_val *, struct jinja_val base,
			   struct jinja_val index, const struct jinja_expr *x);

/**
 * jinja_fail_undefined(run, v):
 * Tell why ${v} is undefined, where it was sought.  Return -1.
 */
int jinja_fail_undefined(struct jinja_run *, struct jinja_val);

/**
 * jinja_need(run, v):
 * Return 0, or -1 with the reason told if ${v} is undefined.
 */
int jinja_need(struct jinja_run *, struct jinja_val);

/**
 * jinja_make_left_out(out), jinja_is_left_out(v):
 * What `x if y` gives where y is false: undefined, but empty where text is written.  The first
 * returns 0, the second whether ${v} is that.
 */
int jinja_make_left_out(struct jinja_val *);
bool jinja_is_left_out(struct jinja_val);

/* ---- expressions: jinja_eval.c ---- */

/**
 * jinja_eval_soft(run, x, out), jinja_eval_expr(run, x, out):
 * The value of the expression ${x}.  It may be undefined; or that is a mistake.  Return 0 or
 * -1.
 */
int jinja_eval_soft(struct jinja_run *, const struct jinja_expr *, struct jinja_val *);
int jinja_eval_expr(struct jinja_run *, const struct jinja_expr *, struct jinja_val *);

/**
 * jinja_lookup(run, name, out):
 * The value of a name: what the template has set, else what the context has; undefined if
 * neither knows it.  Return 0, or -1 if the context fails.
 */
int jinja_lookup(struct jinja_run *, const char *, struct jinja_val *);

/**
 * jinja_find_var(run, name):
 * Return the variable of the template, the innermost one, to read or to change; or NULL.
 */
struct jinja_val *jinja_find_var(struct jinja_run *, const char *);

/* ---- operations: jinja_op.c, jinja_access.c, jinja_compare.c ---- */

/**
 * jinja_arith(run, op, a, b, out), jinja_negate(run, v, out):
 * ${a} ${op} ${b} for numbers and, where Python has it, for strings and lists; -${v} for a
 * number ${v}.  Return 0, or -1 (wrong kinds, division by zero, more than 64 bits).
 */
int jinja_arith(struct jinja_run *, enum jinja_op, struct jinja_val, struct jinja_val,
		struct jinja_val *);
int jinja_negate(struct jinja_run *, struct jinja_val, struct jinja_val *);

/**
 * jinja_equal(run, a, b, yes), jinja_less(run, a, b, yes):
 * Whether ${a} == ${b}, which all values can be asked; whether ${a} < ${b}, where values
 * without an order are a mistake.  Return 0 or -1.
 */
int jinja_equal(struct jinja_run *, struct jinja_val, struct jinja_val, bool *);
int jinja_less(struct jinja_run *, struct jinja_val, struct jinja_val, bool *);

/**
 * jinja_contains(run, in, v, yes):
 * Whether ${v} is a part of the string, a key of the mapping or an element of the list ${in}.
 * Return 0 or -1.
 */
int jinja_contains(struct jinja_run *, struct jinja_val, struct jinja_val, bool *);

/**
 * jinja_compare(run, op, a, b, yes):
 * Whether ${a} ${op} ${b} for == != < <= > >= in and not in.  Return 0 or -1.
 */
int jinja_compare(struct jinja_run *, enum jinja_op, struct jinja_val, struct jinja_val,
		  bool *);

/**
 * jinja_sort(run, keys, n, reverse, order):
 * Sort the numbers 0 to ${n} - 1 by their keys; equal ones stay in order, also if ${reverse}.
 * order[i] becomes the index of the i-th.  Return 0 or -1.
 */
int jinja_sort(struct jinja_run *, const struct jinja_val *, size_t, bool reverse,
	       size_t *order);

/**
 * jinja_attr(run, base, name, x, out), jinja_index(run, base, index, x, out):
 * base.name and base[index], undefined if there is none.  The expression ${x} gave the base,
 * for messages (may be NULL).  Return 0, or -1 (the host fails, or too many steps).
 */
int jinja_attr(struct jinja_run *, struct jinja_val, const char *,
	       const struct jinja_expr *x, struct jinja_val *);
int jinja_index(struct jinja_run *, struct jinja_val, struct jinja_val,
		const struct jinja_expr *x, struct jinja_val *);

/**
 * jinja_slice(run, base, bound, out):
 * base[from:to:step] of a string or list; the three of ${bound} are integers or none.  Return
 * 0 or -1.
 */
int jinja_slice(struct jinja_run *, struct jinja_val, const struct jinja_val *,
		struct jinja_val *);

/**
 * jinja_iterate(run, v, out):
 * What a loop over ${v} sees: elements of a list, characters of a string, keys of a mapping.
 * Return 0 or -1.
 */
int jinja_iterate(struct jinja_run *, struct jinja_val, const struct jinja_list **);

/**
 * jinja_settle(run, v, out):
 * A host's mapping as a dict, also inside lists and dicts; other values as they are.  Return 0
 * or -1.
 */
int jinja_settle(struct jinja_run *, struct jinja_val, struct jinja_val *);

/**
 * jinja_to_str(run, v, out):
 * A string as it is, any other value as the string that jinja_put writes.  Return 0 or -1.
 */
int jinja_to_str(struct jinja_run *, struct jinja_val, struct jinja_val *);

/**
 * jinja_path(run, v, path, out):
 * The value at "a.b.0" from ${v}, as attribute= of filters has it; undefined if there is none.
 * Return 0 or -1.
 */
int jinja_path(struct jinja_run *, struct jinja_val, const char *, struct jinja_val *);

/* ---- functions: jinja_call.c ---- */

#define JINJA_PARAMS_MAX 6

enum {
	JINJA_FN_REST = 1,	/* more positional arguments than parameters: `rest` */
	JINJA_FN_KEYWORDS = 2,	/* keywords that are no parameters: `kw` */
	JINJA_FN_UNDEFINED = 4, /* subject and arguments may be undefined */
	JINJA_FN_EMIT = 8,	/* only as the outermost filter of a {{ }} */
	JINJA_FN_FILTER0 = 16,	/* its first argument names a filter */
	JINJA_FN_TEST0 = 32,	/* its first argument names a test */
	JINJA_FN_TEST1 = 64	/* its second argument names a test */
};

struct jinja_kwarg {
	const char *name;
	struct jinja_val val;
};

/* Evaluated arguments. */
struct jinja_actual {
	const struct jinja_val *pos;
	size_t npos;
	const struct jinja_kwarg *kw;
	size_t nkw;
};

/* Arguments bound to parameters. */
struct jinja_args {
	struct jinja_val self;
	struct jinja_val v[JINJA_PARAMS_MAX]; /* JINJA_UNDEFINED with p NULL: not given */
	const struct jinja_val *rest;
	size_t nrest;
	const struct jinja_kwarg *kw;
	size_t nkw;
};

struct jinja_fn {
	const char *name;
	int (*call)(struct jinja_run *, const struct jinja_args *, struct jinja_val *);
	const char *params; /* names, a blank between them */
	unsigned need;	    /* how many must be given */
	unsigned flags;
};

/* Tables end with a NULL name. */
extern const struct jinja_fn jinja_filters_core[], jinja_filters_seq[],
    jinja_filters_str[], jinja_filters_time[], jinja_tests[], jinja_globals[];
extern const struct jinja_fn jinja_str_methods[], jinja_list_methods[],
    jinja_dict_methods[], jinja_time_methods[], jinja_loop_methods[];

/**
 * jinja_find_fn(table, name), jinja_find_filter(name), jinja_find_test(name):
 * Return the function of that name in ${table}; the filter; the test; or NULL.
 */
const struct jinja_fn *jinja_find_fn(const struct jinja_fn *, const char *);
const struct jinja_fn *jinja_find_filter(const char *);
const struct jinja_fn *jinja_find_test(const char *);

/**
 * jinja_hint_filter(name, hint, size), jinja_hint_test, jinja_hint_global, jinja_hint_method:
 * Write "did you mean '...'?" into ${hint} of ${size} bytes, or "" if nothing is near ${name}.
 */
void jinja_hint_filter(const char *, char *hint, size_t size);
void jinja_hint_test(const char *, char *, size_t);
void jinja_hint_global(const char *, char *, size_t);
void jinja_hint_method(const char *, char *, size_t);

/**
 * jinja_is_method(name):
 * Return whether a value of some kind has that method.
 */
bool jinja_is_method(const char *);

/**
 * jinja_methods_of(v):
 * Return the table of the methods that ${v} has, or NULL.
 */
const struct jinja_fn *jinja_methods_of(struct jinja_val);

/**
 * jinja_method_changes(name):
 * Return what to write instead of a method of Python's that changes its object, which there is
 * not; NULL for other names.
 */
const char *jinja_method_changes(const char *);

/**
 * jinja_check_call(e, fn, what, x):
 * Check while compiling that the arguments of the call ${x} fit ${fn}'s parameters; ${what} is
 * "filter", "test" ... for messages.  Return 0, or -1 with ${e} filled.
 */
int jinja_check_call(struct jinja_error *, const struct jinja_fn *, const char *what,
		     const struct jinja_expr *);

/**
 * jinja_apply(run, fn, what, self, from, out), jinja_call_method(run, self, name, from, out):
 * Bind the arguments ${from} and call ${fn}, or the method of ${self}, on ${self}.  Return 0
 * or -1.
 */
int jinja_apply(struct jinja_run *, const struct jinja_fn *, const char *what,
		struct jinja_val, const struct jinja_actual *, struct jinja_val *);
int jinja_call_method(struct jinja_run *, struct jinja_val, const char *,
		      const struct jinja_actual *, struct jinja_val *);

/**
 * jinja_given(a, i):
 * Return whether the ${i}-th parameter (from 0) was given an argument.
 */
bool jinja_given(const struct jinja_args *, size_t);

/**
 * jinja_arg_int(run, a, i, dflt, out), jinja_arg_bool, jinja_arg_str:
 * The ${i}-th argument (from 0), or ${dflt} where it was not given.  Any value is a boolean by
 * its truth; else a wrong kind is a mistake.  Return 0 or -1.
 */
int jinja_arg_int(struct jinja_run *, const struct jinja_args *, size_t, int64_t,
		  int64_t *);
int jinja_arg_bool(struct jinja_run *, const struct jinja_args *, size_t, bool, bool *);
int jinja_arg_str(struct jinja_run *, const struct jinja_args *, size_t, const char *,
		  struct jinja_val *);

/**
 * jinja_self_str(run, a, out):
 * What the function is called on as jinja_to_str has it, the work of reading it counted.
 * Return 0 or -1.
 */
int jinja_self_str(struct jinja_run *, const struct jinja_args *, struct jinja_val *);

/* ---- texts: jinja_str.c, jinja_format.c, jinja_time.c ---- */

enum jinja_case {
	JINJA_UPPER,
	JINJA_LOWER,
	JINJA_CAPITALIZE,
	JINJA_TITLE,	    /* words begin behind blanks, '-' and opening brackets */
	JINJA_TITLE_PYTHON, /* words begin behind whatever is no letter */
	JINJA_SWAPCASE
};

/**
 * jinja_case_str(run, s, how, out):
 * The string ${s} in another case.  Return 0 or -1.
 */
int jinja_case_str(struct jinja_run *, struct jinja_val, enum jinja_case,
		   struct jinja_val *);

/**
 * jinja_strip(run, s, chars, sides, out):
 * The string ${s} without the characters of ${chars} (NULL: whitespace) at its left (1), right
 * (2) or both ends (3).  Return 0 or -1.
 */
int jinja_strip(struct jinja_run *, struct jinja_val, const struct jinja_val *chars,
		unsigned sides, struct jinja_val *);

/**
 * jinja_replace(run, s, old, new, count, out):
 * The string ${s} with the first ${count} (negative: all) of ${old} replaced; an empty ${old}
 * is before every character and at the end.  Return 0 or -1.
 */
int jinja_replace(struct jinja_run *, struct jinja_val, struct jinja_val,
		  struct jinja_val, int64_t, struct jinja_val *);

/**
 * jinja_pad(run, s, width, fill, side, out):
 * The string ${s} filled up to ${width} characters: side -1 text left, 0 centred, 1 text
 * right.  Return 0 or -1.
 */
int jinja_pad(struct jinja_run *, struct jinja_val, int64_t, uint32_t, int,
	      struct jinja_val *);

/**
 * jinja_split_lines(run, s, out):
 * The lines of the string ${s} without their ends, as Python's splitlines.  Return 0 or -1.
 */
int jinja_split_lines(struct jinja_run *, struct jinja_val, struct jinja_list **);

/**
 * jinja_join(run, l, sep, out):
 * The elements of ${l} as text with the string ${sep} between them.  Return 0 or -1.
 */
int jinja_join(struct jinja_run *, const struct jinja_list *, struct jinja_val,
	       struct jinja_val *);

/**
 * jinja_printf(run, format, from, out):
 * "%s" % from: ${from} is a tuple, a dict or one value.  Return 0 or -1.
 */
int jinja_printf(struct jinja_run *, struct jinja_val, struct jinja_val,
		 struct jinja_val *);

/**
 * jinja_format_str(run, format, a, out), jinja_format_spec(run, b, v, p, n):
 * "{:>10}".format(...) with the rest and keywords of ${a}; one value appended to ${b}, laid
 * out by the ${n} bytes ${p} behind the ':'.  Return 0 or -1.
 */
int jinja_format_str(struct jinja_run *, struct jinja_val, const struct jinja_args *,
		     struct jinja_val *);
int jinja_format_spec(struct jinja_run *, struct buf *, struct jinja_val, const char *,
		      size_t);

/**
 * jinja_strftime(run, us, format, out):
 * The time ${us} (microseconds since the epoch) by the string ${format}, in UTC and English.
 * Return 0 or -1.
 */
int jinja_strftime(struct jinja_run *, int64_t, struct jinja_val, struct jinja_val *);

/**
 * jinja_time_attr(t, name, out):
 * Return whether times have the member ${name}, whose names are jinja_time_members (NULL ends
 * them); then ${out} is set.
 */
bool jinja_time_attr(struct jinja_val, const char *, struct jinja_val *);
extern const char *const jinja_time_members[];

/**
 * jinja_wordwrap(run, a, out):
 * The filter `wordwrap`.  Return 0 or -1.
 */
int jinja_wordwrap(struct jinja_run *, const struct jinja_args *, struct jinja_val *);

/* ---- loops: jinja_loop.c ---- */

struct jinja_loop;

/**
 * jinja_loop_new(run, items):
 * Return the `loop` of a {% for %} over ${items}, in its first round; or NULL with the mistake
 * told.
 */
struct jinja_loop *jinja_loop_new(struct jinja_run *, const struct jinja_list *);

/**
 * jinja_loop_val(l), jinja_loop_of(v):
 * Return the loop as a value, which follows its rounds; the loop that a value is, or NULL.
 */
struct jinja_val jinja_loop_val(struct jinja_loop *);
struct jinja_loop *jinja_loop_of(struct jinja_val);

/**
 * jinja_loop_at(l, i):
 * Begin round ${i}, counted from 0.
 */
void jinja_loop_at(struct jinja_loop *, size_t);

#endif
