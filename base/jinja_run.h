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

struct jinja_run;

/* ---- characters: jinja_text.c ---- */

/* The character at p (n >= 1 bytes there) and in *adv its length; a byte that is no UTF-8
 * counts as one character, 0xdc00 plus its value. */
uint32_t jinja_u8_next(const char *, size_t, size_t *);
size_t jinja_u8_put(char *, uint32_t); /* at most 4 bytes; those of above as they were */
size_t jinja_u8_len(const char *, size_t);
size_t jinja_u8_skip(const char *, size_t, size_t); /* offset of the k-th character */
uint32_t jinja_u8_upper(uint32_t);
uint32_t jinja_u8_lower(uint32_t);
bool jinja_u8_space(uint32_t);
bool jinja_u8_letter(uint32_t);

/* ---- values: jinja_value.c ---- */

enum jinja_flavour {
	JINJA_LIST_PLAIN,
	JINJA_LIST_TUPLE,
	JINJA_LIST_RANGE,
	JINJA_LIST_KEYS,
	JINJA_LIST_VALUES,
	JINJA_LIST_PAIRS
};

struct jinja_list {
	struct jinja_val *v;
	size_t n, cap;
	enum jinja_flavour flavour;
	unsigned depth;		  /* 1 + that of the deepest element */
	int64_t start, end, step; /* of a range, for printing */
};

/* Members in order of insertion, each also a node of a balanced tree by key (an AA tree:
 * levels, 0 is no node), so that no choice of keys makes lookups slow. */
struct jinja_member {
	struct jinja_val key, val;
	uint32_t left, right, level;
};

struct jinja_dict {
	struct jinja_member *v; /* v[0] is unused */
	size_t n, cap;		/* n counts members, v holds n + 1 */
	uint32_t root;
	bool is_namespace; /* the one thing that changes in place; never looked into */
	unsigned depth;
};

const char *jinja_kind_name(struct jinja_val); /* "a string" */
unsigned jinja_val_depth(struct jinja_val);
struct jinja_val jinja_list_val(struct jinja_list *);
struct jinja_val jinja_dict_value(struct jinja_dict *);
bool jinja_is_key(struct jinja_val); /* may be a dict's key */
struct jinja_val *jinja_dict_find(const struct jinja_dict *, struct jinja_val);
/* Without a look at the depth; and without members but with the memory kept (NULL allowed). */
int jinja_dict_set(struct arena *, struct jinja_dict *, struct jinja_val,
		   struct jinja_val);
void jinja_dict_clear(struct jinja_dict *);
int jinja_key_cmp(struct jinja_val, struct jinja_val); /* a total order of keys */
bool jinja_is_num(struct jinja_val);		       /* bool, int or float */
double jinja_as_double(struct jinja_val);
int jinja_num_cmp(struct jinja_val, struct jinja_val); /* exact; 2: unordered (NaN) */

/* ---- printing: jinja_print.c ---- */

enum {
	JINJA_JSON_SPACED = 1,
	JINJA_JSON_SORTED = 2,
	JINJA_JSON_ASCII = 4,
	JINJA_JSON_HTML = 8
};

/* As Python's repr() and its shortest float; as JSON with flags of the above. */
void jinja_put_repr(struct buf *, struct jinja_val);
void jinja_put_float(struct buf *, double);
void jinja_put_json_with(struct buf *, struct jinja_val, unsigned, int indent);

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

