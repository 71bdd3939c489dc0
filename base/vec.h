#ifndef DAG_BASE_VEC_H
#define DAG_BASE_VEC_H
/*
 * Typed growable arrays.  VEC(T) declares the type; a zeroed one is empty.
 *
 *	VEC(struct edge) edges = {0};
 *	if (vec_push(&edges, e) != 0) goto nomem;
 *	vec_foreach (&edges, struct edge, it) use(it);
 *	vec_release(&edges);
 */
#include <stddef.h>

#define VEC(T)              \
	struct {            \
		T *v;       \
		size_t n;   \
		size_t cap; \
	}

/**
 * vec_push(vec, x):
 * Append ${x} to ${vec}; 0, or -1 if memory runs out, in which case ${vec} is unchanged.
 */
#define vec_push(vec, x) \
	(vec_reserve(vec, (vec)->n + 1) != 0 ? -1 : ((vec)->v[(vec)->n++] = (x), 0))

/**
 * vec_reserve(vec, count):
 * Make room for ${count} elements in all; 0 or -1.
 */
#define vec_reserve(vec, count)                                                  \
	__extension__({                                                          \
		void *vec_p_ =                                                   \
		    vec_grow((vec)->v, &(vec)->cap, (count), sizeof(*(vec)->v)); \
		if (vec_p_ != NULL)                                              \
			(vec)->v = vec_p_;                                       \
		vec_p_ != NULL ? 0 : -1;                                         \
	})

/**
 * vec_release(vec):
 * Free the elements' memory (not what they point to) and make ${vec} empty.
 */
#define vec_release(vec)                   \
	do {                               \
		vec_free((vec)->v);        \
		(vec)->v = NULL;           \
		(vec)->n = (vec)->cap = 0; \
	} while (0)

#define vec_foreach(vec, T, it)                                                         \
	for (__typeof__(T *) it = (vec)->v,                                             \
			     it##_end = (vec)->n != 0 ? (vec)->v + (vec)->n : (vec)->v; \
	     it != it##_end; it++)

/**
 * vec_first(v, n, size, key, cmp):
 * Of ${n} sorted elements of ${size} bytes at ${v}, return the number of the first that does not
 * come before ${key}, ${n} if all do.  ${cmp}(key, element) is as bsearch's.
 */
size_t vec_first(const void *, size_t, size_t, const void *,
		 int (*)(const void *, const void *));

/* What the macros call. */
void *vec_grow(void *, size_t *, size_t, size_t);
void vec_free(void *);

#endif
