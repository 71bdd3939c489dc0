#ifndef DAG_STORE_OBJECTS_SCAN_H
#define DAG_STORE_OBJECTS_SCAN_H
/*
 * What a path of the work tree holds: the hash of a file, or of the list of a directory, with
 * what the index knows taken for granted, and with the bytes copied into a store while they
 * are hashed, if that is wanted.
 *
 *	regular files, also with holes or several names	  their bytes
 *	symbolic links to a file, wherever it lies	  the bytes of the file
 *	symbolic links to a directory			  left out; the path itself: refused
 *	directories without files in them		  left out
 *	links that lead nowhere, fifos, sockets, devices, refused by name, all of them before
 *	names that are not UTF-8, .dvcignore, what	  a byte is read or written
 *	cannot be opened or is too deep or too long
 *
 * First all is walked and looked at, by several threads, then what is not known is read.
 * Nothing leads out of the path: directories are opened without following links.  What
 * vanishes meanwhile was never there; a file that changes while it is read is read again, and
 * refused when it has done so SCAN_TRIES times.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct batch;
struct err;
struct index;
struct meter;
struct objects;
struct scan_state;
struct tree;

#define SCAN_TRIES	  3
#define SCAN_PATH_MAX	  4095 /* bytes of a path below the root */
#define SCAN_DEPTH_MAX	  1000 /* components of one below the scanned directory */
#define SCAN_FILES_MAX	  ((uint64_t)10000000)
#define SCAN_WORKERS_MAX  64
#define SCAN_PROBLEMS_MAX 100 /* that are remembered; all are counted */

/*
 * What is left out: rules that are asked by several threads.  `dir` is what they know of one
 * directory, from `top`, of the scanned directory itself, on.
 */
struct scan_ignore {
	void *top; /* borrowed */
	/* Go into ${name}: 0 with what is to be left again in the last, 1 to leave it out
	 * (another repository), -1 with the error. */
	int (*enter)(void *, const char *, void **, struct err *);
	void (*leave)(void *);
	bool (*match)(const void *, const char *,
		      bool); /* ignored; the last: a directory */
};

struct scan_options {
	int root_fd;	     /* an open directory */
	const char *path;    /* below it, normalized; not "." */
	const char *key;     /* its name in the index; NULL: as path */
	struct index *index; /* NULL: none */
	struct batch
	    *into; /* copy what is hashed, and the list, into this batch's store */
	struct objects *cache; /* that store; what it has is not copied again */
	unsigned workers;      /* 0: as many as there are processors */
	uint64_t read_max;     /* bytes that may be read to know it; 0: all */
	bool legacy;	       /* hashes of DVC 2; not with into */
	bool broken_ok;	       /* a link that leads nowhere counts as nothing */
	const struct scan_ignore *ignore; /* NULL: nothing is left out */
	/* Temporaries with these letters (link.h) are left out, too; NULL or "": none are. */
	const char *others;
	struct meter *meter;
};

struct scan_problem {
	char *path; /* relative to the root; bytes that are not UTF-8 as they are */
	char *what; /* the whole sentence, with the path */
	int code;   /* enum err_code */
};

struct scan {
	bool exists, is_dir;
	bool exec;     /* a file that anybody may execute */
	bool unlisted; /* a directory that has what its list does not say: an executable,
			* or a link to a directory */
	struct object_id id;	       /* of the file, or of the list */
	uint64_t size;		       /* bytes of all files */
	uint64_t nfiles;	       /* 1 for a file */
	struct scan_problem *problems; /* sorted by path */
	size_t nproblems;	       /* that are there */
	uint64_t nproblems_all;
	struct {
		uint64_t known;	 /* files that the index knew */
		uint64_t hashed; /* files that were read */
	} stats;
	struct scan_state *state; /* ours */
};

/**
 * scan_path(options, scan, err):
 * Scan one path; one that is not there is no failure.  Return 0; or -1 with ${err}: the first
 * of the problems (ERR_INVALID, ERR_LIMIT, ERR_SYS ...) and how many there are besides, ERR_BUSY
 * where more than read_max would have to be read, ERR_CANCELLED, or what the store failed with.  ${scan} is to be released in any case.
 */
int scan_path(const struct scan_options *, struct scan *, struct err *);

/**
 * scan_tree(scan, tree, err):
 * Make the list of a scanned directory in the empty ${tree}, sorted, with sizes.  Return 0 or
 * -1.
 */
int scan_tree(const struct scan *, struct tree *, struct err *);

/**
 * scan_release(scan):
 * Free what it holds.
 */
void scan_release(struct scan *);

#endif
