/* "{} of {name:>10}".format(x, name=y). */
#include "base/jinja_format.h"
#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

static bool
is_align(char c)
{
	return c == '<' || c == '>' || c == '^' || c == '=';
}

/* [[fill]align][sign][#][0][width][,_][.precision][type] */
static int
read_spec(struct jinja_run *run, const char *p, size_t n, struct jinja_spec *sp)
{
	struct jinja_reader r = {p, p + n};
	bool filled = false;
	size_t adv = 0;

	*sp = (struct jinja_spec){.fill = ' ', .sign = '-', .precision = -1};
	if (n != 0) {
		uint32_t c = jinja_u8_next(p, n, &adv);

		if (adv < n && is_align(p[adv])) {
			sp->fill = c;
			filled = true;
			sp->align = p[adv];
			r.p += adv + 1;
		} else if (is_align(*p)) {
			sp->align = *p;
			r.p++;
		}
	}
	if (jinja_next_is(&r, "+- "))
		sp->sign = *r.p++;
	if (jinja_next_is(&r, "#")) {
		sp->alt = true;
		r.p++;
	}
	if (jinja_next_is(&r, "0")) {
		if (!filled)
			sp->fill = '0';
		if (sp->align == 0)
			sp->align = '=';
		r.p++;
	}
	sp->width = jinja_read_number(&r);
	if (jinja_next_is(&r, ",_"))
		sp->group = *r.p++;
	if (jinja_next_is(&r, ".")) {
		r.p++;
		if (!jinja_next_is(&r, "0123456789"))
			return jinja_fail(run, "digits are missing behind '.' in '%.*s'",
					  (int)n, p);
		sp->precision = jinja_read_number(&r);
	}
	if (jinja_next_is(&r, "bdoxXneEfFgG%s"))
		sp->type = *r.p++;
	if (r.p != r.end)
		return jinja_fail(run, "'%.*s' is no format of a value",
				  n > 60 ? 60 : (int)n, p);
	return 0;
}

int
jinja_format_spec(struct jinja_run *run, struct buf *b, struct jinja_val v, const char *p,
		  size_t n)
{
	struct jinja_spec sp;

	if (v.kind == JINJA_TIME && n != 0) {
		if (jinja_strftime(run, v.i, jinja_strn(p, n), &v) != 0)
			return -1;
		buf_add(b, v.s.p, v.s.n);
		return jinja_check_buf(run, b);
	}
	if (read_spec(run, p, n, &sp) != 0)
		return -1;
	if (jinja_is_num(v) && (v.kind != JINJA_BOOL || n != 0)) {
		if (jinja_spec_check(run, &sp) != 0)
			return -1;
		if (sp.type == 'n')
			sp.type = v.kind == JINJA_FLOAT ? 'g' : 'd';
		if (v.kind == JINJA_FLOAT ||
		    (sp.type != 0 && strchr("eEfFgG%", sp.type) != NULL)) {
			if (sp.type != 0 && strchr("eEfFgG%", sp.type) == NULL)
				return jinja_fail(run, "a float is not formatted by '%c'",
						  sp.type);
			if (sp.alt && sp.type == 0)
				return jinja_fail(
				    run, "'#' needs a type such as 'f' behind it");
			return jinja_spec_float(run, b, jinja_as_double(v), &sp);
		}
		if (sp.type == 's' || sp.precision >= 0)
			return jinja_fail(run, "an integer has no '%s' in its format",
					  sp.type == 's' ? "s" : ".");
		if (sp.group == ',' && sp.type != 0 && sp.type != 'd')
			return jinja_fail(run, "',' groups only decimal digits");
		return jinja_spec_int(run, b, v.kind == JINJA_INT ? v.i : v.b, &sp);
	}
	if (n != 0 && v.kind != JINJA_STR)
		return jinja_fail(run, "%s has no format", jinja_kind_name(v));
	if ((sp.type != 0 && sp.type != 's') || sp.align == '=' || sp.group != 0 ||
	    sp.alt || sp.sign != '-')
		return jinja_fail(run, "a string is not formatted by '%.*s'", (int)n, p);
	if (jinja_to_str(run, v, &v) != 0)
		return -1;
	return jinja_spec_text(run, b, v, &sp);
}

