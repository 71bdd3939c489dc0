/*
 * A dvc.yaml with a params.yaml, params.json and params.toml behind lines "%%%": mistakes stand inside
 * the texts, and what is read has no templates left in its paths but those that are escaped.
 */
#include "fuzz.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/pipeline.h"

#define BORDER "\n%%%\n"
#define PARTS  4

static const char *const names[PARTS] = {"dvc.yaml", "params.yaml", "p.json", "p.toml"};

struct part {
	const char *p;
	size_t n;
};

static int
read_part(void *arg, const char *path, size_t max, struct buf *out, struct err *err)
{
	const struct part *parts = arg;

	for (size_t i = 1; i < PARTS; i++)
		if (strcmp(path, names[i]) == 0 && parts[i].p != NULL) {
			if (parts[i].n > max)
				return err_set(err, ERR_LIMIT, "too large");
			buf_add(out, parts[i].p, parts[i].n);
			return 1;
		}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct part parts[PARTS] = {0};
	struct pipeline_files files = {.read = read_part, .arg = parts};
	struct diag *d = fuzz_need(diag_new());
	const char *at = text, *end = text + n;
	struct dvc_yaml *y;
	struct err err = {0};

	for (size_t i = 0; i < PARTS && at != NULL; i++) {
		const char *border =
		    at < end ? memmem(at, (size_t)(end - at), BORDER, strlen(BORDER))
			     : NULL;

		parts[i].p = at;
		parts[i].n = (size_t)((border != NULL ? border : end) - at);
		at = border != NULL ? border + strlen(BORDER) : NULL;
	}
	files.options.no_flags = n % 2 != 0;
	files.options.append_list = n % 3 != 0;
	if (pipeline_parse(&files, names[0], parts[0].p, parts[0].n, d, &y, &err) == 0) {
		CHECK(diag_errors(d) == 0);
		CHECK(y->nstages <= PIPELINE_STAGES_MAX);
		for (size_t i = 0; i < y->nstages; i++)
			CHECK(!y->stages[i].many);
	} else {
		CHECK(diag_errors(d) != 0 || err.code == ERR_LIMIT);
	}
	dvc_yaml_free(y);
	diag_free(d);
	free(text);
	return 0;
}