int jinja_fail(struct jinja_run *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
int jinja_fail_limit(struct jinja_run *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
int jinja_fail_nomem(struct jinja_run *);
int jinja_fail_as_is(struct jinja_run *); /* run->err is filled already */
/* Count n steps; or the work of making or reading n bytes. */
int jinja_step(struct jinja_run *, uint64_t);
int jinja_cost(struct jinja_run *, size_t);
int jinja_cost_key(struct jinja_run *, struct jinja_val);
/* Check what was just appended to run->out or to another buf against memory and limit. */
int jinja_check_buf(struct jinja_run *, const struct buf *);
void jinja_at(struct jinja_run *, uint32_t, uint32_t);

/* Strings made by the engine: counted, limited, NUL-terminated. */
int jinja_make_str(struct jinja_run *, const char *, size_t, struct jinja_val *);
char *jinja_make_room(struct jinja_run *, size_t); /* n bytes and a NUL to be written */
void jinja_buf(struct jinja_run *,
	       struct buf *); /* an empty buf with the output's limit */
int jinja_take_buf(struct jinja_run *, struct buf *,
		   struct jinja_val *); /* releases it */
struct jinja_list *jinja_make_list(struct jinja_run *);
struct jinja_dict *jinja_make_dict(struct jinja_run *);
int jinja_push(struct jinja_run *, struct jinja_list *, struct jinja_val);
int jinja_put_member(struct jinja_run *, struct jinja_dict *, struct jinja_val,
		     struct jinja_val);

/* Undefined values that know why: a sentence of the host's; a name; a member or element of
 * ${base}, which the expression ${x} (may be NULL) gave. */
int jinja_undefined_text(struct jinja_run *, struct jinja_val *, const char *);
int jinja_undefined_name(struct jinja_run *, struct jinja_val *, const char *);
int jinja_undefined_member(struct jinja_run *, struct jinja_val *, struct jinja_val base,
			   struct jinja_val index, const struct jinja_expr *x);
int jinja_fail_undefined(struct jinja_run *, struct jinja_val);
int jinja_need(struct jinja_run *, struct jinja_val); /* -1 if it is undefined */
/* What `x if y` gives where y is false: undefined, but empty where text is written. */
int jinja_make_left_out(struct jinja_val *);
bool jinja_is_left_out(struct jinja_val);

/* ---- expressions: jinja_eval.c ---- */

/* The value of an expression: it may be undefined; or that is a mistake. */
int jinja_eval_soft(struct jinja_run *, const struct jinja_expr *, struct jinja_val *);
int jinja_eval_expr(struct jinja_run *, const struct jinja_expr *, struct jinja_val *);
/* The value of a name, of the template's or the context's.  What the template has set, or NULL. */
int jinja_lookup(struct jinja_run *, const char *, struct jinja_val *);
struct jinja_val *jinja_find_var(struct jinja_run *, const char *);

/* ---- operations: jinja_op.c, jinja_access.c, jinja_compare.c ---- */

int jinja_arith(struct jinja_run *, enum jinja_op, struct jinja_val, struct jinja_val,
		struct jinja_val *);
int jinja_negate(struct jinja_run *, struct jinja_val, struct jinja_val *);
int jinja_equal(struct jinja_run *, struct jinja_val, struct jinja_val, bool *);
int jinja_less(struct jinja_run *, struct jinja_val, struct jinja_val, bool *);
int jinja_compare(struct jinja_run *, enum jinja_op, struct jinja_val, struct jinja_val,
		  bool *);
int jinja_contains(struct jinja_run *, struct jinja_val, struct jinja_val, bool *);
/* Sort ${n} positions by keys (stable); order[i] is the index of the i-th. */
int jinja_sort(struct jinja_run *, const struct jinja_val *, size_t, bool reverse,
	       size_t *order);
/* base.name and base[index]; the expression ${x} gave the base, for messages (may be NULL). */
int jinja_attr(struct jinja_run *, struct jinja_val, const char *,
	       const struct jinja_expr *x, struct jinja_val *);
int jinja_index(struct jinja_run *, struct jinja_val, struct jinja_val,
		const struct jinja_expr *x, struct jinja_val *);
int jinja_slice(struct jinja_run *, struct jinja_val, const struct jinja_val *,
		struct jinja_val *);
/* What a loop over the value sees. */
int jinja_iterate(struct jinja_run *, struct jinja_val, const struct jinja_list **);
/* A host's mapping as a dict, also inside lists and dicts; other values as they are. */
int jinja_settle(struct jinja_run *, struct jinja_val, struct jinja_val *);
int jinja_to_str(struct jinja_run *, struct jinja_val, struct jinja_val *);
/* "a.b.0" from a value, as the attribute= of filters. */
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

const struct jinja_fn *jinja_find_fn(const struct jinja_fn *, const char *);
const struct jinja_fn *jinja_find_filter(const char *);
const struct jinja_fn *jinja_find_test(const char *);
/* "did you mean ..." into ${hint} of ${size} bytes, or "". */
void jinja_hint_filter(const char *, char *hint, size_t size);
void jinja_hint_test(const char *, char *, size_t);
void jinja_hint_global(const char *, char *, size_t);
void jinja_hint_method(const char *, char *, size_t);
bool jinja_is_method(const char *);
/* The methods a value has, or NULL. */
const struct jinja_fn *jinja_methods_of(struct jinja_val);
/* Why a method that changes its object does not exist, or NULL. */
const char *jinja_method_changes(const char *);

/* Whether arguments fit ${fn}'s parameters; the mistake is told through ${e}. */
int jinja_check_call(struct jinja_error *, const struct jinja_fn *, const char *what,
		     const struct jinja_expr *);
int jinja_apply(struct jinja_run *, const struct jinja_fn *, const char *what,
		struct jinja_val, const struct jinja_actual *, struct jinja_val *);
int jinja_call_method(struct jinja_run *, struct jinja_val, const char *,
		      const struct jinja_actual *, struct jinja_val *);

/* The i-th argument, or the default where it was not given. */
bool jinja_given(const struct jinja_args *, size_t);
int jinja_arg_int(struct jinja_run *, const struct jinja_args *, size_t, int64_t,
		  int64_t *);
int jinja_arg_bool(struct jinja_run *, const struct jinja_args *, size_t, bool, bool *);
int jinja_arg_str(struct jinja_run *, const struct jinja_args *, size_t, const char *,
		  struct jinja_val *);
/* A string as it is; anything else as it would be printed. */
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

int jinja_case_str(struct jinja_run *, struct jinja_val, enum jinja_case,
		   struct jinja_val *);
/* sides: 1 left, 2 right; chars NULL: whitespace. */
int jinja_strip(struct jinja_run *, struct jinja_val, const struct jinja_val *chars,
		unsigned sides, struct jinja_val *);
int jinja_replace(struct jinja_run *, struct jinja_val, struct jinja_val,
		  struct jinja_val, int64_t, struct jinja_val *);
/* side: -1 text left, 0 centred, 1 text right. */
int jinja_pad(struct jinja_run *, struct jinja_val, int64_t, uint32_t, int,
	      struct jinja_val *);
int jinja_split_lines(struct jinja_run *, struct jinja_val, struct jinja_list **);
int jinja_join(struct jinja_run *, const struct jinja_list *, struct jinja_val,
	       struct jinja_val *);
/* "%s" % args: args a tuple, a dict or one value. */
int jinja_printf(struct jinja_run *, struct jinja_val, struct jinja_val,
		 struct jinja_val *);
/* "{}".format(...) */
int jinja_format_str(struct jinja_run *, struct jinja_val, const struct jinja_args *,
		     struct jinja_val *);
int jinja_format_spec(struct jinja_run *, struct buf *, struct jinja_val, const char *,
		      size_t);
int jinja_strftime(struct jinja_run *, int64_t, struct jinja_val, struct jinja_val *);
extern const char *const jinja_time_members[]; /* NULL ends */
int jinja_wordwrap(struct jinja_run *, const struct jinja_args *, struct jinja_val *);
bool jinja_time_attr(struct jinja_val, const char *, struct jinja_val *);

/* ---- loops: jinja_loop.c ---- */

struct jinja_loop;

struct jinja_loop *jinja_loop_new(struct jinja_run *, const struct jinja_list *);
struct jinja_val jinja_loop_val(struct jinja_loop *);
void jinja_loop_at(struct jinja_loop *, size_t);
struct jinja_loop *jinja_loop_of(struct jinja_val); /* or NULL */

#endif
