#ifndef DAG_STORE_MODULE_H
#define DAG_STORE_MODULE_H
/*
 * Modules: what pulls in many libraries (libgit2 ...) lies in a shared object of its own,
 * libexec/dag/dag-NAME.so, and is loaded when it is first needed, so that `dag` itself starts
 * as fast as ever.  A module takes what it needs of base/ from the program that loads it
 * (cmake/exports.txt lists those functions) and exports one thing, `dag_module`: a table of
 * functions that starts with a struct module_head.
 *
 * A loaded module stays for good: libraries like these cannot be unloaded safely.
 */
#include <pthread.h>

struct err;

/* What every module's table starts with. */
struct module_head {
	const char *name; /* as the one who loads it calls it */
	unsigned version; /* of the table: raised with every change of it */
};

/* A module as its user knows it; one static variable each, made by MODULE(). */
struct module {
	const char *name;
	unsigned version;
	pthread_mutex_t lock;
	const struct module_head *table; /* NULL: not loaded */
};

#define MODULE(name, version)                                   \
	{                                                       \
		name, version, PTHREAD_MUTEX_INITIALIZER, NULL, \
	}

/**
 * module_load(m, err):
 * Return the table of module ${m}, loading it if that was not done before; any thread may ask.
 * NULL with ${err}, which names the file, and the Debian package where a library is missing; a
 * module of another version of `dag` is ERR_NEWER.  A later call tries again.
 */
const void *module_load(struct module *, struct err *);

#endif
