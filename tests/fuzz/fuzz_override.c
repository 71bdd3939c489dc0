/*
 * Values that are changed for an experiment: the first byte tells the format (j: JSON, t: TOML,
 * else YAML), then words of -S, one a line, and behind a line "%%%" the file.  What is written is
 * the file with these values and nothing else changed; what cannot be changed stays as it is.
 */
#include <stdbool.h>

#include "base/fsio.h"
#include "base/yaml.h"
#include "fuzz.h"
#include "store/exp/override.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value.h"

#define BORDER	  "\n%%%\n"
#define WORDS_MAX 16
#define RUNS_MAX  4

static const char *
file_name(char c)
{
	return c == 'j' ? "p.json" : c == 't' ? "p.toml" : "params.yaml";
}

/* NULL: it is no file of params, or no mapping. */
static struct yaml_node *
tree_of(struct arena *a, const char *name, const char *text, size_t n)
{
	struct diag *d = fuzz_need(diag_new());
	struct yaml_node *v = NULL;

	if (params_parse(a, d, name, fuzz_need(arena_strndup(a, text, n)), n, &v) != 0 ||
	    v->kind != YAML_MAP)
		v = NULL;
	diag_free(d);
	return v;
}

static void
check_run(struct arena *a, const struct override_list *l, size_t run, const char *name,
	  const char *text, size_t n)
{
	struct yaml_node *want = tree_of(a, name, text, n), *got;
	struct err err = {0};
	char place[64];
	struct buf after;
	int rc, applied = want != NULL ? 0 : -1;

	for (size_t i = 0; applied == 0 && i < l->n; i++)
		applied = override_apply(
		    a, &l->v[i],
		    l->v[i].n > 0 ? l->v[i].values[override_choose(l, run, i)] : NULL,
		    &want, &err);
	fuzz_put(name, text, n);
	(void)snprintf(place, sizeof(place), "/proc/self/fd/%d", fuzz_dir());
	rc = override_files(l, run, place, place, &err);
	buf_init(&after, 0);
	CHECK(fsio_read(fuzz_dir(), name, (size_t)1 << 24, &after, &err) == 0);
	if (rc != 0) {
		CHECK(err.msg[0] != '\0');
		CHECK(after.n == n && memcmp(after.p, text, n) == 0);
	} else if (l->n > 0) {
		CHECK(applied == 0);
		got = tree_of(a, name, after.p, after.n);
		CHECK(got != NULL);
		CHECK(value_equal(got, want));
	}
	buf_release(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_string(data, n), *border = strstr(text, BORDER), *p = text;
	const char *name = file_name(*text),
		   *file = border != NULL ? border + strlen(BORDER) : "";
	struct arena *a = fuzz_need(arena_new((size_t)64 << 20));
	const char *words[WORDS_MAX];
	struct override_list l;
	struct err err = {0};
	bool one = true;
	size_t count = 0;

	if (border != NULL)
		*border = '\0';
	p += *p != '\0';
	while (*p != '\0' && count < WORDS_MAX) {
		char *end = p + strcspn(p, "\n");
		bool last = *end == '\0';

		*end = '\0';
		words[count++] = name[0] == 'p' && name[1] == '.'
				     ? fuzz_need(arena_printf(a, "%s:%s", name, p))
				     : p;
		p = last ? end : end + 1;
	}
	if (override_parse(a, words, count, &l, &err) != 0) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_LIMIT);
	} else {
		CHECK(l.n == count && l.runs >= 1 && l.runs <= OVERRIDE_RUNS_MAX);
		for (size_t i = 0; i < l.n; i++)
			one = one && strcmp(l.v[i].file, name) == 0;
		for (size_t run = 0; one && run < l.runs && run < RUNS_MAX; run++)
			check_run(a, &l, run, name, file, strlen(file));
	}
	arena_free(a);
	free(text);
	return 0;
}