/* The value a field names: "", "0", "name", with ".attr" and "[key]" behind. */
static int
field_value(struct jinja_run *run, const struct jinja_args *a, const char *p, size_t n,
	    size_t *next, struct jinja_val *out)
{
	size_t len = 0, i;
	struct jinja_reader r = {p, p + n};
	int64_t at;

	while (len < n && p[len] != '.' && p[len] != '[')
		len++;
	if (len != n)
		return jinja_fail(
		    run, "a field's parts are not built yet; give the part itself "
			 "as a value");
	if (n == 0 || (p[0] >= '0' && p[0] <= '9')) {
		at = n == 0 ? (int64_t)(*next)++ : jinja_read_number(&r);
		if (n != 0 && r.p != r.end)
			return jinja_fail(run, "'%.*s' is no field", n > 60 ? 60 : (int)n,
					  p);
		if ((uint64_t)at >= a->nrest)
			return jinja_fail(run, "the format needs more than %zu value%s",
					  a->nrest, a->nrest == 1 ? "" : "s");
		*out = a->rest[at];
		return 0;
	}
	for (i = 0; i < a->nkw; i++) {
		if (strlen(a->kw[i].name) == n && memcmp(a->kw[i].name, p, n) == 0) {
			*out = a->kw[i].val;
			return 0;
		}
	}
	return jinja_fail(run, "the format has no value named '%.*s'",
			  n > 60 ? 60 : (int)n, p);
}

/* name!r:spec between the braces. */
static int
field(struct jinja_run *run, struct buf *b, const struct jinja_args *a, const char *p,
      size_t n, size_t *next)
{
	const char *colon = memchr(p, ':', n), *bang;
	size_t head = colon != NULL ? (size_t)(colon - p) : n, name;
	struct jinja_val v;
	struct buf text;

	bang = memchr(p, '!', head);
	name = bang != NULL ? (size_t)(bang - p) : head;
	if (field_value(run, a, p, name, next, &v) != 0)
		return -1;
	if (jinja_settle(run, v, &v) != 0)
		return -1;
	if (bang != NULL) {
		if (head - name != 2 || strchr("rsa", bang[1]) == NULL)
			return jinja_fail(run, "a conversion is !r or !s");
		jinja_buf(run, &text);
		if (bang[1] == 's')
			jinja_put(&text, v);
		else
			jinja_put_repr(&text, v);
		if (jinja_take_buf(run, &text, &v) != 0)
			return -1;
	}
	return jinja_format_spec(run, b, v, p + (colon != NULL ? head + 1 : n),
				 colon != NULL ? n - head - 1 : 0);
}

int
jinja_format_str(struct jinja_run *run, struct jinja_val format,
		 const struct jinja_args *a, struct jinja_val *out)
{
	const char *p = format.s.p, *end = p + format.s.n, *close;
	size_t next = 0;
	struct buf b;
	int rc = 0;

	jinja_buf(run, &b);
	while (rc == 0 && p < end && !buf_failed(&b)) {
		if ((*p == '{' || *p == '}') && p + 1 < end && p[1] == *p) {
			buf_addc(&b, *p);
			p += 2;
		} else if (*p == '}') {
			rc = jinja_fail(run, "a single '}' in the format; write '}}'");
		} else if (*p != '{') {
			buf_addc(&b, *p++);
		} else {
			close = memchr(p, '}', (size_t)(end - p));
			if (close == NULL) {
				rc = jinja_fail(run, "a '{' in the format is not closed");
				break;
			}
			rc = jinja_step(run, 1);
			if (rc == 0)
				rc = field(run, &b, a, p + 1, (size_t)(close - p - 1),
					   &next);
			p = close + 1;
		}
	}
	if (rc == 0)
		return jinja_take_buf(run, &b, out);
	buf_release(&b);
	return -1;
}
