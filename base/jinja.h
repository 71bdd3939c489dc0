#ifndef DAG_BASE_JINJA_H
#define DAG_BASE_JINJA_H
/*
 * Jinja templates and expressions: the one expression language of the house.
 *
 * A template is compiled once into an arena (lexer -> Pratt parser -> tree), can be asked
 * which names it refers to, and is rendered as often as wanted, each time against a context
 * that answers for the names.  Rendering is bounded in steps, output and depth.  Undefined
 * names are errors that name themselves, except where a test or the `default` filter asks.
 * Every value that `{{ }}` puts out goes through the context's emit hook, which decides how
 * it may enter the text around it (shell, SQL, HTML ...).
 *
 * The language is Jinja2's, with these differences:
 *  - undefined is an error wherever a value is needed; a whole chain may be asked about at
 *    once (`a.b.c is defined`, `a.b.c | default(0)`), also where `a` is undefined;
 *    `x if y` without `else` is nothing where text is written, an error elsewhere;
 *  - integers have 64 bits, and what does not fit is an error;
 *  - values do not change in place (no append, update, pop ...), but for namespace();
 *  - filters that give generators in Jinja2 (map, select, batch ...) give lists; `x.name`
 *    is the key `name` before it is a method; there is no Markup, `e` escapes each time;
 *  - line ends and a newline at the end of a template stay as they are;
 *  - upper and lower case change ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic letters
 *    where one becomes one; other letters stay;
 *  - `sh` and `ident` mark what is emitted for the hook, so they are allowed only as the last
 *    filter of a `{{ }}`, outside {% set x %} blocks: their text is plain until it is emitted;
 *  - beside Jinja2's filters: fromjson; date(format), ds, ds_nodash, ts, ts_nodash on times
 *    and RFC 3339 texts; basename, dirname, stem.
 * Not built yet, and refused by name: macros, call, filter and with blocks, include, import,
 * extends, block, do, break, continue, recursive loops, *args and **kwargs.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct err;
struct jinja;
struct jinja_list;
struct jinja_dict;
struct json_t;
struct yaml_node;

#define JINJA_SRC_MAX	 ((size_t)1 << 20)  /* bytes of one template */
#define JINJA_DEPTH_MAX	 64		    /* nesting of expressions and blocks */
#define JINJA_STEPS_MAX	 1000000	    /* nodes visited in one rendering */
#define JINJA_OUTPUT_MAX ((size_t)16 << 20) /* bytes of one rendering */

enum jinja_kind {
	JINJA_UNDEFINED,
	JINJA_NONE,
	JINJA_BOOL,
	JINJA_INT,
	JINJA_FLOAT,
	JINJA_STR,
	JINJA_LIST,
	JINJA_DICT,
	JINJA_TIME, /* an instant; .year .month .day .hour .minute .second .strftime() */
	JINJA_HOST  /* a mapping whose members the host looks up when asked */
};

struct jinja_host;

struct jinja_val {
	enum jinja_kind kind;
	union {
		bool b;
		int64_t i; /* JINJA_INT; JINJA_TIME: microseconds since the epoch */
		double f;
		struct {
			const char *
			    p; /* NUL-terminated; JINJA_UNDEFINED: the name that is not defined */
			size_t n;
		} s;
		struct jinja_list *list;
		struct jinja_dict *dict;
		const struct jinja_host *host;
	};
};

/* A mapping of the host's: get() answers for one member. */
struct jinja_host {
	void *ctx;
	/* Return 1 with ${out} set, 0 if there is no such member (then ${err} may say more than
	 * "x has no y"), -1 with ${err} set. */
	int (*get)(void *ctx, struct arena *, const char *name, struct jinja_val *out,
		   struct err *err);
	/* The i-th member's name for "did you mean" and iteration, NULL past the end; may be NULL. */
	const char *(*name)(void *ctx, size_t i);
	const char *what; /* "params", "outputs.extract", for messages */
};

/* Making values; lists and dicts live in the arena. */
struct jinja_val jinja_none(void);
struct jinja_val jinja_bool(bool);
struct jinja_val jinja_int(int64_t);
struct jinja_val jinja_float(double);
struct jinja_val jinja_str(const char *); /* not copied */
struct jinja_val jinja_strn(const char *, size_t);
struct jinja_val jinja_time(int64_t);
struct jinja_val jinja_undefined(const char *name);
struct jinja_val jinja_host(const struct jinja_host *);
/* Putting something in returns -1 if memory runs out, or if it is nested JINJA_DEPTH_MAX deep
 * already; it counts as it is then, so inner lists and dicts are filled first.  Keys are
 * copied; jinja_dict_val gives "" as the key where a template used one that is no string. */
struct jinja_list *jinja_list_new(struct arena *);
int jinja_list_push(struct arena *, struct jinja_list *, struct jinja_val);
size_t jinja_list_len(const struct jinja_list *);
struct jinja_val jinja_list_at(const struct jinja_list *, size_t);
struct jinja_dict *jinja_dict_new(struct arena *);
int jinja_dict_put(struct arena *, struct jinja_dict *, const char *, struct jinja_val);
size_t jinja_dict_len(const struct jinja_dict *);
struct jinja_val jinja_dict_val(const struct jinja_dict *, size_t, const char **key);
int jinja_from_yaml(struct arena *, const struct yaml_node *, struct jinja_val *);
int jinja_from_json(struct arena *, const struct json_t *, struct jinja_val *);

