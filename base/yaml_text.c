/*
 * The bytes of a YAML file: encoding, lines, places.
 */
#include <string.h>

#include "base/utf8.h"
#include "base/yaml_impl.h"

#define STEP 64

static struct diag_pos
pos_of(int file, struct yaml_place at)
{
	return (struct diag_pos){file, at.line, at.col, 1};
}

/* What libyaml would refuse to read, and bidirectional marks are none of its business. */
static bool
allowed(uint32_t cp)
{
	if (cp < 0x20)
		return cp == '\t' || cp == '\n' || cp == '\r';
	return cp != 0x7f && !(cp > 0x7f && cp < 0xa0 && cp != 0x85) && cp != 0xfeff &&
	       cp != 0xfffe && cp != 0xffff;
}

static void
bad_byte(struct diag *d, struct diag_pos pos, const char *p, size_t n)
{
	unsigned c = (unsigned char)*p;

	/* Typical of Latin-1: one high letter between plain ones. */
	if (c >= 0xa0 && (n < 2 || (unsigned char)p[1] < 0x80)) {
		diag_add(
		    d, DIAG_ERROR, pos,
		    "the file is not UTF-8: byte 0x%02x here would be '%c%c' in Latin-1",
		    c, (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)));
		diag_hint(d, "save the file as UTF-8: iconv -f latin1 -t utf-8");
	} else {
		diag_add(d, DIAG_ERROR, pos,
			 "the file is not UTF-8: byte 0x%02x is out of place", c);
		diag_hint(d, "save the file as UTF-8");
	}
}

static void
bad_character(struct diag *d, struct diag_pos pos, uint32_t cp)
{
	if (cp == 0) {
		diag_add(d, DIAG_ERROR, pos,
			 "there is a NUL byte here: this is no text file");
		diag_hint(d, "if it is UTF-16, save it as UTF-8");
	} else if (cp == 0xfeff) {
		diag_add(d, DIAG_ERROR, pos,
			 "there is a byte order mark (U+FEFF) inside the file");
		diag_hint(d, "delete it; your editor may show nothing at all here");
	} else {
		diag_add(d, DIAG_ERROR, pos,
			 "the control character 0x%02x cannot stand here", (unsigned)cp);
		diag_hint(d, "inside \"double quotes\" it is written \\x%02x",
			  (unsigned)cp);
	}
}

/* A byte order mark, which is skipped, or one of an encoding that is not read. */
static int
check_mark(struct yaml_text *t, struct diag *d, int file)
{
	static const struct {
		const char *mark;
		size_t n;
		const char *name;
	} marks[] = {{"\xff\xfe\0\0", 4, "UTF-32"},
		     {"\0\0\xfe\xff", 4, "UTF-32"},
		     {"\xff\xfe", 2, "UTF-16"},
		     {"\xfe\xff", 2, "UTF-16"}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (t->n >= marks[i].n && memcmp(t->p, marks[i].mark, marks[i].n) == 0) {
			diag_add(d, DIAG_ERROR, (struct diag_pos){file, 0, 0, 0},
				 "the file is %s; only UTF-8 is read", marks[i].name);
			diag_hint(d, "save it as UTF-8: iconv -f %s -t utf-8",
				  marks[i].name);
			return -1;
		}
	}
	if (t->n >= 3 && memcmp(t->p, "\xef\xbb\xbf", 3) == 0) {
		t->bom = 3;
		t->p += 3;
		t->n -= 3;
	}
	return 0;
}

static int
nomem(struct diag *d, int file)
{
	diag_add(d, DIAG_ERROR, (struct diag_pos){file, 0, 0, 0}, "out of memory");
	return -1;
}

/* Whether the text has nothing but plain ASCII and \n: then characters are bytes. */
static bool
is_plain_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)p[i] < 0x20 && p[i] != '\n' && p[i] != '\t') ||
		    (unsigned char)p[i] >= 0x7f)
			return false;
	return true;
}

static int
index_ascii(struct yaml_text *t, struct diag *d, int file)
{
	const char *p = t->p, *end = t->p + t->n;

	t->ascii = true;
	if (vec_push(&t->lines, 0u) != 0)
		return nomem(d, file);
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if (vec_push(&t->lines, (uint32_t)(p - t->p)) != 0)
			return nomem(d, file);
	}
	return 0;
}

