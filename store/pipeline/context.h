#ifndef DAG_STORE_PIPELINE_CONTEXT_H
#define DAG_STORE_PIPELINE_CONTEXT_H
/*
 * What the names in ${...} stand for: params.yaml beside dvc.yaml, then what `vars` lists,
 * merged in that order.  Mappings of the same name are merged member by member; nothing may
 * be defined twice.  Where a variable comes from is kept, for messages and for who wants to
 * know which params a stage uses.
 */
#include <stdbool.h>
#include <stddef.h>

struct context;
struct dvc_read;
struct pipeline_files;
struct variable;
struct yaml_node;

/**
 * context_new(r, files), context_free(c):
 * Make an empty context that belongs to the dvc.yaml ${r} reads, in its arena, and reads
 * files through ${files}; NULL if memory runs out.  Free what is not in the arena.
 */
struct context *context_new(struct dvc_read *, const struct pipeline_files *);
void context_free(struct context *);

/**
 * context_clone(c):
 * Return a context of its own with the variables of ${c}, which must live longer, or NULL.
 */
struct context *context_clone(const struct context *);

/**
 * context_default(c):
 * Load params.yaml from the directory of dvc.yaml, if it is there.  Return 0; -1 if memory
 * ran out or it cannot be read, 1 if it has mistakes, which the diag was told.
 */
int context_default(struct context *);

/**
 * context_vars(c, list, wdir, where):
 * Load what the `vars` ${list} names: files ("p.yaml", "p.yaml:key,key"), seen from directory
 * ${wdir} relative to the root, and mappings.  ${where} is what they belong to, in messages:
 * "vars", "stages.train.vars".  Return as context_default.
 */
int context_vars(struct context *, struct yaml_node *, const char *, const char *);

/**
 * context_item(c, item, key):
 * Let `item`, and `key` unless NULL, be these from now on, whatever they were; both NULL:
 * let them be what they were.  While they are set no vars may define them.
 */
void context_item(struct context *, struct variable *, struct variable *);

/**
 * context_mark(c), context_forget(c, mark):
 * Give back the memory of variables that were looked into since the mark.
 */
size_t context_mark(const struct context *);
void context_forget(struct context *, size_t);

/**
 * context_has(c, name):
 * Return whether there is a variable of that name, not counting the item and its key.
 */
bool context_has(const struct context *, const char *);

/**
 * context_select(c, expr, len, why, size):
 * Return the variable that ${expr} names ("a.b[0]", its brackets not checked), or NULL with
 * what is missing, as a sentence, in the ${size} bytes ${why}; "" if memory ran out.
 */
struct variable *context_select(struct context *, const char *, size_t, char *, size_t);

/**
 * context_tell(c, v):
 * Tell who wants to know what is used of files (struct pipeline_files) of ${v}, unless it is a
 * mapping or comes from no file.  Return 0, or -1 if memory runs out.
 */
int context_tell(const struct context *, const struct variable *);

/**
 * variable_value(c, v):
 * Return the value, merged if it was, or NULL if memory runs out.
 */
struct yaml_node *variable_value(struct context *, struct variable *);

/**
 * variable_of(c, value):
 * Make a variable of a value that comes from no file; NULL if memory runs out.
 */
struct variable *variable_of(struct context *, struct yaml_node *);

/**
 * variable_count(c, v), variable_at(v, i), variable_key(v, i):
 * Go through the elements of a list, or the members of a mapping whose keys are strings:
 * their number (SIZE_MAX if memory runs out; to be asked first), the i-th, and its key (NULL
 * of a list).
 */
size_t variable_count(struct context *, struct variable *);
struct variable *variable_at(struct variable *, size_t);
const char *variable_key(struct variable *, size_t);

#endif
