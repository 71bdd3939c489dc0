/*
 * The owner's side of masking: the forms of each secret and the tree over them.
 */
#include "tasks/proto/mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "tasks/proto/mask_wire.h"
#include "tasks/proto/shim_spec.h"

/* Plain; for two alphabets each: alone, alone with padding, three alignments. */
#define FORMS	  (1 + 2 * 5)
#define FORMS_MAX (FORMS * MASK_SECRETS_MAX)

struct form {
	const unsigned char *p;
	size_t n;
};

int
mask_check(const char *p, size_t n, struct err *err)
{
	(void)p;
	if (n < MASK_SECRET_MIN)
		return err_set(
		    err, ERR_LIMIT,
		    "a secret of %zu bytes cannot be masked: it needs at least "
		    "%d, or it would blot out ordinary text",
		    n, MASK_SECRET_MIN);
	if (n > MASK_SECRET_MAX)
		return err_set(err, ERR_LIMIT,
			       "a secret of %zu bytes cannot be masked: at most %d are "
			       "allowed; keep it in a file and pass its path",
			       n, MASK_SECRET_MAX);
	return 0;
}

/*
 * Write the base64 characters of ${n} bytes that lie ${shift} bytes behind the border of a
 * triple.  Only characters made of nothing but these bytes are written; with ${alone} the
 * encoding ends behind them, so the last one is filled up with zero bits.
 */
static size_t
base64(const unsigned char *p, size_t n, size_t shift, bool url, bool alone,
       unsigned char *out)
{
	static const char std_set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t first = (shift * 8 + 5) / 6, end = (shift + n) * 8, o = 0;

	for (size_t c = first; alone ? c * 6 < end : c * 6 + 6 <= end; c++) {
		unsigned v = 0;

		for (size_t bit = c * 6 - shift * 8, i = 0; i < 6; bit++, i++)
			v = v << 1 |
			    (bit / 8 < n ? (unsigned)p[bit / 8] >> (7 - bit % 8) & 1u
					 : 0u);
		out[o++] = url && v == 62   ? '-'
			   : url && v == 63 ? '_'
					    : (unsigned char)std_set[v];
	}
	return o;
}

/* All forms of one secret, into ${pool}; return how many. */
static size_t
forms_of(const struct shim_secret *s, struct form *f, unsigned char **pool)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t n = 0, len;

	memcpy(*pool, p, s->n);
	f[n++] = (struct form){*pool, s->n};
	*pool += s->n;
	for (int url = 0; url < 2; url++) {
		for (size_t shift = 0; shift < 3; shift++) {
			len = base64(p, s->n, shift, url != 0, false, *pool);
			f[n++] = (struct form){*pool, len};
			*pool += len;
		}
		len = base64(p, s->n, 0, url != 0, true, *pool);
		f[n++] = (struct form){*pool, len};
		/* With its padding it is the same bytes and some more. */
		for (size_t i = len; i % 4 != 0; i++)
			(*pool)[i] = '=';
		f[n++] = (struct form){*pool, (len + 3) / 4 * 4};
		*pool += (len + 3) / 4 * 4;
	}
	return n;
}

static int
by_bytes(const void *a, const void *b)
{
	const struct form *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

/* Sort and drop equal ones; return how many are left. */
static size_t
sort_unique(struct form *f, size_t n)
{
	size_t out = 0;

	qsort(f, n, sizeof(*f), by_bytes);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || by_bytes(&f[out - 1], &f[i]) != 0)
			f[out++] = f[i];
	return out;
}

static size_t
common(const struct form *a, const struct form *b)
{
	size_t i = 0;

	while (i < a->n && i < b->n && a->p[i] == b->p[i])
		i++;
	return i;
}

/* The forms of which a node is the common start, and how long that start is. */
struct range {
	size_t lo, hi, depth;
};

/*
 * Build the tree over the sorted forms, breadth first, labels pointing into the pool at
 * ${base}.  A tree over N words has fewer than 2 N nodes.
 */
