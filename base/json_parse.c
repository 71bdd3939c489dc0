#include "base/json.h"

#include <errno.h>
#include <jansson.h>

#include "base/err.h"

/*
 * jansson's own limit of depth is 2048 and fixed, so the levels are counted beforehand.
 * Text that is no JSON may be counted wrongly; jansson refuses it anyway.
 */
static int
check_depth(const char *p, size_t n, struct err *err)
{
	size_t line = 1, column = 0, depth = 0, i;
	bool in_string = false;

	for (i = 0; i < n; i++) {
		column += ((unsigned char)p[i] & 0xc0) != 0x80;
		switch (p[i]) {
		case '\n':
			line++;
			column = 0;
			break;
		case '"':
			in_string = !in_string;
			break;
		case '\\':
			i += in_string ? 1 : 0;
			column += in_string ? 1 : 0;
			break;
		case '[':
		case '{':
			if (!in_string && ++depth > JSON_DEPTH_MAX)
				return err_set(err, ERR_LIMIT,
					       "line %zu column %zu: more than %d levels "
					       "of JSON",
					       line, column, JSON_DEPTH_MAX);
			break;
		case ']':
		case '}':
			if (!in_string && depth > 0)
				depth--;
			break;
		default:
			break;
		}
	}
	return 0;
}

struct json_t *
json_parse(const char *p, size_t n, struct err *err)
{
	json_error_t e;
	json_t *v;

	if (check_depth(p, n, err) != 0)
		return NULL;
	errno = 0;
	v = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (v != NULL)
		return v;
	/* jansson says "invalid token", or nothing, as often as what it is. */
	if (errno == ENOMEM || json_error_code(&e) == json_error_out_of_memory)
		(void)err_nomem(err);
	else
		(void)err_set(err, ERR_INVALID, "line %d column %d: %s",
			      e.line > 0 ? e.line : 1, e.column > 0 ? e.column : 1,
			      e.text);
	return NULL;
}
