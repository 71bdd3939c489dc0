#include "base/libexec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

#define EXE_MAX 4096

/* The path of this program as the kernel knows it. */
static int
read_exe(char exe[EXE_MAX], struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", exe, EXE_MAX - 1);

	if (n <= 0)
		return err_sys(err, errno, "cannot read '/proc/self/exe'");
	exe[n] = '\0';
	return 0;
}

char *
libexec_program(struct err *err)
{
	static const char gone[] = " (deleted)";
	char exe[EXE_MAX], *path;
	size_t n, len = sizeof(gone) - 1;

	if (read_exe(exe, err) != 0)
		return NULL;
	n = strlen(exe);
	/* The kernel's word behind the path of a file that has no name any more. */
	if (n > len && strcmp(exe + n - len, gone) == 0 && access(exe, F_OK) != 0)
		exe[n - len] = '\0';
	if ((path = strdup(exe)) == NULL)
		err_nomem(err);
	return path;
}

/* Append the directory above the one this program lies in. */
static int
put_prefix(struct buf *b, struct err *err)
{
	char exe[EXE_MAX], *slash;
	int up;

	if (read_exe(exe, err) != 0)
		return -1;
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
