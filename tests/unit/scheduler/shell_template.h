#ifndef SHELL_TEMPLATE_H
#define SHELL_TEMPLATE_H
/*
 * Templates for tests of the shell's rule: text in which @ stands for {{ x }} and ^ for
 * {{ x | sh }}, so that no engine is needed to render them.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jinja.h"
#include "scheduler/render.h"

/* Render ${tpl} for the value ${v}.  Return 0, or -1 with ${err}. */
static int
shell_render(const char *tpl, struct jinja_val v, struct buf *out, struct err *err)
{
	struct arena *a = arena_new(0);
	struct shell_hook *h = shell_hook_new(a);
	int rc = 0;

	for (; *tpl != '\0' && rc == 0; tpl++) {
		struct jinja_emit e = {.val = v, .filter = *tpl == '^' ? "sh" : NULL};

		if (*tpl == '@' || *tpl == '^')
			rc = shell_hook_emit(h, &e, out, err);
		else
			buf_addc(out, *tpl);
	}
	if (rc == 0)
		rc = shell_hook_done(h, out, err);
	arena_free(a);
	return rc;
}

#endif
