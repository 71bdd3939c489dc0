#ifndef DAG_BASE_ERR_H
#define DAG_BASE_ERR_H
/*
 * Errors of the world (files, users, databases), handed up through a caller-owned
 * `struct err`.  A function that can fail returns 0 or a negative number (or NULL) and fills
 * the err only on failure.  Messages are whole sentences, lower case, no full stop, and say
 * what failed first: "cannot open 'x.yaml': permission denied".
 */
#include <stdarg.h>

/* What kind of failure; cli/ maps it to an exit code (see docs/DESIGN.md). */
enum err_code {
	ERR_NONE = 0,
	ERR_SYS, /* the system refused: I/O, memory, database                 exit 3 */
	ERR_INVALID, /* the user's file, option or value is wrong                 exit 2 */
	ERR_NOTFOUND, /* the named thing does not exist                            exit 2 */
	ERR_EXISTS, /* the named thing exists already                            exit 2 */
	ERR_LIMIT,  /* a documented limit is passed                              exit 2 */
	ERR_FAILED, /* the work itself failed                                    exit 1 */
	ERR_BUSY,   /* somebody else holds it; may be tried again                exit 3 */
	ERR_STALE,  /* ownership was lost to somebody else                       exit 3 */
	ERR_FULL,   /* no space or quota; may be tried again after making room   exit 3 */
	ERR_CORRUPT, /* stored data does not verify                               exit 3 */
	ERR_NEWER, /* written by a newer version                                exit 3 */
	ERR_NOMEM, /* out of memory                                             exit 3 */
	ERR_CANCELLED /* stopped on request                                        exit 130 */
};

struct err {
	enum err_code code;
	int sys; /* errno behind it, or 0 */
	char msg[1016];
};

/**
 * err_clear(err):
 * Forget what ${err} holds.
 */
void err_clear(struct err *);

/**
 * err_set(err, code, fmt, ...):
 * Fill ${err} (which may be NULL) and return -1.  A message that does not fit is cut at a
 * UTF-8 border.
 */
int err_set(struct err *, enum err_code, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * err_sys(err, errnum, fmt, ...):
 * As err_set with ": <text of errnum>" appended.  The code follows ${errnum}: ENOMEM is
 * ERR_NOMEM; ENOSPC, EDQUOT and EFBIG are ERR_FULL; ENOENT and ENOTDIR are ERR_NOTFOUND;
 * EEXIST is ERR_EXISTS; everything else is ERR_SYS.  Return -1.
 */
int err_sys(struct err *, int, const char *, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_wrap(err, fmt, ...):
 * Put "<context>: " before the message in ${err}, keeping code and errno.  Return -1.
 */
int err_wrap(struct err *, const char *, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_nomem(err):
 * Say that memory ran out.  Return -1.
 */
int err_nomem(struct err *);

#endif
