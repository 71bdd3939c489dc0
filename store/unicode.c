/* ASCII is folded here; the way to the module unicode for the rest. */
#include "store/unicode.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/unicode_table.h"

static struct module module = MODULE("unicode", UNICODE_TABLE_VERSION);

static bool
is_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] >= 0x80)
			return false;
	return true;
}

int
unicode_fold(const char *p, size_t n, unsigned how, struct buf *out, struct err *err)
{
	const struct unicode_table *t;

	if (is_ascii(p, n)) {
		for (size_t i = 0; i < n; i++)
			buf_addc(out,
				 (how & UNICODE_CASE) != 0 && p[i] >= 'A' && p[i] <= 'Z'
				     ? (char)(p[i] + ('a' - 'A'))
				     : p[i]);
		return buf_failed(out) ? err_nomem(err) : 0;
	}
	t = module_load(&module, err);
	return t != NULL ? t->fold(p, n, how, out, err) : -1;
}
