/*
 * .dvc files: every mistake stands inside the text; what is read is inside of its limits; it
 * is written so that it is read back the same.
 */
#include "fuzz.h"
#include "store/dvc/dvc_file.h"

#define NAME "a.dvc"

static void
check_entries(const struct dvc_out *v, size_t n, bool outs)
{
	CHECK(n <= DVC_ENTRIES_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct dvc_out *o = &v[i];

		CHECK((o->where == DVC_IN_REPO) == (o->full != NULL));
		if (o->full != NULL)
			CHECK(o->full[0] != '/' && strncmp(o->full, "..", 3) != 0 &&
			      strncmp(o->full, "../", 3) != 0);
		CHECK(o->path != NULL || o->where == DVC_NOWHERE);
		CHECK(!outs || o->where == DVC_IN_REPO || !o->cache);
		CHECK(o->meta.size >= -1 && o->meta.nfiles >= -1);
	}
}

static void
write_back(const struct dvc_file *f)
{
	char md5[DVC_MD5_MAX], again[DVC_MD5_MAX];
	struct dvc_file *back;
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (dvc_file_dump(f, &out, &err) == 0) {
		CHECK(dvc_file_stage_md5(f, md5, &err) == 0);
		if (dvc_file_parse(NAME, out.p, out.n, NULL, &back, &err) == 0) {
			CHECK(dvc_out_same(f->outs, f->nouts, back->outs, back->nouts));
			CHECK(dvc_file_stage_md5(back, again, &err) == 0);
			CHECK(strcmp(md5, again) == 0);
		}
		dvc_file_free(back);
	} else {
		CHECK(err.code == ERR_INVALID);
	}
	buf_release(&out);
}

/* From a file it is the same, and what was not changed is not written. */
static void
from_file(const char *text, size_t n, int want)
{
	struct dvc_file *f;
	struct err err;
	bool changed;

	fuzz_put(NAME, text, n);
	CHECK(dvc_file_read(fuzz_dir(), NAME, NULL, &f, &err) == want);
	if (want != 0)
		return;
	if (dvc_file_write(f, fuzz_dir(), &changed, &err) == 0 && changed) {
		dvc_file_free(f);
		CHECK(dvc_file_read(fuzz_dir(), NAME, NULL, &f, &err) == 0);
	}
	dvc_file_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct diag *d = fuzz_need(diag_new());
	struct dvc_file *f;
	struct err err = {0};
	int rc = dvc_file_parse(NAME, text, n, d, &f, &err);

	CHECK((rc == 0) == (diag_errors(d) == 0));
	if (rc == 0) {
		check_entries(f->outs, f->nouts, true);
		check_entries(f->deps, f->ndeps, false);
		write_back(f);
	} else {
		CHECK(err.code == ERR_INVALID && strchr(err.msg, '\n') == NULL);
		fuzz_check_diag(d, text, n);
	}
	if (n % 4 == 0)
		from_file(text, n, rc);
	diag_free(d);
	dvc_file_free(f);
	free(text);
	return 0;
}
