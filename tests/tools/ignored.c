/*
 * ignored git|dvc DIR [EXCLUDES]: for each path on standard input, relative to DIR, NUL behind
 * each, print "1" or "0" in a line: is it ignored?  A slash at the end says that it is a
 * directory.  EXCLUDES is a file of rules that any other overrides.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/ignore.h"

static void
die(const char *what)
{
	(void)fprintf(stderr, "ignored: %s\n", what);
	exit(2);
}

int
main(int argc, char **argv)
{
	struct ignore_options o = {.syntax = IGNORE_DVC};
	struct ignore_extra extra = {.name = "excludes"};
	struct err err = {0};
	struct ignore *ig;
	struct buf in, text;
	char *p, *end;
	size_t n;
	bool dir;
	int rc;

	if (argc < 3)
		die("ignored git|dvc DIR [EXCLUDES]");
	o.syntax = strcmp(argv[1], "git") == 0 ? IGNORE_GIT : IGNORE_DVC;
	o.root_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o.root_fd == -1)
		die("no such directory");
	buf_init(&text, 0);
	if (argc > 3) {
		if (fsio_read(AT_FDCWD, argv[3], IGNORE_FILE_MAX, &text, &err) != 0)
			die(err.msg);
		extra.text = text.p;
		extra.n = text.n;
		o.extra = &extra;
		o.nextra = 1;
	}
	if (ignore_new(&o, &ig, &err) != 0)
		die(err.msg);
	buf_init(&in, 0);
	if (fsio_read_fd(STDIN_FILENO, (size_t)64 << 20, &in, &err) != 0)
		die(err.msg);
	end = in.p + in.n;
	for (p = in.p; p < end; p += n + 1) {
		n = strlen(p);
		dir = n > 0 && p[n - 1] == '/';
		if (dir)
			p[n - 1] = '\0';
		rc = ignore_check(ig, p, dir, &err);
		if (rc < 0)
			die(err.msg);
		(void)puts(rc == 1 ? "1" : "0");
	}
	buf_release(&in);
	buf_release(&text);
	ignore_free(ig);
	(void)close(o.root_fd);
	return 0;
}
