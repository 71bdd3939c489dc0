#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

#define WORD_MAX 128 /* longer words are compared by nobody's eye */
#define STEP	 2u  /* one edit; a difference of case alone costs half */

void
suggest_start(struct suggest *s, const char *word)
{
	s->word = word;
	s->best = NULL;
	s->best_distance = 0;
}

static unsigned
lower(char c)
{
	unsigned u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? u - 'A' + 'a' : u;
}

/* What it costs to read a as b. */
static unsigned
change(char a, char b)
{
	return a == b ? 0 : lower(a) == lower(b) ? STEP / 2 : STEP;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * The edit distance of a and b with swaps of neighbours (optimal string alignment), in
 * steps; anything above max may be returned as max + 1.
 */
static unsigned
distance(const char *a, size_t na, const char *b, size_t nb, unsigned max)
{
	unsigned rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1],
					*row = rows[2];
	size_t i, j;

	for (j = 0; j <= nb; j++)
		last[j] = (unsigned)j * STEP;
	memcpy(before, last, (nb + 1) * sizeof(*last));
	for (i = 1; i <= na; i++) {
		unsigned least = row[0] = (unsigned)i * STEP, *old = before;

		for (j = 1; j <= nb; j++) {
			row[j] = min3(last[j] + STEP, row[j - 1] + STEP,
				      last[j - 1] + change(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && row[j] > before[j - 2] + STEP)
				row[j] = before[j - 2] + STEP;
			least = row[j] < least ? row[j] : least;
		}
		/* No row gets below the least of one before; nor does a swap, which costs
		 * as much as going there by the row between. */
		if (least > max)
			return max + 1;
		before = last;
		last = row;
		row = old;
	}
	return last[nb];
}

static bool
same_but_case(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

void
suggest_try(struct suggest *s, const char *candidate)
{
	size_t na = strnlen(s->word, WORD_MAX + 1), nb = strnlen(candidate, WORD_MAX + 1),
	       longer = na > nb ? na : nb, shorter = na > nb ? nb : na;
	unsigned limit, d;

	if (longer > WORD_MAX || shorter == 0)
		return;
	limit = (unsigned)(longer >= 3 ? longer * STEP / 3 : STEP);
	if (s->best != NULL && s->best_distance <= limit) {
		if (s->best_distance == 0)
			return; /* the word itself */
		limit = s->best_distance - 1;
	}
	if ((longer - shorter) * STEP > limit)
		return;
	d = same_but_case(s->word, candidate)
		? STEP / 2
		: distance(s->word, na, candidate, nb, limit);
	/* A word with nothing left of it is not near. */
	if (d <= limit && d < longer * STEP) {
		s->best = candidate;
		s->best_distance = d;
	}
}

const char *
suggest_best(const struct suggest *s)
{
	return s->best;
}
