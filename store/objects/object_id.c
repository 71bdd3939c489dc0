#include "store/objects/object_id.h"

#include <string.h>

#define DIR_SUFFIX ".dir"
#define HEX_LEN	   ((size_t)2 * OBJECT_ID_BYTES)

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
object_id_parse(const char *text, bool legacy, struct object_id *out)
{
	struct object_id id = {.legacy = legacy};
	size_t len = strlen(text);

	if (len == HEX_LEN + strlen(DIR_SUFFIX) &&
	    strcmp(text + HEX_LEN, DIR_SUFFIX) == 0)
		id.dir = true;
	else if (len != HEX_LEN)
		return -1;
	for (size_t i = 0; i < OBJECT_ID_BYTES; i++) {
		int hi = hex_value(text[2 * i]), lo = hex_value(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		id.md5[i] = (uint8_t)(hi << 4 | lo);
	}
	if (!object_id_is_set(&id))
		return -1;
	*out = id;
	return 0;
}

int
object_id_of_path(const char *path, struct object_id *out)
{
	const char *rest = strrchr(path, '/');
	char hex[OBJECT_HEX_MAX];

	if (rest == NULL || rest - path < 3 || rest[-3] != '/' ||
	    strlen(rest + 1) + 2 >= sizeof(hex))
		return -1;
	memcpy(hex, rest - 2, 2);
	memcpy(hex + 2, rest + 1, strlen(rest));
	return object_id_parse(hex, false, out);
}

char *
object_id_hex(const struct object_id *id, char out[OBJECT_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < OBJECT_ID_BYTES; i++) {
		out[2 * i] = digits[id->md5[i] >> 4];
		out[2 * i + 1] = digits[id->md5[i] & 15];
	}
	memcpy(out + HEX_LEN, id->dir ? DIR_SUFFIX : "", id->dir ? sizeof DIR_SUFFIX : 1);
	return out;
}

int
object_id_cmp(const struct object_id *a, const struct object_id *b)
{
	int r = memcmp(a->md5, b->md5, OBJECT_ID_BYTES);

	if (r == 0)
		r = a->dir - b->dir;
	return r != 0 ? r : a->legacy - b->legacy;
}

bool
object_id_equal(const struct object_id *a, const struct object_id *b)
{
	return object_id_cmp(a, b) == 0;
}

bool
object_id_is_set(const struct object_id *id)
{
	static const uint8_t none[OBJECT_ID_BYTES];

	return memcmp(id->md5, none, OBJECT_ID_BYTES) != 0;
}
