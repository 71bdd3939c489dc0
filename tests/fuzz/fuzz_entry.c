/*
 * What is known of one run of a stage, as a text that travels between threads, and behind a line
 * "%%%" a lock it is put into: what is written is read back, has the names it was given, and
 * is written the same again.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/run_cache.h"

#define BORDER "\n%%%\n"
#define NAME   "train@a"

static void
put_into(const char *entry, const char *text, size_t n)
{
	struct dvc_lock *lock, *back;
	struct dvc_lock_stage *stage;
	struct err err = {0};
	struct buf out;
	size_t before;
	bool there;

	if (dvc_lock_parse("p.dag.lock", text, n, NULL, &lock, &err) != 0) {
		dvc_lock_free(lock);
		return;
	}
	before = lock->nstages;
	there = dvc_lock_find(lock, NAME) != NULL;
	if (dvc_lock_put(lock, NAME, entry, n % 2 == 0 ? NULL : "evaluate", &err) != 0) {
		CHECK(lock->nstages == before);
		dvc_lock_free(lock);
		return;
	}
	CHECK(lock->nstages == before + !there);
	buf_init(&out, 0);
	if (dvc_lock_dump(lock, &out, &err) != 0) {
		CHECK(err.code == ERR_INVALID);
	} else {
		/* What cannot be read again (long keys within braces) is not written. */
		if (dvc_lock_parse("p.dag.lock", out.p, out.n, NULL, &back, &err) == 0) {
			CHECK(back->nstages == lock->nstages);
			stage = fuzz_need(dvc_lock_find(back, NAME));
			CHECK(stage->nouts == dvc_lock_find(lock, NAME)->nouts);
		}
		dvc_lock_free(back);
	}
	buf_release(&out);
	dvc_lock_free(lock);
}

/* A fraction of more digits than a number has is written with others, as ruamel.yaml does. */
static bool
has_long_fraction(const char *s)
{
	while ((s = strpbrk(s, "0123456789.")) != NULL) {
		size_t n = strspn(s, "0123456789.");

		if (n > 16 && memchr(s, '.', n) != NULL)
			return true;
		s += n;
	}
	return false;
}

/* What runs of it are looked for by is what they are kept by. */
static void
check_key(struct arena *a, const struct dvc_lock_stage *stage,
	  const struct run_name *name)
{
	const char **paths = fuzz_need(arena_array(a, stage->nouts + 1, sizeof(*paths)));
	char key[sizeof(name->key)];
	struct err err = {0};

	for (size_t i = 0; i < stage->nouts; i++)
		paths[i] = stage->outs[i].path;
	CHECK(run_key(stage, paths, stage->nouts, key, &err) == 0);
	CHECK(strcmp(key, name->key) == 0);
}

static void
write_twice(struct arena *a, const struct dvc_lock_stage *stage)
{
	struct dvc_lock_stage again;
	struct run_name name, other;
	struct buf text, same;
	struct err err = {0};

	buf_init(&text, 0);
	buf_init(&same, 0);
	if (run_entry(stage, &text, &name, &err) == 0) {
		bool exact = !has_long_fraction(text.p);

		if (exact)
			CHECK(run_check(&name, text.p, text.n, &err) == 0);
		CHECK(dvc_lock_entry_parse(a, NULL, NAME, ".",
					   fuzz_need(arena_strndup(a, text.p, text.n)),
					   text.n, &again, &err) == 0);
		CHECK(again.ndeps == stage->ndeps && again.nouts == stage->nouts);
		CHECK(run_entry(&again, &same, &other, &err) == 0);
		check_key(a, &again, &other);
		CHECK(!exact || strcmp(same.p, text.p) == 0);
		CHECK(!exact || memcmp(&name, &other, sizeof(name)) == 0);
	} else {
		CHECK(err.code == ERR_INVALID);
	}
	buf_release(&text);
	buf_release(&same);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n), *entry;
	const char *border = n != 0 ? memmem(text, n, BORDER, strlen(BORDER)) : NULL;
	size_t len = border != NULL ? (size_t)(border - text) + 1 : n;
	const char *rest = border != NULL ? border + strlen(BORDER) : text + n;
	struct arena *a = fuzz_need(arena_new((size_t)64 << 20));
	struct diag *d = fuzz_need(diag_new());
	struct dvc_lock_stage stage = {0};
	struct err err = {0};
	int rc = dvc_lock_entry_parse(a, d, NAME, ".", text, len, &stage, &err);

	CHECK((rc == 0) == (diag_errors(d) == 0));
	fuzz_check_diag(d, text, len);
	if (rc == 0) {
		/* `cmd: !` is an empty text to the reader, and nothing to DVC's writer. */
		if (len == 0 || memchr(text, '!', len) == NULL)
			write_twice(a, &stage);
		entry = fuzz_need(strndup(text, len));
		put_into(entry, rest, n - (size_t)(rest - text));
		free(entry);
	}
	diag_free(d);
	arena_free(a);
	free(text);
	return 0;
}