/* Note every line's first character and the offset of every STEP-th character; stop at the
 * first thing that cannot be read. */
static int
index_text(struct yaml_text *t, struct diag *d, int file)
{
	size_t off = 0, index = 0, eol;
	uint32_t cp;
	int len;

	if (vec_push(&t->lines, 0u) != 0)
		return nomem(d, file);
	while (off < t->n) {
		if (index % STEP == 0 && vec_push(&t->steps, (uint32_t)off) != 0)
			return nomem(d, file);
		cp = (unsigned char)t->p[off];
		len = cp >= 0x20 && cp < 0x7f ? 1
					      : utf8_decode(t->p + off, t->n - off, &cp);
		if (len < 0 || !allowed(cp)) {
			struct diag_pos pos = pos_of(file, yaml_text_place(t, index));

			if (len < 0)
				bad_byte(d, pos, t->p + off, t->n - off);
			else
				bad_character(d, pos, cp);
			return -1;
		}
		eol = diag_line_break(t->p + off, t->n - off);
		off += (size_t)len;
		index++;
		/* The \n of a \r\n is a character too; the line begins behind it. */
		if (eol == 1 && vec_push(&t->lines, (uint32_t)index) != 0)
			return nomem(d, file);
	}
	return 0;
}

int
yaml_text_init(struct yaml_text *t, struct diag *d, int file, const char *text,
	       size_t len)
{
	*t = (struct yaml_text){.p = text, .n = len};
	if (len > YAML_BYTES_MAX) {
		diag_add(d, DIAG_ERROR, (struct diag_pos){file, 0, 0, 0},
			 "the file has %zu bytes; at most %zu MiB are read", len,
			 YAML_BYTES_MAX >> 20);
		return -1;
	}
	if (check_mark(t, d, file) != 0)
		return -1;
	return is_plain_ascii(t->p, t->n) ? index_ascii(t, d, file)
					  : index_text(t, d, file);
}

void
yaml_text_release(struct yaml_text *t)
{
	vec_release(&t->lines);
	vec_release(&t->steps);
}

/* The line that holds a character.  Questions come mostly in the order of the file, so the
 * line of the last answer and the one behind it are looked at first. */
static size_t
line_of(const struct yaml_text *t, size_t index)
{
	size_t low = t->hint, high, mid;

	for (int i = 0; i < 2 && low < t->lines.n && t->lines.v[low] <= index; i++, low++)
		if (low + 1 == t->lines.n || t->lines.v[low + 1] > index)
			return low;
	for (low = 0, high = t->lines.n; high - low > 1;) {
		mid = low + (high - low) / 2;
		if (t->lines.v[mid] <= index)
			low = mid;
		else
			high = mid;
	}
	return low;
}

struct yaml_place
yaml_text_place(struct yaml_text *t, size_t index)
{
	struct yaml_place at = {0};
	size_t i;

	/* Offset: from the nearest step on, over continuation bytes. */
	if (t->ascii || t->steps.n == 0)
		at.off = index < t->n ? index : t->n;
	else {
		i = index / STEP < t->steps.n ? index / STEP : t->steps.n - 1;
		at.off = t->steps.v[i];
		for (i *= STEP; i < index && at.off < t->n; i++)
			do
				at.off++;
			while (at.off < t->n &&
			       ((unsigned char)t->p[at.off] & 0xc0) == 0x80);
	}
	t->hint = line_of(t, index);
	at.line = (uint32_t)t->hint + 1;
	at.col = (uint32_t)(index - t->lines.v[t->hint]) + 1;
	return at;
}

uint32_t
yaml_text_width(const struct yaml_text *t, size_t from, size_t to)
{
	uint32_t width = 0, trimmed = 0;
	size_t i;

	for (i = from; i < to && i < t->n && diag_line_break(t->p + i, t->n - i) == 0;
	     i++) {
		if (((unsigned char)t->p[i] & 0xc0) == 0x80)
			continue;
		width++;
		if (t->p[i] != ' ' && t->p[i] != '\t')
			trimmed = width;
	}
	return trimmed > 0 ? trimmed : 1;
}
