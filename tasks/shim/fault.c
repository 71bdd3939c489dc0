/*
 * The points of base/fault.h where the shim dies in a test; built only with test doors.  Its
 * environment holds nothing but the setting.
 */
#include "base/fault.h"

#include <string.h>

#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

static const char *setting;
static pid_t shim;

void
shim_fault_init(char **envp)
{
	size_t n = strlen(FAULT_ENV "=");

	shim = sys_getpid();
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, FAULT_ENV "=", n) == 0)
			setting = *envp + n;
}

/* Append to the file.  Return its length then, or 0. */
static uint64_t
leave(const char *file, const char *p, size_t n)
{
	int fd = (int)sys_openat(AT_FDCWD, file,
				 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	long at = 0;

	if (fd < 0)
		return 0;
	if (sys6(SYS_write, fd, (long)p, (long)n, 0, 0, 0) == (long)n)
		at = sys6(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0);
	(void)sys_close(fd); /* only a test reads it */
	return at > 0 ? (uint64_t)at : 0;
}

void
fault_pass(enum fault_point p)
{
	const char *name = fault_name(p);
	struct fault_setting f;
	static uint64_t passes;
	char line[64];
	size_t len;
	uint64_t n;

	if (setting == NULL)
		return;
	f = fault_match(setting, name);
	if (f.all && f.file != NULL) {
		len = strlen(name);
		memcpy(line, name, len);
		line[len++] = '\n';
		(void)leave(f.file, line, len);
	}
	if (!f.one)
		return;
	n = f.file != NULL ? leave(f.file, ".", 1) : ++passes;
	if (n != f.n)
		return;
	/* The child passes points too: it is the shim that dies, and the child with it. */
	for (;;) {
		(void)sys_kill(shim, SIGKILL);
		(void)sys_kill(sys_getpid(), SIGKILL);
	}
}
