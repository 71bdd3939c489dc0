#ifndef DAG_STORE_DVC_YAML_DOC_H
#define DAG_STORE_DVC_YAML_DOC_H
/*
 * A YAML file that is read, changed in place and written back byte for byte as DVC writes
 * it: as the round trip of ruamel.yaml with its defaults does.  Comments, blank lines, the
 * order of keys, flow and block style, literal and folded blocks, anchors, and how numbers
 * are spelt are kept; quotes, indentation and the folding of long lines become the
 * emitter's own.  What we do not know to write identically is refused when it is read, by
 * name, before anything is changed: tags, directives, merge keys, comments inside of flow
 * collections and behind | and >, times of day, tabs between tokens, Unicode's line
 * separators, explicit keys with comments of their own.
 *
 *	text -> tokens with comments [yaml_scan] -> values [yaml_tree] -> changes [yaml_val]
 *	     -> text [yaml_emit]
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct yaml_doc;
struct yaml_node;
struct yaml_val;

#define YAML_DOC_MAX ((size_t)16 << 20) /* bytes of one file */

/**
 * yaml_doc_parse(name, text, n, out, err):
 * Read the ${n} bytes ${text} of the file that messages call ${name}.  An empty file is an
 * empty mapping, and so is one of comments alone, which are lost when it is written (DVC
 * loses them too).  Return 0 with ${out} to be freed by yaml_doc_free; -1 with ERR_INVALID
 * ("NAME:L:C: ..."), ERR_LIMIT or ERR_NOMEM.
 */
int yaml_doc_parse(const char *, const char *, size_t, struct yaml_doc **, struct err *);

/**
 * yaml_doc_new(), yaml_doc_free(doc):
 * Make an empty mapping, or NULL; free a document with all its values, NULL allowed.
 */
struct yaml_doc *yaml_doc_new(void);
void yaml_doc_free(struct yaml_doc *);

/**
 * yaml_doc_root(doc):
 * Return the outermost value: a mapping or, of a file that was read, a sequence.
 */
struct yaml_val *yaml_doc_root(struct yaml_doc *);

/**
 * yaml_doc_dump(doc, out, err):
 * Append the document to ${out}, having read back what was written.  Return 0, or -1:
 * ERR_INVALID where DVC's own writer would change what a value says, which is then named;
 * ERR_NOMEM (also of an earlier call that could not say so); ERR_LIMIT where ${out} is full.
 */
int yaml_doc_dump(struct yaml_doc *, struct buf *, struct err *);

/**
 * yaml_doc_failed(doc):
 * Return whether memory ran out for a value of ${doc}.
 */
bool yaml_doc_failed(const struct yaml_doc *);

/**
 * yaml_doc_apply(doc, want, err):
 * Make the root hold what the mapping ${want} holds, as DVC applies a change: what is equal
 * is left alone with its comments, keys that are gone are dropped, new ones come last, lists
 * of another length are written anew.  Return 0 or -1: the root is no mapping, a mapping
 * that is to be changed has an anchor.
 */
int yaml_doc_apply(struct yaml_doc *, const struct yaml_val *, struct err *);

/**
 * yaml_val_apply(doc, have, want, err):
 * The same for the mapping ${have} in the document, which is there.
 */
int yaml_val_apply(struct yaml_doc *, struct yaml_val *, const struct yaml_val *,
		   struct err *);

/*
 * New values, in the memory of the document.  NULL where memory runs out, which is
 * remembered: NULL may be passed on, and yaml_doc_dump fails in the end.
 */

/**
 * yaml_val_null(doc), yaml_val_bool(doc, b), yaml_val_int(doc, i), yaml_val_float(doc, f),
 * yaml_val_str(doc, s), yaml_val_strn(doc, p, n), yaml_val_seq(doc), yaml_val_map(doc):
 * Make a scalar, or an empty collection.  ${s} must be UTF-8: what is not becomes U+FFFD.
 */
struct yaml_val *yaml_val_null(struct yaml_doc *);
struct yaml_val *yaml_val_bool(struct yaml_doc *, bool);
struct yaml_val *yaml_val_int(struct yaml_doc *, int64_t);
struct yaml_val *yaml_val_float(struct yaml_doc *, double);
struct yaml_val *yaml_val_str(struct yaml_doc *, const char *);
struct yaml_val *yaml_val_strn(struct yaml_doc *, const char *, size_t);
struct yaml_val *yaml_val_seq(struct yaml_doc *);
struct yaml_val *yaml_val_map(struct yaml_doc *);

/**
 * yaml_val_from(doc, node), yaml_val_settled(doc, node):
 * Make the value of ${node}, a tree of base/yaml.h; of one whose scalars are what their kinds
 * say, spelt as Python spells them (store/pipeline/value.h).
 */
struct yaml_val *yaml_val_from(struct yaml_doc *, const struct yaml_node *);
struct yaml_val *yaml_val_settled(struct yaml_doc *, const struct yaml_node *);

/**
 * yaml_val_add(doc, seq, v), yaml_val_put(doc, map, key, v), yaml_val_drop(map, key):
 * Append to a sequence; set a key, where it stands with its comments or at the end; remove a
 * key if it is there.
 */
void yaml_val_add(struct yaml_doc *, struct yaml_val *, struct yaml_val *);
void yaml_val_put(struct yaml_doc *, struct yaml_val *, const char *, struct yaml_val *);
void yaml_val_drop(struct yaml_val *, const char *);

/**
 * yaml_val_last_before(map, before):
 * Let the last member of ${map} stand before that with the key ${before}, if there is one.
 */
void yaml_val_last_before(struct yaml_val *, const char *);

/**
 * yaml_val_get(map, key), yaml_val_at(seq, i), yaml_val_count(v), yaml_val_text(v):
 * Look into a value: NULL (0) where there is no such thing.  The text is that of a string,
 * or of a number as it is written.
 */
struct yaml_val *yaml_val_get(const struct yaml_val *, const char *);
struct yaml_val *yaml_val_at(const struct yaml_val *, size_t);
size_t yaml_val_count(const struct yaml_val *);
const char *yaml_val_text(const struct yaml_val *);

/**
 * yaml_val_is_map(v), yaml_val_is_false(v):
 * Return whether ${v} is a mapping; whether Python takes it for false: empty, zero, null.
 */
bool yaml_val_is_map(const struct yaml_val *);
bool yaml_val_is_false(const struct yaml_val *);

/**
 * yaml_val_json(v, drop, out):
 * Append ${v} to ${out} as Python's json.dumps(v, sort_keys=True) writes it, without the
 * keys of the NULL-terminated list ${drop} (NULL: none), at whatever depth they stand.
 */
void yaml_val_json(const struct yaml_val *, const char *const *, struct buf *);

/**
 * yaml_json_text(out, p, n):
 * Append a text as Python's json.dumps writes it: all but ASCII as \\u and four digits.
 */
void yaml_json_text(struct buf *, const char *, size_t);

#endif
