/*
 * Make a table of comments such as people leave on talk pages, always the same one for the
 * same numbers:
 *
 *	make_comments ROWS SEED >FILE
 *
 * Columns comment_text and labels (1: rude, about every tenth).  As in the real ones there are
 * quotes, commas and newlines inside of texts, several scripts, emoji, combining marks, white
 * space of all kinds, texts that occur twice and texts that are empty.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX 100000000
#define TEXT_MAX 16384
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const openings[] = {
    "I think",		 "As far as I can see,", "Hello!",	  "Thank you for this:",
    "Sorry, but",	 "Just a question:",	 "Well,",	  "For the record,",
    "After a long walk", "\"Quote\":",		 "Re: your edit", "By the way,",
};
static const char *const subjects[] = {
    "the section on lighthouses",
    "your last edit",
    "the map of the harbour",
    "this table",
    "the second source",
    "the picture of the owl",
    "the title",
    "my own paragraph",
    "the list of bridges",
    "the date, 3 May 1871,",
    "the caption",
    "the word \"estuary\"",
};
static const char *const verbs[] = {
    "needs",	  "would profit from", "has",	   "lacks",
    "is without", "deserves",	       "repeats",  "asks for",
    "came with",  "can do without",    "mentions", "was moved because of",
};
static const char *const objects[] = {
    "a better reference",
    "two commas, a dash and a semicolon",
    "an older edition",
    "\"citation needed\"",
    "a kinder tone",
    "one more example",
    "the spelling of the North",
    "a second look",
    "a link to the archive",
    "what the talk page says",
    "fewer adjectives",
    "a photograph",
};
static const char *const rude[] = {
    "Only a turnip would write such a thing, you turnip!",
    "You are about as helpful as a chocolate teapot.",
    "Go and count pebbles, and leave this page alone!!!",
    "What a soggy, wobbly, half-baked pudding of an edit.",
    "Your arguments smell of wet socks.",
};
static const char *const foreign[] = {
    "Grüße aus Köln, schöne Arbeit.",
    "Cafe\xcc\x81 et the\xcc\x81, s'il vous plai\xcc\x82t.", /* combining marks */
    "Спасибо, очень интересно!",
    "これは良い記事です。",
    "شكرا جزيلا",
    "Ευχαριστώ πολύ",
    "Bravo \xf0\x9f\x91\x8f\xf0\x9f\x8f\xbd!",			  /* with a skin tone */
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac has it right.", /* joined by U+200D */
    "See you \xf0\x9f\x98\x80\xf0\x9f\xa6\x89",
};
static const char *const gaps[] = {
    "\n", "\n\n", "  ", "\t", "\xc2\xa0", "\xe3\x80\x80", " \n ", "\r\n",
};
static const char *const blanks[] = {
    " ", " ", " ", " ", " ", " ", " ", " ", " ", " ", " ", " ", " ", " ", "  ", "\n",
};
static const char *const nothing[] = {"", " ", "\n", " \t ", "\xc2\xa0"};

/* SplitMix64: the next number of the sequence that ${state} stands in. */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Whether something that happens ${percent} times in a hundred happens. */
static bool
chance(uint64_t *state, unsigned percent)
{
	return next(state) % 100 < percent;
}

#define ANY(state, list) ((list)[next(state) % COUNT(list)])

struct text {
	char s[TEXT_MAX];
	size_t n;
};

/* Append; what does not fit is left out whole, so that no character is cut. */
static void
add(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (n > sizeof(t->s) - t->n)
		return;
	memcpy(t->s + t->n, s, n);
	t->n += n;
}

static void
sentence(struct text *t, uint64_t *state)
{
	/* One statement each: the order of evaluation within one is the compiler's choice. */
	add(t, ANY(state, openings));
	add(t, ANY(state, blanks));
	add(t, ANY(state, subjects));
	add(t, ANY(state, blanks));
	add(t, ANY(state, verbs));
	add(t, " ");
	add(t, ANY(state, objects));
	add(t, chance(state, 20) ? "?" : ".");
}

/* The text number ${row}, which depends on nothing but the two numbers. */
static void
compose(struct text *t, uint64_t seed, uint64_t row, bool *toxic)
{
	uint64_t state = seed * UINT64_C(0x100000001b3) + row * UINT64_C(0x9e3779b1);
	unsigned sentences = 1 + (unsigned)(next(&state) % 4);

	t->n = 0;
	*toxic = chance(&state, 10);
	if (chance(&state, 2)) {
		add(t, ANY(&state, nothing));
		return;
	}
	if (chance(&state, 3))
		sentences *= 25; /* somebody has much to say */
	if (chance(&state, 4))
		add(t, ANY(&state, gaps));
	for (unsigned i = 0; i < sentences; i++) {
		if (i > 0)
			add(t, chance(&state, 15) ? ANY(&state, gaps) : " ");
		sentence(t, &state);
	}
	if (*toxic) {
		add(t, " ");
		add(t, ANY(&state, rude));
	}
	if (chance(&state, 12)) {
		add(t, " ");
		add(t, ANY(&state, foreign));
	}
	if (chance(&state, 30)) {
		char sign[32];
		unsigned minute = (unsigned)(next(&state) % (24 * 60));

		(void)snprintf(sign, sizeof(sign), " (talk) %02u:%02u", minute / 60,
			       minute % 60);
		add(t, sign);
	}
	if (chance(&state, 4))
		add(t, ANY(&state, gaps));
}

/* One row of CSV.  Quotes only where they are needed, as most programs write it. */
static void
put_row(const struct text *t, bool toxic, FILE *out)
{
	bool quoted = t->n == 0;

	for (size_t i = 0; i < t->n && !quoted; i++)
		quoted = strchr("\",\r\n", t->s[i]) != NULL;
	if (!quoted) {
		(void)fwrite(t->s, 1, t->n, out);
	} else {
		(void)putc('"', out);
		for (size_t i = 0; i < t->n; i++) {
			if (t->s[i] == '"')
				(void)putc('"', out);
			(void)putc(t->s[i], out);
		}
		(void)putc('"', out);
	}
	(void)fputs(toxic ? ",1\n" : ",0\n", out);
}

static bool
number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || v > max / 10)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*out = v;
	return v <= max;
}

int
main(int argc, char **argv)
{
	static struct text t;
	uint64_t rows, seed;
	bool toxic;

	if (argc != 3 || !number(argv[1], ROWS_MAX, &rows) ||
	    !number(argv[2], UINT32_MAX, &seed)) {
		(void)fprintf(stderr,
			      "usage: make_comments ROWS SEED\n"
			      "ROWS up to %d, SEED up to %" PRIu32 "\n",
			      ROWS_MAX, UINT32_MAX);
		return 2;
	}
	(void)puts("comment_text,labels");
	for (uint64_t row = 0; row < rows; row++) {
		uint64_t state = (seed << 32) ^ row ^ UINT64_C(0x5eed);
		uint64_t source = row;

		/* Now and then somebody says again what was said before. */
		if (row > 0 && chance(&state, 3))
			source = next(&state) % row;
		compose(&t, seed, source, &toxic);
		if (source != row && chance(&state, 50))
			add(&t, " ");
		put_row(&t, toxic, stdout);
	}
	/* The stream remembers whether any of the writes above failed. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("make_comments: standard output");
		return 1;
	}
	return 0;
}
