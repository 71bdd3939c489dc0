#ifndef DAG_STORE_REPORT_PLOTS_PAGE_H
#define DAG_STORE_REPORT_PLOTS_PAGE_H
/* Plots as one HTML page that needs nothing else: no script, no network, no other file. */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct plot;
struct plots;

#define PLOTS_PAGE_MAX ((size_t)256 << 20)

/**
 * plots_page(p, b, err):
 * Append the page to ${b}.  Return 0 or -1.
 */
int plots_page(struct plots *, struct buf *, struct err *);

/**
 * plots_template_known(name):
 * Return whether it is a way of drawing that there is; others are drawn as lines.
 */
bool plots_template_known(const char *);

#endif
