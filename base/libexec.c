#include "base/libexec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

#define EXE_MAX 4096

/* Append the directory above the one this program lies in. */
static int
put_prefix(struct buf *b, struct err *err)
{
	char exe[EXE_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int up;

	if (n <= 0)
		return err_sys(err, errno, "cannot read '/proc/self/exe'");
	exe[n] = '\0';
	for (up = 0; up < 2; up++)
		if ((slash = strrchr(exe, '/')) != NULL)
			*slash = '\0';
	buf_adds(b, exe);
	return 0;
}

char *
libexec_path(const char *name, int mode, struct err *err)
{
	struct buf b;
	char *path = NULL;

	buf_init(&b, 0);
#ifdef DAG_TEST_DOORS
	if (getenv("DAG_LIBEXEC") != NULL)
		buf_adds(&b, getenv("DAG_LIBEXEC"));
	else
#endif
	    if (put_prefix(&b, err) != 0) {
		buf_release(&b);
		return NULL;
	} else {
		buf_adds(&b, "/libexec/dag");
	}
	buf_addc(&b, '/');
	buf_adds(&b, name);
	if ((path = buf_steal(&b)) == NULL) {
		err_nomem(err);
	} else if (access(path, mode) != 0) {
		err_sys(err, errno,
			"cannot find our own '%s' (is the installation whole?)", path);
		free(path);
		path = NULL;
	}
	buf_release(&b);
	return path;
}
