/* The module unicode: store/unicode.h by utf8proc. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/unicode_table.h"

#include <utf8proc.h>

static int
fold(const char *p, size_t n, unsigned how, struct buf *out, struct err *err)
{
	unsigned options = UTF8PROC_STABLE;
	utf8proc_uint8_t *text = NULL;
	utf8proc_ssize_t len;

	if ((how & UNICODE_CASE) != 0)
		options |= UTF8PROC_CASEFOLD;
	if ((how & UNICODE_FORM) != 0)
		options |= UTF8PROC_DECOMPOSE | UTF8PROC_IGNORE;
	len = utf8proc_map((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, &text,
			   (utf8proc_option_t)options);
	if (len < 0)
		return len == UTF8PROC_ERROR_NOMEM
			   ? err_nomem(err)
			   : err_set(err, ERR_INVALID, "a name is no UTF-8: %s",
				     utf8proc_errmsg(len));
	buf_add(out, text, (size_t)len);
	free(text);
	return buf_failed(out) ? err_nomem(err) : 0;
}

/* What a module exports; nobody else names it. */
extern const struct unicode_table dag_module;

__attribute__((visibility("default"))) const struct unicode_table dag_module = {
    .head = {"unicode", UNICODE_TABLE_VERSION},
    .fold = fold,
};
