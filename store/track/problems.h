#ifndef DAG_STORE_TRACK_PROBLEMS_H
#define DAG_STORE_TRACK_PROBLEMS_H
/*
 * What went wrong with single files or outs while the rest went on: the first ones are kept,
 * all are counted.  Several threads may add at once.
 */
#include <pthread.h>
#include <stddef.h>

#include "base/err.h"

#define PROBLEMS_KEPT 1000

struct problem {
	char *path; /* relative to the root; "" where it is about none */
	char *text;
	enum err_code code;
};

struct problems {
	pthread_mutex_t lock;
	struct problem *v; /* in the order in which they came */
	size_t n, cap;	   /* those that are kept */
	size_t count;	   /* all */
};

/**
 * problems_init(p), problems_release(p):
 * Begin with none; free.
 */
void problems_init(struct problems *);
void problems_release(struct problems *);

/**
 * problems_add(p, path, why):
 * Take down that ${path} failed with ${why}.  Where memory runs out it is counted only.
 */
void problems_add(struct problems *, const char *, const struct err *);

/**
 * problems_sort(p):
 * Bring those that are kept into the order of their paths.
 */
void problems_sort(struct problems *);

#endif
