#ifndef DAG_BASE_JINJA_AST_H
#define DAG_BASE_JINJA_AST_H
/*
 * Inside the Jinja engine: tokens, the syntax tree, and what lexer and parser share.
 * Only base/jinja_*.c includes this.
 *
 * The tree has two kinds of nodes: expressions and statements.  Operators that associate to
 * the left are one node with a list of operands, so that a long chain is wide, not deep; the
 * height of every expression is kept and limited, which bounds the evaluator's recursion.
 */
#include "base/jinja.h"

#include <stdarg.h>

struct jinja_expr;
struct jinja_fn;

/* Tokens; an operator of one character is that character. */
enum jinja_tk {
	JINJA_T_EOF = 256,
	JINJA_T_TEXT,
	JINJA_T_VAR_BEGIN,   /* {{ */
	JINJA_T_VAR_END,     /* }} */
	JINJA_T_BLOCK_BEGIN, /* {% */
	JINJA_T_BLOCK_END,   /* %} */
	JINJA_T_NAME,
	JINJA_T_STR,
	JINJA_T_INT,
	JINJA_T_FLOAT,
	JINJA_T_POW,	  /* ** */
	JINJA_T_FLOORDIV, /* // */
	JINJA_T_EQ,
	JINJA_T_NE,
	JINJA_T_LE,
	JINJA_T_GE
};

struct jinja_tok {
	int kind;
	uint32_t off, len; /* in the source */
	const char *p;	   /* NAME, STR: its NUL-terminated text; TEXT: into the source */
	size_t n;
	int64_t i;
	double f;
};

enum jinja_mode { JINJA_LEX_TEXT, JINJA_LEX_VAR, JINJA_LEX_BLOCK, JINJA_LEX_EXPR };

struct jinja_lex {
	struct arena *arena;
	const char *src;
	size_t len, pos;
	struct jinja_options opt;
	enum jinja_mode mode;
	unsigned open;	/* brackets open inside the tag: a }} among them is no end */
	size_t tag_off; /* where the tag began */
	bool tags;	/* a tag or a comment was seen */
	struct jinja_error *e;
};

/**
 * jinja_mistake(e, off, len, fmt, ...):
 * Fill ${e} unless it tells an earlier mistake already.  Return -1.
 */
