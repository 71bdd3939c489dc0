/*
 * dvc.lock, and a dvc.yaml behind a line "%%%": mistakes stand inside the texts; written
 * anew, all stages are read back.
 */
#include "fuzz.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"

#define BORDER "\n%%%\n"

static void
write_back(struct dvc_lock *lock)
{
	struct dvc_lock *back;
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	for (size_t i = 0; i < lock->nstages; i++)
		lock->stages[i].changed = true;
	if (dvc_lock_dump(lock, &out, &err) == 0) {
		if (dvc_lock_parse("dvc.lock", out.p, out.n, NULL, &back, &err) == 0) {
			CHECK(back->nstages == lock->nstages);
			for (size_t i = 0; i < lock->nstages; i++) {
				CHECK(back->stages[i].nouts == lock->stages[i].nouts);
				CHECK(back->stages[i].ndeps == lock->stages[i].ndeps);
			}
		}
		dvc_lock_free(back);
	} else {
		CHECK(err.code == ERR_INVALID);
	}
	buf_release(&out);
}

static void
from_file(const char *text, size_t n, int want)
{
	struct dvc_lock *lock;
	struct err err;

	fuzz_put("dvc.lock", text, n);
	CHECK(dvc_lock_read(fuzz_dir(), "dvc.lock", NULL, &lock, &err) == want);
	if (want != 0)
		return;
	for (size_t i = 0; i < lock->nstages; i++)
		lock->stages[i].changed = true;
	(void)dvc_lock_write(lock, fuzz_dir(), NULL, &err);
	dvc_lock_free(lock);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	const char *border = n != 0 ? memmem(text, n, BORDER, strlen(BORDER)) : NULL;
	size_t nlock = border != NULL ? (size_t)(border - text) + 1 : n;
	const char *rest = border != NULL ? border + strlen(BORDER) : text + n;
	struct diag *d = fuzz_need(diag_new()), *dy = fuzz_need(diag_new());
	struct dvc_lock *lock;
	struct dvc_yaml *y;
	struct err err = {0};
	int rc = dvc_lock_parse("dvc.lock", text, nlock, d, &lock, &err), ry;

	CHECK((rc == 0) == (diag_errors(d) == 0));
	fuzz_check_diag(d, text, nlock);
	ry = dvc_yaml_parse("dvc.yaml", rest, n - (size_t)(rest - text), dy, &y, &err);
	CHECK((ry == 0) == (diag_errors(dy) == 0));
	fuzz_check_diag(dy, rest, n - (size_t)(rest - text));
	if (rc == 0 && ry == 0 && dvc_yaml_apply(y, lock, &err) != 0)
		CHECK(err.code == ERR_INVALID);
	if (rc == 0)
		write_back(lock);
	if (n % 4 == 0)
		from_file(text, nlock, rc);
	diag_free(d);
	diag_free(dy);
	dvc_lock_free(lock);
	dvc_yaml_free(y);
	free(text);
	return 0;
}
