/*
 * Replays cases of YAML round trips: each is a text, what it is to hold afterwards, and what
 * DVC's own writer made of it.  Usage: yaml_replay [-s] [-v] FILE...
 * With -s what is refused must be said to be; with -v it is named.
 *
 *	case NAME
 *	text BYTES            the file as it was
 *	want BYTES            what it is to hold, as JSON; "keep 0": it is only written back;
 *	                      "file BYTES": it is the .dvc file of that name, on the first
 *	                      line; each other says "INDEX MD5 SIZE NFILES ISEXEC" of an out.
 *	                      Behind its text stands "# MD5" of the stage
 *	out BYTES             the file as DVC writes it; "fail 0": DVC fails; "no BYTES": we
 *	                      refuse it with these words
 *
 * The bytes follow each line, with a newline behind them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/yaml.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/yaml_doc.h"

#define FILE_MAX ((size_t)256 << 20)

struct part {
	char word[16];
	const char *p;
	size_t n;
};

struct totals {
	unsigned same, refused, failed;
	bool verbose, strict;
};

/* One line "WORD BYTES" with its bytes; false at the end or where the file is no such file. */
static bool
next_part(const char **at, const char *end, struct part *part)
{
	const char *p = *at;
	size_t n = 0;

	*part = (struct part){0};
	while (p < end && *p != ' ' && n + 1 < sizeof part->word)
		part->word[n++] = *p++;
	if (p == end || *p != ' ')
		return false;
	for (p++; p < end && *p >= '0' && *p <= '9'; p++)
		part->n = part->n * 10 + (size_t)(*p - '0');
	if (p == end || *p != '\n' || part->n >= (size_t)(end - p - 1))
		return false;
	part->p = p + 1;
	*at = p + 1 + part->n + 1;
	return true;
}

static int
apply(struct yaml_doc *doc, const struct part *want, struct err *err)
{
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *top;
	char *text = a != NULL ? arena_strndup(a, want->p, want->n) : NULL;
	int rc = -1;

	if (text == NULL || d == NULL)
		err_nomem(err);
	else if (yaml_parse(a, d, diag_file(d, "want", text, want->n), text, want->n,
			    &top) != 0)
		err_set(err, ERR_INVALID, "the case's own JSON is bad");
	else
		rc = yaml_doc_apply(doc, yaml_val_from(doc, top), err);
	diag_free(d);
	arena_free(a);
	return rc;
}

/* "INDEX MD5 SIZE NFILES ISEXEC" */
static int
set_out(struct dvc_file *f, const char *line, struct err *err)
{
	struct object_id id;
	char hex[64];
	long long size, nfiles;
	unsigned i;
	int isexec;

	if (sscanf(line, "%u %63s %lld %lld %d", &i, hex, &size, &nfiles, &isexec) != 5 ||
	    i >= f->nouts || object_id_parse(hex, false, &id) != 0)
		return err_set(err, ERR_INVALID, "BUG: a bad line of the case: %s", line);
	dvc_out_set_object(&f->outs[i], &id, size, nfiles, isexec != 0);
	return 0;
}

static int
run_file(const struct part *text, const struct part *what, struct buf *out,
	 struct err *err)
{
	char *lines = strndup(what->p, what->n), *line, *rest = lines;
	struct dvc_file *f = NULL;
	char md5[DVC_MD5_MAX];
	int rc;

	line = strsep(&rest, "\n");
	rc = dvc_file_parse(line, text->p, text->n, NULL, &f, err);
	while (rc == 0 && (line = strsep(&rest, "\n")) != NULL)
		rc = set_out(f, line, err);
	if (rc == 0)
		rc = dvc_file_dump(f, out, err);
	if (rc == 0)
		rc = dvc_file_stage_md5(f, md5, err);
	if (rc == 0)
		buf_addf(out, "# %s\n", md5);
	dvc_file_free(f);
	free(lines);
	return rc;
}

