#ifndef SHELL_FIXTURE_H
#define SHELL_FIXTURE_H
/* What the rule must say of a template and a value.  Include behind cmocka.h. */
#include "shell_template.h"

/* The rendering must be refused and say ${why}. */
static inline void
refused_val(const char *tpl, struct jinja_val v, const char *why)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (shell_render(tpl, v, &out, &err) == 0)
		fail_msg("accepted: %s -> %s", tpl, out.p);
	if (strstr(err.msg, why) == NULL)
		fail_msg("template: %s\n message: %s\n lacks: %s", tpl, err.msg, why);
	assert_int_equal(err.code, ERR_INVALID);
	buf_release(&out);
}

static inline void
refused(const char *tpl, const char *v, const char *why)
{
	refused_val(tpl, jinja_str(v), why);
}

/* The rendering must give ${want}. */
static inline void
gives_val(const char *tpl, struct jinja_val v, const char *want)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (shell_render(tpl, v, &out, &err) != 0)
		fail_msg("template: %s\n refused: %s", tpl, err.msg);
	assert_string_equal(out.p, want);
	buf_release(&out);
}

static inline void
gives(const char *tpl, const char *v, const char *want)
{
	gives_val(tpl, jinja_str(v), want);
}

/* A harmless value must be accepted. */
static inline void
accepted(const char *tpl)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (shell_render(tpl, jinja_str("7"), &out, &err) != 0)
		fail_msg("template: %s\n refused: %s", tpl, err.msg);
	buf_release(&out);
}

#endif