/**
 * jinja_put(b, v):
 * Append ${v} as `{{ }}` writes it without a hook (strings as they are; True, None, lists and
 * dicts as Jinja2 writes them; times as RFC 3339).  Undefined writes nothing.
 */
void jinja_put(struct buf *, struct jinja_val);

/**
 * jinja_put_json(b, v):
 * Append ${v} as JSON.
 */
void jinja_put_json(struct buf *, struct jinja_val);

/**
 * jinja_truth(v):
 * Return Jinja's truth of ${v}.
 */
bool jinja_truth(struct jinja_val);

/* A mistake in a template: where (byte offset into the source, and how many bytes), what,
 * and perhaps a suggestion. */
struct jinja_error {
	size_t offset, len;
	char msg[256];
	char hint[128]; /* "" or "did you mean 'upper'?" */
};

/**
 * jinja_compile(a, src, len, out, e), jinja_compile_expr:
 * Compile a template text, or a bare expression (as in `when:`), into arena ${a}; ${src} must
 * outlive it.  Unknown filters and tests are mistakes here.  Return 0, or -1 with ${e} filled
 * (out of memory too, said in its msg).
 */
int jinja_compile(struct arena *, const char *, size_t, struct jinja **,
		  struct jinja_error *);
int jinja_compile_expr(struct arena *, const char *, size_t, struct jinja **,
		       struct jinja_error *);

/* How whitespace around tags is treated; all off: only by the `-` and `+` of the tags.  A
 * newline at the end of a template is always kept, and line ends stay as they are. */
struct jinja_options {
	bool trim_blocks; /* drop the newline right after a block tag or comment */
	bool
	    lstrip_blocks; /* drop blanks from the start of a line to a block tag or comment */
};

/**
 * jinja_compile_with(a, src, len, opt, out, e):
 * As jinja_compile, with options (NULL: all off).
 */
int jinja_compile_with(struct arena *, const char *, size_t, const struct jinja_options *,
		       struct jinja **, struct jinja_error *);

/**
 * jinja_is_plain(t):
 * Return whether the template has no tags at all (its output is its source).
 */
bool jinja_is_plain(const struct jinja *);

/**
 * jinja_is_single(t):
 * Return whether the template is exactly one `{{ ... }}`, so that its value keeps its type.
 */
bool jinja_is_single(const struct jinja *);

/* One reference to a name of the context: `outputs.extract.rows` has path {"outputs",
 * "extract", "rows"}; constant strings as subscripts count as attributes, the path ends
 * before any other subscript and before a method's name.  Names bound by {% set %} and
 * {% for %} are not reported, from where they are bound to the end of their block. */
struct jinja_ref {
	const char *const *path;
	size_t npath;
	const size_t *offset; /* of each path element, into the source */
	/* Under `default`, `is defined` or `is undefined`; or in what a condition decides that
	 * asks so about this path or a beginning of it ({% if a is defined %}{{ a.b }}). */
	bool guarded;
};

/**
 * jinja_refs(t, fn, ctx):
 * Call ${fn}(${ctx}, ref) for each reference in ${t}, in order of the source.
 */
void jinja_refs(const struct jinja *, void (*)(void *, const struct jinja_ref *), void *);

/* Where an emitted value comes from, for the hook.  A host's mapping arrives as a dict.  A
 * value of kind JINJA_UNDEFINED is the nothing of an `x if y` without `else` whose y is false. */
struct jinja_emit {
	struct jinja_val val;
	const char *filter; /* name of the outermost filter as written, or NULL */
	size_t offset, len; /* of the {{ }} in the source */
};

/* What a rendering is done against. */
struct jinja_ctx {
	struct arena *arena; /* for values made on the way; the caller frees it */
	void *ctx;
	/* Resolve a root name: 1 with ${out}, 0 unknown, -1 with ${err}. */
	int (*lookup)(void *ctx, struct arena *, const char *name, struct jinja_val *out,
		      struct err *err);
	/* The i-th root name for suggestions, or NULL past the end; may be NULL. */
	const char *(*name)(void *ctx, size_t i);
	/* Put an emitted value behind the text rendered so far, or refuse it (-1, ${err}).
	 * NULL: jinja_put. */
	int (*emit)(void *ctx, const struct jinja_emit *, struct buf *out,
		    struct err *err);
	/* Called with the finished text before it is returned; may be NULL. */
	int (*done)(void *ctx, const struct buf *out, struct err *err);
	uint64_t steps_max; /* 0: JINJA_STEPS_MAX */
	size_t output_max;  /* 0: JINJA_OUTPUT_MAX */
};

/* Where a rendering failed: byte offset and length into the source. */
struct jinja_where {
	size_t offset, len;
};

/**
 * jinja_render(t, c, out, where, err):
 * Append the rendered text to ${out}.  Return 0, or -1 with ${err} (a whole sentence, a
 * suggestion included) and ${where} (may be NULL) filled.
 */
int jinja_render(const struct jinja *, struct jinja_ctx *, struct buf *,
		 struct jinja_where *, struct err *);

/**
 * jinja_eval(t, c, out, where, err):
 * The value of an expression (or of a single-expression template, type kept; of any other
 * template its text as a string).  The value lives in c->arena.  Return 0 or -1; undefined is
 * an error.
 */
int jinja_eval(const struct jinja *, struct jinja_ctx *, struct jinja_val *,
	       struct jinja_where *, struct err *);

#endif
