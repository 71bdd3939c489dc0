#ifndef UNIT_SCHEDULER_ALLOC_FIXTURE_H
#define UNIT_SCHEDULER_ALLOC_FIXTURE_H
/*
 * Memory that runs out in our code alone, not in the libraries: the linker sends what it
 * allocates through here (tests/CMakeLists.txt).  While alloc_counting is set, the allocation
 * number alloc_fail_at of those of its thread fails.
 */
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

static __thread bool alloc_counting;
static unsigned long alloc_count, alloc_fail_at;

static bool
alloc_fails(void)
{
	return alloc_counting && ++alloc_count == alloc_fail_at;
}

void *
__wrap_malloc(size_t n)
{
	return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return alloc_fails() ? NULL : __real_realloc(p, n);
}

#endif
