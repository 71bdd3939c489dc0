/*
 * .dag/config.yaml: what is read is a path below the root or an absolute one; a mistake is
 * one line with its place.
 */
#include "base/path.h"
#include "fuzz.h"
#include "store/project_internal.h"

#define ROOT "/project/root"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf in, dir, want;
	struct err err = {0};
	size_t line, column;

	buf_init(&in, 0);
	buf_add(&in, data, n);
	buf_init(&dir, 0);
	buf_init(&want, 0);
	if (project_config_parse("config.yaml", in.p, in.n, ROOT, &dir, &err) == 0) {
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
	buf_release(&want);
	buf_release(&dir);
	buf_release(&in);
	return 0;
}
