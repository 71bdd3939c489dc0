#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>

void *
vec_grow(void *v, size_t *cap, size_t need, size_t size)
{
	size_t ncap = *cap != 0 ? *cap : 8;
	void *p;

	if (need <= *cap)
		return v != NULL ? v : malloc(1);
	while (ncap < need) {
		if (ncap > SIZE_MAX / 2)
			return NULL;
		ncap *= 2;
	}
	if (ncap > SIZE_MAX / size || (p = realloc(v, ncap * size)) == NULL)
		return NULL;
	*cap = ncap;
	return p;
}

void
vec_free(void *v)
{
	free(v);
}

size_t
vec_first(const void *v, size_t n, size_t size, const void *key,
	  int (*cmp)(const void *, const void *))
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (cmp(key, (const char *)v + mid * size) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
