#ifndef TESTS_UNIT_MEMORY_H
#define TESTS_UNIT_MEMORY_H
/*
 * Memory that runs out: each allocation of a call fails once, one after the other, until the
 * call gets through without meeting one that fails.  Every time the call must either say that
 * it is out of memory, and then nothing has happened and the next call works, or have done all
 * of it in spite.  What it leaks the sanitizer finds at the end.
 *
 * The allocator below is the whole program's, libraries and libc included, as symbols of the
 * program come first.  libuv is left out: where it cannot say that memory ran out, it aborts; and
 * jansson: its parser reads what it could not allocate.
 *
 * To be included by one file of a program, after cmocka.h.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void *__interceptor_malloc(size_t);
void *__interceptor_calloc(size_t, size_t);
void *__interceptor_realloc(void *, size_t);
#define real_malloc  __interceptor_malloc
#define real_calloc  __interceptor_calloc
#define real_realloc __interceptor_realloc
#else
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
#define real_malloc  __libc_malloc
#define real_calloc  __libc_calloc
#define real_realloc __libc_realloc
#endif

/* It is called before the sanitizer is ready. */
#define MEMORY_EARLY __attribute__((no_sanitize("address", "undefined", "thread")))

static _Atomic bool memory_counting;
static _Atomic unsigned long memory_count, memory_fail_at;
static _Thread_local bool memory_spared; /* this thread's do not count */
/* The code of libraries that are left out. */
static struct {
	const char *name;
	uintptr_t from, to;
} memory_exempt[] = {{"libuv", 0, 0}, {"libjansson", 0, 0}};
#define MEMORY_EXEMPT (sizeof(memory_exempt) / sizeof(memory_exempt[0]))

MEMORY_EARLY static bool
memory_fails(void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	if (!memory_counting || memory_spared)
		return false;
	for (size_t i = 0; i < MEMORY_EXEMPT; i++)
		if (at >= memory_exempt[i].from && at < memory_exempt[i].to)
			return false;
	if (++memory_count != memory_fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

MEMORY_EARLY void *
malloc(size_t n)
{
	return memory_fails(__builtin_return_address(0)) ? NULL : real_malloc(n);
}

MEMORY_EARLY void *
calloc(size_t n, size_t size)
{
	return memory_fails(__builtin_return_address(0)) ? NULL : real_calloc(n, size);
}

MEMORY_EARLY void *
realloc(void *p, size_t n)
{
	return memory_fails(__builtin_return_address(0)) ? NULL : real_realloc(p, n);
}

/* The sanitizer's would not come by the ones above. */
MEMORY_EARLY char *
strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = memory_fails(__builtin_return_address(0)) ? NULL : real_malloc(n);

	return p != NULL ? memcpy(p, s, n) : NULL;
}

MEMORY_EARLY char *
strndup(const char *s, size_t max)
{
	size_t n = strnlen(s, max);
	char *p = memory_fails(__builtin_return_address(0)) ? NULL : real_malloc(n + 1);

	if (p == NULL)
		return NULL;
	p[n] = '\0';
	return memcpy(p, s, n);
}

/* Function pointers do not fit into dlsym's answer by the letter of C. */
static inline void
memory_real(const char *name, void *out, size_t size)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	memcpy(out, &p, size);
}

#pragma GCC diagnostic ignored "-Wvla-parameter" /* as regex.h declares regexec */

/* glibc leaks where memory runs out in regcomp, and its regexec says then that the text does
 * not match, with only errno to tell.  Each call is one allocation to us. */
int
regcomp(regex_t *re, const char *pattern, int flags)
{
	int (*real)(regex_t *, const char *, int);
	int rc;

	memory_real("regcomp", &real, sizeof(real));
	if (memory_fails(__builtin_return_address(0)))
		return REG_ESPACE;
	memory_spared = true;
	rc = real(re, pattern, flags);
	memory_spared = false;
	return rc;
}