static int
run(const struct part *text, const struct part *want, struct buf *out, struct err *err)
{
	struct yaml_doc *doc;
	int rc;

	if (strcmp(want->word, "file") == 0)
		return run_file(text, want, out, err);
	if (yaml_doc_parse("f", text->p, text->n, &doc, err) != 0)
		return -1;
	rc = strcmp(want->word, "want") == 0 ? apply(doc, want, err) : 0;
	if (rc == 0)
		rc = yaml_doc_dump(doc, out, err);
	/* A second time: nothing of the first may be left behind. */
	if (rc == 0) {
		struct buf again;

		buf_init(&again, 0);
		rc = yaml_doc_dump(doc, &again, err);
		if (rc == 0 &&
		    (again.n != out->n || memcmp(again.p, out->p, out->n) != 0))
			rc = err_set(err, ERR_INVALID, "BUG: written twice, it differs");
		buf_release(&again);
	}
	yaml_doc_free(doc);
	return rc;
}

static void
show(const char *what, const char *p, size_t n)
{
	printf("--- %s\n%.*s", what, (int)n, p);
	if (n == 0 || p[n - 1] != '\n')
		printf("\\ no newline\n");
}

static void
one(struct totals *t, const char *name, const struct part *text, const struct part *want,
    const struct part *out)
{
	struct buf made;
	struct err err = {0};
	bool ok = false;
	int rc;

	buf_init(&made, 0);
	rc = run(text, want, &made, &err);
	if (rc != 0 && strncmp(err.msg, "BUG", 3) != 0) {
		t->refused++;
		if (t->verbose)
			printf("refused %s (%s): %s\n", name, out->word, err.msg);
		if (strcmp(out->word, "no") == 0)
			ok = strlen(err.msg) == out->n &&
			     memcmp(err.msg, out->p, out->n) == 0;
		else
			ok = !t->strict || strcmp(out->word, "fail") == 0;
	} else if (rc == 0 && strcmp(out->word, "out") == 0) {
		ok = made.n == out->n && memcmp(made.p, out->p, out->n) == 0;
		t->same += ok;
	} else if (rc == 0 && strcmp(out->word, "fail") == 0) {
		ok = true;
	}
	if (!ok) {
		t->failed++;
		printf("not ok: %s %s\n", name, err.msg);
		show("text", text->p, text->n);
		show("want", want->p, want->n);
		show(out->word, out->p, out->n);
		show("ours", made.p, made.n);
	}
	buf_release(&made);
}

static int
replay(struct totals *t, const char *path)
{
	const char *at, *end;
	struct buf file;
	struct err err;
	int rc = 0;

	buf_init(&file, FILE_MAX);
	if (fsio_read(-100, path, FILE_MAX, &file, &err) != 0) {
		fprintf(stderr, "%s\n", err.msg);
		buf_release(&file);
		return -1;
	}
	at = file.p;
	end = file.p + file.n;
	while (at < end && rc == 0) {
		struct part name, text, want, out;

		if (!next_part(&at, end, &name) || !next_part(&at, end, &text) ||
		    !next_part(&at, end, &want) || !next_part(&at, end, &out)) {
			fprintf(stderr, "%s: no case at byte %zu\n", path,
				(size_t)(at - file.p));
			rc = -1;
		} else {
			char label[64];

			snprintf(label, sizeof label, "%.*s", (int)name.n, name.p);
			one(t, label, &text, &want, &out);
		}
	}
	buf_release(&file);
	return rc;
}

int
main(int argc, char **argv)
{
	struct totals t = {0};
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			t.verbose = true;
		else if (strcmp(argv[i], "-s") == 0)
			t.strict = true;
		else if (replay(&t, argv[i]) != 0)
			rc = 2;
	}
	printf("%u the same, %u refused, %u wrong\n", t.same, t.refused, t.failed);
	if (rc == 0 && t.same == 0)
		rc = 2;
	return t.failed != 0 ? 1 : rc;
}
