#ifndef DAG_BASE_JINJA_FORMAT_H
#define DAG_BASE_JINJA_FORMAT_H
/*
 * Inside the Jinja engine: how one number or text is laid out, for Python's two ways to
 * format: "%05.2f" % x, and "{:>10}".format(x).
 */
#include "base/jinja_run.h"

struct jinja_spec {
	uint32_t fill;
	char align;		  /* '<' '>' '^' '=' or 0 */
	char sign;		  /* '-' '+' ' ' */
	bool alt;		  /* # */
	char group;		  /* ',' '_' or 0 */
	int64_t width, precision; /* precision -1: none */
	char type;		  /* 0: by the value */
};

struct jinja_reader {
	const char *p, *end;
};

/**
 * jinja_next_is(r, set):
 * Return whether a character of ${set} comes next; it is not taken.
 */
bool jinja_next_is(struct jinja_reader *, const char *);

/**
 * jinja_read_number(r):
 * Take the decimal digits that come next.  Return their number: 0 without any; one beyond
 * INT32_MAX stays beyond it but is not exact.
 */
int64_t jinja_read_number(struct jinja_reader *);

/**
 * jinja_spec_int(run, b, v, sp), jinja_spec_float(run, b, f, sp), jinja_spec_text(run, b, s, sp):
 * Append the value to ${b}, laid out as ${sp} says; a text is cut to the precision, and ${s}
 * must be a string.  An alignment that ${sp} leaves open is filled in: numbers right, texts
 * left.  Return 0 or -1.
 */
int jinja_spec_int(struct jinja_run *, struct buf *, int64_t, struct jinja_spec *);
int jinja_spec_float(struct jinja_run *, struct buf *, double, struct jinja_spec *);
int jinja_spec_text(struct jinja_run *, struct buf *, struct jinja_val,
		    struct jinja_spec *);

/**
 * jinja_spec_integer(run, v, out):
 * The number ${v} cut to an integer.  Return 0, or -1 if it is no number or needs more than 64
 * bits.
 */
int jinja_spec_integer(struct jinja_run *, struct jinja_val, int64_t *);

/**
 * jinja_spec_check(run, sp):
 * Return 0, or -1 if the precision of a number is over the limit.
 */
int jinja_spec_check(struct jinja_run *, const struct jinja_spec *);

#endif