int
regexec(const regex_t *re, const char *s, size_t n, regmatch_t *match, int flags)
{
	int (*real)(const regex_t *, const char *, size_t, regmatch_t *, int);
	int rc;

	memory_real("regexec", &real, sizeof(real));
	if (memory_fails(__builtin_return_address(0)))
		return REG_NOMATCH; /* with errno */
	memory_spared = true;
	rc = real(re, s, n, match, flags);
	memory_spared = false;
	return rc;
}

/* The sanitizer asks in each thread that begins, and dies of an error. */
int
pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
	int (*real)(pthread_t, pthread_attr_t *);
	int rc;

	memory_spared = true;
	memory_real("pthread_getattr_np", &real, sizeof(real));
	rc = real(thread, attr);
	memory_spared = false;
	return rc;
}

static inline int
memory_find_exempt(struct dl_phdr_info *info, size_t size, void *ctx)
{
	ElfW(Half) i;
	size_t k = 0;

	(void)size;
	(void)ctx;
	while (k < MEMORY_EXEMPT &&
	       strstr(info->dlpi_name, memory_exempt[k].name) == NULL)
		k++;
	for (i = 0; k < MEMORY_EXEMPT && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
			memory_exempt[k].from =
			    info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			memory_exempt[k].to =
			    memory_exempt[k].from + info->dlpi_phdr[i].p_memsz;
		}
	return 0;
}

/* One call.  Only what run() allocates is counted. */
struct memory_call {
	const char *what;
	void (*before)(void *); /* may be NULL */
	int (*run)(void *, struct err *);
	/* rc 0: all is done, as if nothing had failed; -1: nothing is. */
	void (*after)(void *, int rc);
	void *ctx;
	/* Of a call with very many (SQLite's) so many fail, evenly spread; 0: all, as with
	 * DAG_MEMORY_ALL in the environment (scripts/test --long). */
	unsigned long some;
};

/* Call it, letting allocation ${n} fail; return whether there was such a one. */
static inline bool
memory_try(const struct memory_call *c, unsigned long n)
{
	bool stdin_open = fcntl(STDIN_FILENO, F_GETFD) != -1;
	struct err e = {0};
	int rc;

	if (c->before != NULL)
		c->before(c->ctx);
	memory_count = 0;
	memory_fail_at = n;
	memory_counting = true;
	rc = c->run(c->ctx, &e);
	memory_counting = false;
	if (rc != 0 && (n == 0 || memory_count < n))
		fail_msg("%s: failed with all memory there is: %s", c->what, e.msg);
	if (rc != 0 &&
	    (e.code != ERR_NOMEM || (strstr(e.msg, "out of memory") == NULL &&
				     strstr(e.msg, "Cannot allocate memory") == NULL)))
		fail_msg("%s: allocation %lu failed, and it says (%d): %s", c->what, n,
			 (int)e.code, e.msg);
	/* As it happens where what was not opened is closed. */
	if (stdin_open && fcntl(STDIN_FILENO, F_GETFD) == -1)
		fail_msg("%s: allocation %lu failed, and file 0 was closed", c->what, n);
	if (c->after != NULL)
		c->after(c->ctx, rc);
	return memory_count >= n;
}

/* Return how many allocations failed. */
static inline unsigned long
memory_fail_each(const struct memory_call *c)
{
	unsigned long n, all, step = 1, failed = 0;

	(void)dl_iterate_phdr(memory_find_exempt, NULL);
	(void)memory_try(c, 0); /* what is made once for a process is there from now on */
	(void)memory_try(c, 0);
	all = memory_count;
	if (c->some != 0 && getenv("DAG_MEMORY_ALL") == NULL)
		step = all / c->some + 1;
	for (n = 1; memory_try(c, n); n += step, failed++)
		(void)memory_try(c, 0);
	print_message("%s: %lu of %lu allocations failed\n", c->what, failed, all);
	return failed;
}

#endif
