#ifndef DAG_FIXTURE_H
#define DAG_FIXTURE_H
/*
 * A DAG from a text in the test; the text must be right.
 */
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "scheduler/dag.h"

static struct dag *
fixture_dag(const char *text)
{
	struct diag *d = diag_new();
	struct dag *g = NULL;
	struct buf b;
	int file = diag_file(d, "t.yaml", text, strlen(text));

	if (dag_load(d, file, "t.yaml", text, strlen(text), NULL, &g) != 0) {
		buf_init(&b, 0);
		diag_print(d, &b, false, 0);
		print_error("%s", b.p);
		buf_release(&b);
	}
	diag_free(d);
	assert_non_null(g);
	return g;
}

#endif
