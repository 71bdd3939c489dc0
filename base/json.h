#ifndef DAG_BASE_JSON_H
#define DAG_BASE_JSON_H
/*
 * JSON: a streaming writer of our own, reading by jansson with limits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct json_t;

#define JSON_DEPTH_MAX 64

/*
 * The writer appends to a buf.  Keys and values alternate inside objects; commas and quotes
 * are the writer's business.  Misuse (a value without a key, an end too many) is a bug and
 * asserts.  Invalid UTF-8 is written as U+FFFD.  No name here is one of jansson's
 * (json_object, json_array, json_null are): a second symbol would be called in its place.
 */
struct json_writer {
	struct buf *out;
	int depth;
	int indent;			/* blanks per level; 0: all on one line */
	bool first[JSON_DEPTH_MAX + 1]; /* no member written yet at this level */
	bool object[JSON_DEPTH_MAX + 1];
	bool have_key;
};

/**
 * json_init(w, out, indent):
 * Start writing to ${out}.
 */
void json_init(struct json_writer *, struct buf *, int);

void json_begin_object(struct json_writer *);
void json_begin_array(struct json_writer *);
void json_end(struct json_writer *); /* of the innermost object or array */
void json_key(struct json_writer *, const char *);
void json_str(struct json_writer *, const char *); /* NULL is null */
void json_strn(struct json_writer *, const char *, size_t);
void json_int(struct json_writer *, int64_t);
void json_double(struct json_writer *,
		 double); /* shortest text that reads back; not finite: null */
void json_bool(struct json_writer *, bool);
void json_put_null(struct json_writer *);
void json_raw(struct json_writer *, const char *, size_t); /* text that is JSON already */
void json_time(struct json_writer *, int64_t); /* RFC 3339 with microseconds; 0 is null */

/* Key and value in one call. */
void json_kv_str(struct json_writer *, const char *, const char *);
void json_kv_int(struct json_writer *, const char *, int64_t);
void json_kv_bool(struct json_writer *, const char *, bool);
void json_kv_time(struct json_writer *, const char *, int64_t);

/**
 * json_parse(p, n, err):
 * Return the JSON value of the ${n} bytes (one value, any type, nothing behind it; duplicate
 * keys, NULs in strings and more than JSON_DEPTH_MAX levels refused), a jansson reference
 * owned by the caller, or NULL with "line L column C: ..." in ${err}.
 */
struct json_t *json_parse(const char *, size_t, struct err *);

#endif
