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

/* Whether one of these characters comes next.  The digits that come next, read: 0 without any,
 * capped where they are beyond every limit. */
bool jinja_next_is(struct jinja_reader *, const char *);
int64_t jinja_read_number(struct jinja_reader *);

int jinja_spec_int(struct jinja_run *, struct buf *, int64_t, struct jinja_spec *);
int jinja_spec_float(struct jinja_run *, struct buf *, double, struct jinja_spec *);
int jinja_spec_text(struct jinja_run *, struct buf *, struct jinja_val,
		    struct jinja_spec *);
/* A number cut to an integer; anything else is a mistake. */
int jinja_spec_integer(struct jinja_run *, struct jinja_val, int64_t *);
/* Whether the precision of a number is within the limit. */
int jinja_spec_check(struct jinja_run *, const struct jinja_spec *);

#endif
