#ifndef DAG_STORE_REPORT_PLOTS_STYLE_H
#define DAG_STORE_REPORT_PLOTS_STYLE_H
/* What the page of plots looks like: its head, colours for light and dark, the begin of its body. */

struct buf;

enum plots_look {
	LOOK_LINES,
	LOOK_SCATTER,
	LOOK_BARS,
	LOOK_BARS_SORTED,
	LOOK_MATRIX,
	LOOK_SHARES
};

/**
 * plots_style(b):
 * Append the page up to its first element.
 */
void plots_style(struct buf *);

/**
 * plots_look(template):
 * Return how a template is drawn; what is not known, and NULL, as lines.
 */
enum plots_look plots_look(const char *);

#endif