int jinja_mistake(struct jinja_error *, size_t, size_t, const char *, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * jinja_lex_next(lx, tok):
 * Read the next token.  Return 0, or -1 with a mistake told.
 */
int jinja_lex_next(struct jinja_lex *, struct jinja_tok *);

/**
 * jinja_lex_number(lx, tok), jinja_lex_string(lx, tok):
 * Read the literal that begins at the lexer's position.
 */
int jinja_lex_number(struct jinja_lex *, struct jinja_tok *);
int jinja_lex_string(struct jinja_lex *, struct jinja_tok *);

/**
 * jinja_is_space(c), jinja_is_name_start(c), jinja_is_name(c):
 * What may stand between tokens and in a name; any character beyond ASCII counts as a letter.
 */
static inline bool
jinja_is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
jinja_is_name_start(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static inline bool
jinja_is_name(int c)
{
	return jinja_is_name_start(c) || (c >= '0' && c <= '9');
}

enum jinja_op {
	JINJA_OP_NONE,
	JINJA_OP_ADD,
	JINJA_OP_SUB,
	JINJA_OP_MUL,
	JINJA_OP_DIV,
	JINJA_OP_FLOORDIV,
	JINJA_OP_MOD,
	JINJA_OP_POW,
	JINJA_OP_EQ,
	JINJA_OP_NE,
	JINJA_OP_LT,
	JINJA_OP_LE,
	JINJA_OP_GT,
	JINJA_OP_GE,
	JINJA_OP_IN,
	JINJA_OP_NOTIN
};

/* One member of a list of expressions: an operand, an element, an argument, a pair. */
struct jinja_item {
	struct jinja_item *next;
	struct jinja_expr *x;
	struct jinja_expr *value; /* of a pair of a dict, whose key is x */
	const char *kw;		  /* name of a keyword argument */
	uint32_t off, len;	  /* of the operator before it, or of the keyword */
	enum jinja_op op;	  /* the operator before it */
};

struct jinja_items {
	struct jinja_item *first, *last;
	size_t n;
};

/* Arguments as written: positional, then keywords. */
struct jinja_call {
	struct jinja_items pos, kw;
};

enum jinja_xkind {
	JINJA_X_CONST,
	JINJA_X_NAME,
	JINJA_X_CAPTURED, /* what a {% set x %} block wrote, under its filters */
	JINJA_X_LIST,
	JINJA_X_TUPLE,
	JINJA_X_DICT,
	JINJA_X_ATTR,	 /* base.name */
	JINJA_X_ITEM,	 /* base[index] */
	JINJA_X_SLICE,	 /* base[lo:hi:step] */
	JINJA_X_CALL,	 /* name(...): fn is the function */
	JINJA_X_METHOD,	 /* base.name(...) */
	JINJA_X_FILTER,	 /* base | name(...) */
	JINJA_X_TEST,	 /* base is name(...) */
	JINJA_X_NOT,	 /* not base */
	JINJA_X_NEG,	 /* -base */
	JINJA_X_POS,	 /* +base */
	JINJA_X_ARITH,	 /* operands with + - * / // % **, one level of precedence */
	JINJA_X_CONCAT,	 /* operands with ~ */
	JINJA_X_COMPARE, /* operands with == != < <= > >= in, not in */
	JINJA_X_AND,
	JINJA_X_OR,
	JINJA_X_COND /* base if cond else other */
};

struct jinja_expr {
	enum jinja_xkind kind;
	uint16_t height;   /* 0 for a leaf */
	uint32_t off, len; /* of the whole expression */
	uint32_t name_off; /* of the name in ATTR, CALL, METHOD, FILTER, TEST */
	bool negated;	   /* TEST: is not */
	const char *name;
	struct jinja_expr *base;
	const struct jinja_fn *fn;
	union {
		struct jinja_val val; /* CONST */
		struct jinja_items
		    items;		/* LIST TUPLE DICT ARITH CONCAT COMPARE AND OR */
		struct jinja_call call; /* CALL METHOD FILTER TEST */
		struct jinja_expr *index; /* ITEM */
		struct {
			struct jinja_expr *lo, *hi, *step; /* each may be NULL */
		} slice;
		struct {
			struct jinja_expr *cond, *other; /* other may be NULL */
		} sel;
	};
};

/* What {% set %} and {% for %} assign to. */
struct jinja_target {
	struct jinja_target *next; /* in the tuple it is part of */
	struct jinja_target *sub;  /* a tuple's parts; then name is NULL */
	size_t nsub;
	const char *name;
	const char *attr; /* of a namespace, or NULL */
	uint32_t off, len;
};

enum jinja_skind {
	JINJA_S_TEXT,
	JINJA_S_OUTPUT,
	JINJA_S_IF,
	JINJA_S_FOR,
	JINJA_S_SET,
	JINJA_S_CAPTURE /* {% set x %}...{% endset %} */
};

struct jinja_stmt;

/* A condition and what it guards; the `else` has no condition. */
struct jinja_branch {
	struct jinja_branch *next;
	struct jinja_expr *cond;
	struct jinja_stmt *body;
};

struct jinja_stmt {
	struct jinja_stmt *next;
	enum jinja_skind kind;
	uint32_t off, len; /* of its (first) tag */
	union {
		struct {
			const char *p;
			size_t n;
		} text;
		struct jinja_expr *output;
		struct jinja_branch *branches;
		struct {
			struct jinja_target *target;
			struct jinja_expr *iter;
			struct jinja_expr *cond; /* or NULL */
			struct jinja_stmt *body;
			struct jinja_stmt *other; /* of {% else %}, or NULL */
		} loop;
		struct {
			struct jinja_target *target;
			struct jinja_expr *value; /* CAPTURE: filters over CAPTURED */
			struct jinja_stmt *body;  /* CAPTURE only */
		} set;
	};
};

struct jinja_refnode {
	struct jinja_refnode *next;
	struct jinja_ref ref;
};

struct jinja {
	const char *src;
	size_t len;
	struct jinja_expr *expr; /* of a bare expression; else NULL */
	struct jinja_stmt *body;
	struct jinja_refnode *refs;
	bool plain;
};

/**
 * jinja_collect_refs(a, t):
 * Find what jinja_refs tells.  Return 0, or -1 if memory ran out.
 */
int jinja_collect_refs(struct arena *, struct jinja *);

struct jinja_parser {
	struct jinja_lex lex;
	struct arena *arena;
	struct jinja_error *e;
	struct jinja_tok cur, ahead;
	bool have_ahead;
	uint32_t prev_end; /* where the token before cur ended */
	unsigned depth;	   /* brackets, prefixes and blocks around the current place */
	unsigned blocks;   /* blocks only */
	unsigned captures; /* {% set %} blocks around the current place */
	struct jinja_expr *emit_only[2]; /* the first filters that need an emission */
	size_t n_emit_only;
};

/* From jinja_expr.c and jinja_postfix.c, used by jinja_parse.c. */
enum { JINJA_BP_COND = 1, JINJA_BP_OR = 2 };

int jinja_advance(struct jinja_parser *);
int jinja_peek(struct jinja_parser *, const struct jinja_tok **);
bool jinja_at_word(const struct jinja_parser *, const char *);
bool jinja_is_reserved(const char *); /* a word of the syntax, no name */
int jinja_expect(struct jinja_parser *, int, const char *);
int jinja_unexpected(struct jinja_parser *, const char *);
int jinja_enter(struct jinja_parser *);
void jinja_leave(struct jinja_parser *);
struct jinja_expr *jinja_node(struct jinja_parser *, enum jinja_xkind, uint32_t);
struct jinja_expr *jinja_finish(struct jinja_parser *, struct jinja_expr *);
struct jinja_item *jinja_add_item(struct jinja_parser *, struct jinja_items *,
				  struct jinja_expr *);
struct jinja_expr *jinja_parse_expr(struct jinja_parser *, int);
struct jinja_expr *jinja_parse_primary(struct jinja_parser *);
struct jinja_expr *jinja_parse_postfix(struct jinja_parser *, struct jinja_expr *);
struct jinja_expr *jinja_parse_filters_and_tests(struct jinja_parser *,
						 struct jinja_expr *);
/* An expression, or several with commas: a tuple. */
struct jinja_expr *jinja_parse_tuple(struct jinja_parser *, int);
/* The filters from the current '|' on, applied to the given expression. */
struct jinja_expr *jinja_parse_filters(struct jinja_parser *, struct jinja_expr *);
/* Refuse `sh` and `ident` anywhere but as the outermost filter of the emitted root (NULL:
 * nothing is emitted), and begin a new expression. */
int jinja_check_emission(struct jinja_parser *, const struct jinja_expr *);

#endif