static void
build(struct mask *m, const struct form *f, size_t n, const unsigned char *base,
      struct range *r)
{
	m->nnodes = 1;
	r[0] = (struct range){0, n, 0};
	for (uint32_t i = 0; i < m->nnodes; i++) {
		struct mask_node *d = &m->nodes[i];
		size_t lo = r[i].lo, depth = r[i].depth;

		if (f[lo].n == depth) {
			d->end = 1;
			lo++;
		}
		d->child = m->nnodes;
		while (lo < r[i].hi) {
			size_t hi = lo + 1, deep;

			while (hi < r[i].hi && f[hi].p[depth] == f[lo].p[depth])
				hi++;
			deep = common(&f[lo], &f[hi - 1]);
			r[m->nnodes] = (struct range){lo, hi, deep};
			m->nodes[m->nnodes] = (struct mask_node){
			    .label = (uint32_t)(f[lo].p + depth - base),
			    .len = (uint32_t)(deep - depth),
			};
			m->nnodes++;
			d->nchild++;
			lo = hi;
		}
	}
}

static struct mask *
mask_of(const struct form *f, size_t n, const unsigned char *pool, size_t npool,
	size_t *size)
{
	size_t max = 2 * n + 1,
	       bytes = sizeof(struct mask) + max * sizeof(struct mask_node);
	struct range *r = calloc(max, sizeof(*r));
	struct mask *m = NULL;

	*size = (bytes + npool + 7) & ~(size_t)7;
	if (r != NULL && (m = calloc(1, *size)) != NULL) {
		m->magic = MASK_MAGIC;
		m->size = (uint32_t)*size;
		m->bytes = (uint32_t)bytes;
		memcpy((char *)m + bytes, pool, npool);
		build(m, f, n, pool, r);
		for (size_t i = 0; i < n; i++) {
			unsigned pair = (unsigned)f[i].p[0] << 8 | f[i].p[1];

			m->pairs[pair / 8] |= (uint8_t)(1u << pair % 8);
		}
	}
	free(r);
	return m;
}

struct mask *
mask_new(const struct shim_secret *s, size_t n, size_t *size, struct err *err)
{
	size_t cap = 0, nforms = 0;
	unsigned char *pool, *at;
	struct form *f;
	struct mask *m = NULL;

	if (n == 0 || n > MASK_SECRETS_MAX) {
		(void)err_set(err, ERR_LIMIT,
			      "1 to %d secrets can be masked together, not %zu",
			      MASK_SECRETS_MAX, n);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (mask_check(s[i].p, s[i].n, err) != 0)
			return NULL;
		cap += s[i].n + 2 * 4 * (s[i].n / 3 * 4 + 8);
	}
	pool = at = malloc(cap);
	f = calloc(FORMS_MAX, sizeof(*f));
	if (pool != NULL && f != NULL) {
		for (size_t i = 0; i < n; i++)
			nforms += forms_of(&s[i], f + nforms, &at);
		nforms = sort_unique(f, nforms);
		m = mask_of(f, nforms, pool, (size_t)(at - pool), size);
	}
	if (m == NULL)
		(void)err_nomem(err);
	if (pool != NULL)
		explicit_bzero(pool, cap);
	free(pool);
	free(f);
	return m;
}

void
mask_free(struct mask *m, size_t size)
{
	if (m != NULL)
		explicit_bzero(m, size);
	free(m);
}

void
mask_apply(const struct mask *m, const char *p, size_t n, struct buf *out)
{
	struct mask_stream s = {0};
	char *to;
	size_t len = 0;

	if (m == NULL) {
		buf_add(out, p, n);
		return;
	}
	if ((to = buf_reserve(out, MASK_OUT_MAX(n))) == NULL)
		return;
	(void)mask_step(m, &s, p, n, 1, to, &len); /* at the end all is used up */
	buf_commit(out, len);
}
