/*
 * .dag/config.yaml: what is read is a path below the root or an absolute one; a mistake is
 * one line with its place.
 */
#include "base/path.h"
#include "fuzz.h"
#include "store/project_internal.h"

#define ROOT "/project/root"

/* From a file it is the same. */
static void
check_file(const struct buf *in, int want, const struct buf *dir)
{
	struct err err = {0};
	struct buf other;
	char dot[64];

	buf_init(&other, 0);
	(void)snprintf(dot, sizeof(dot), "/proc/self/fd/%d", fuzz_dir());
	fuzz_put("config.yaml", in->p, in->n);
	CHECK(project_config(ROOT, dot, &other, &err) == want);
	CHECK(want != 0 || strcmp(other.p, dir->p) == 0);
	CHECK(project_config(ROOT, "/proc/self/fd/nothing", &other, &err) == 0);
	buf_release(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf in, dir, want;
	struct err err = {0};
	size_t line, column;
	int rc;

	buf_init(&in, 0);
	buf_add(&in, data, n);
	buf_init(&dir, 0);
	buf_init(&want, 0);
	rc = project_config_parse("config.yaml", in.p, in.n, ROOT, &dir, &err);
	if (rc == 0) {
		CHECK(dir.n == 0 || dir.p[0] == '/');
		CHECK(strlen(dir.p) == dir.n);
		if (dir.n != 0 && strncmp(dir.p, ROOT "/", sizeof(ROOT)) == 0) {
			path_join(&want, ROOT, dir.p + sizeof(ROOT));
			CHECK(strcmp(want.p, dir.p) == 0);
		}
	} else {
		CHECK(err.code == ERR_INVALID);
		CHECK(strchr(err.msg, '\n') == NULL);
		/* Of the file as a whole where its encoding is wrong. */
		if (strncmp(err.msg, "config.yaml: error: ", 20) != 0) {
			CHECK(sscanf(err.msg, "config.yaml:%zu:%zu: error: ", &line,
				     &column) == 2);
			CHECK(line >= 1 && line <= fuzz_lines(in.p, in.n) && column >= 1);
		}
	}
	if (n % 4 == 0)
		check_file(&in, rc, &dir);
	buf_release(&want);
	buf_release(&dir);
	buf_release(&in);
	return 0;
}
