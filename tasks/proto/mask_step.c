/*
 * Matching.  Compiled into the shim: no allocation, no stdio.
 */
#include <stdbool.h>
#include <string.h>

#include "tasks/proto/mask.h"
#include "tasks/proto/mask_wire.h"

int
mask_valid(const struct mask *m, size_t size)
{
	size_t nbytes;

	if (size < sizeof(*m) || size > UINT32_MAX || m->magic != MASK_MAGIC ||
	    m->size != size || m->nnodes == 0 ||
	    m->nnodes > (size - sizeof(*m)) / sizeof(m->nodes[0]) || m->bytes > size ||
	    m->bytes < sizeof(*m) + m->nnodes * sizeof(m->nodes[0]))
		return 0;
	nbytes = size - m->bytes;
	for (uint32_t i = 0; i < m->nnodes; i++) {
		const struct mask_node *d = &m->nodes[i];

		if (d->label > nbytes || d->len > nbytes - d->label ||
		    (d->len == 0) != (i == 0))
			return 0;
		/* Children come later, so no walk goes round in a circle. */
		if (d->nchild > 0 && (d->child <= i || d->child > m->nnodes ||
				      d->nchild > m->nnodes - d->child))
			return 0;
	}
	return 1;
}

static const struct mask_node *
child_of(const struct mask *m, const struct mask_node *d, const unsigned char *bytes,
	 unsigned char c)
{
	uint32_t lo = d->child, hi = d->child + d->nchild;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		unsigned char first = bytes[m->nodes[mid].label];

		if (first == c)
			return &m->nodes[mid];
		if (first < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/*
 * Look for the longest form that the ${n} bytes at ${in} begin with.  Return true and its
 * length (0: none); false if more bytes could make a longer one.
 */
static bool
longest(const struct mask *m, const char *in, size_t n, bool eof, size_t *len)
{
	const unsigned char *bytes = (const unsigned char *)m + m->bytes;
	const struct mask_node *d = &m->nodes[0];
	size_t at = 0;

	*len = 0;
	while (d->nchild > 0) {
		size_t part;

		if (at == n)
			return eof;
		if ((d = child_of(m, d, bytes, (unsigned char)in[at])) == NULL)
			return true;
		part = d->len < n - at ? d->len : n - at;
		if (memcmp(bytes + d->label, in + at, part) != 0)
			return true;
		if (part < d->len)
			return eof;
		at += part;
		if (d->end)
			*len = at;
	}
	return true;
}

size_t
mask_step(const struct mask *m, struct mask_stream *s, const char *in, size_t n, int eof,
	  char *out, size_t *nout)
{
	size_t i, o = 0;

	for (i = 0; i < n; i++) {
		size_t len = 0;

		if (n - i >= 2) {
			unsigned pair = (unsigned)(unsigned char)in[i] << 8 |
					(unsigned char)in[i + 1];

			if ((m->pairs[pair / 8] & 1u << pair % 8) != 0 &&
			    !longest(m, in + i, n - i, eof != 0, &len))
				break;
		} else if (!longest(m, in + i, 1, eof != 0, &len)) {
			break;
		}
		if (len > 0 && s->covered == 0) {
			memcpy(out + o, MASK_TEXT, 3);
			o += 3;
		}
		if (len > s->covered)
			s->covered = len;
		if (s->covered > 0)
			s->covered--;
		else
			out[o++] = in[i];
	}
	*nout = o;
	return i;
}
