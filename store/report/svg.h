#ifndef DAG_STORE_REPORT_SVG_H
#define DAG_STORE_REPORT_SVG_H
/* Text and numbers as HTML and the SVG in it take them. */
#include <stddef.h>
#include <stdint.h>

struct buf;

#define SVG_CHAR_WIDTH 6.6 /* of a character of 11.5 units, at most, as a rule */

/**
 * svg_text(b, text), svg_text_cut(b, text, max):
 * Append ${text} for an element or an attribute in double quotes, whatever is in it: markup
 * is escaped; control characters, those that turn the direction of text, and what is no UTF-8
 * are U+FFFD.  The second one cuts it to ${max} (at least 1) characters, an ellipsis in their middle.
 */
void svg_text(struct buf *, const char *);
void svg_text_cut(struct buf *, const char *, size_t);

/**
 * svg_length(text):
 * Return how many characters that are.
 */
size_t svg_length(const char *);

/**
 * svg_number(b, v):
 * Append a coordinate with at most one digit behind the point.
 */
void svg_number(struct buf *, double);

/**
 * svg_label(b, class, anchor, x, y, text, max), svg_label_up(b, x, y, text, max):
 * Append ${text}, cut to ${max} characters, as a <text> of that class at ${x}, ${y}, where its ${anchor}
 * is ("start", "middle", "end"); as the label (class l) of an axis that goes upwards, with its
 * middle there.
 */
void svg_label(struct buf *, const char *, const char *, double, double, const char *,
	       size_t);
void svg_label_up(struct buf *, double, double, const char *, size_t);

/**
 * svg_done(b, part):
 * Free the text ${part}, of which something in ${b} was made: what memory ran out for there is
 * not whole here either.
 */
void svg_done(struct buf *, struct buf *);

/**
 * svg_base64(b, p, n):
 * Append ${n} bytes as base64.
 */
void svg_base64(struct buf *, const char *, size_t);

#endif
