#include "store/track/problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void
problems_init(struct problems *p)
{
	*p = (struct problems){0};
	(void)pthread_mutex_init(&p->lock, NULL);
}

void
problems_release(struct problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].path);
		free(p->v[i].text);
	}
	vec_free(p->v);
	p->v = NULL;
	p->n = p->cap = p->count = 0;
	(void)pthread_mutex_destroy(&p->lock);
}

void
problems_add(struct problems *p, const char *path, const struct err *why)
{
	struct problem one = {.code = why->code};

	(void)pthread_mutex_lock(&p->lock);
	p->count++;
	if (p->n < PROBLEMS_KEPT) {
		one.path = strdup(path);
		one.text = strdup(why->msg);
		if (one.path == NULL || one.text == NULL || vec_push(p, one) != 0) {
			free(one.path);
			free(one.text);
		}
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static int
by_path(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void
problems_sort(struct problems *p)
{
	if (p->n > 1)
		qsort(p->v, p->n, sizeof(*p->v), by_path);
}
