#ifndef DAG_STORE_DVC_DVC_READ_H
#define DAG_STORE_DVC_DVC_READ_H
/*
 * Reading DVC's files by tables: what their parsers share.  Private to store/dvc.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;
struct dvc_out;
struct err;
struct yaml_node;

/* One reading of one file. */
struct dvc_read {
	struct arena *a;
	struct diag *d;
	int file;	 /* its number in d */
	const char *dir; /* of the file, seen from the repository's root; "" at the top */
	size_t entries;	 /* deps and outs so far */
	bool nomem;
};

/* What a key's value must be, and what becomes of it. */
enum dvc_type {
	DVC_STR,     /* const char *: a string */
	DVC_WORD,    /* const char *: a string or an integer, none for "" and null */
	DVC_BOOL,    /* bool */
	DVC_COUNT,   /* int64_t: an integer from 0 */
	DVC_ANY,     /* const struct yaml_node *: anything */
	DVC_MAP,     /* ... a mapping */
	DVC_STRS,    /* ... a list of strings */
	DVC_STR_MAP, /* ... a string or a mapping */
	DVC_OBJECT,  /* struct object_id: the hex text of one; none for "" and null */
	DVC_BY	     /* what its function does */
};

struct dvc_key {
	const char *name;
	enum dvc_type type;
	size_t offset; /* of the member */
	/* Takes a value of type DVC_BY; the last is the struct that is filled. */
	void (*take)(struct dvc_read *, const struct yaml_node *, void *);
};

/**
 * dvc_read_map(r, node, what, keys, n, into):
 * Fill the struct ${into} from the mapping ${node} by the ${n} ${keys}.  Unknown keys and
 * values of the wrong kind go to the diag, named; ${what} is the thing's name in messages
 * ("an entry of outs").
 */
void dvc_read_map(struct dvc_read *, const struct yaml_node *, const char *,
		  const struct dvc_key *, size_t, void *);

/* What is kept of a file that was read. */
struct dvc_source {
	const char *name, *dir, *text;
};

/**
 * dvc_read_keep(r, name, text, len, max, out, err):
 * Copy a file of at most ${max} bytes, 16 MiB, and its name into the arena, for ${out} and for
 * ${r}.  Return 0 or -1; ${out} holds NULL for what could not be kept.
 */
int dvc_read_keep(struct dvc_read *, const char *, const char *, size_t, size_t,
		  struct dvc_source *, struct err *);

/**
 * dvc_read_file(r, name, text, len, d, err, take, into):
 * Read the YAML ${text} of the file ${name}, which lies in ${r}->dir, into arena ${r}->a and
 * let ${take} fill ${into} from it.  Mistakes go to ${d}, the first one to ${err} too.
 * Return 0 or -1.
 */
int dvc_read_file(struct dvc_read *, const char *, const char *, size_t, struct diag *,
		  struct err *,
		  void (*)(struct dvc_read *, const struct yaml_node *, void *), void *);

/**
 * dvc_read_dir(a, name):
 * Return the directory of the file ${name}, normalized ("." at the root), in the arena, or
 * NULL.
 */
const char *dvc_read_dir(struct arena *, const char *);

/**
 * dvc_read_say(r, node, fmt, ...):
 * Record a mistake at ${node}.
 */
void dvc_read_say(struct dvc_read *, const struct yaml_node *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * dvc_read_where(r, node, wdir, text, full, where):
 * Find out where the path ${text} leads that stands at ${node}, seen from directory ${wdir}
 * (NULL: that of the file).  Return 0 with ${where}, and in ${full} the path seen from the
 * repository's root where it is inside, else NULL; -1 if it is no path at all (empty, too
 * long), which the diag is told, or memory ran out, which ${r} remembers.
 */
int dvc_read_where(struct dvc_read *, const struct yaml_node *, const char *,
		   const char *, const char **, int *);

/* Whose entries are read. */
enum dvc_list { DVC_FILE_OUTS, DVC_FILE_DEPS, DVC_LOCK_OUTS, DVC_LOCK_DEPS };

/**
 * dvc_read_entries(r, node, list, wdir, out, n):
 * Read the list ${node} of ${list}, whose paths are seen from ${wdir}, into an array in the
 * arena.  A null is an empty list.  Mistakes go to the diag; what is usable is there.
 */
void dvc_read_entries(struct dvc_read *, const struct yaml_node *, enum dvc_list,
		      const char *, struct dvc_out **, size_t *);

#endif
