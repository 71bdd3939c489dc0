/*
 * Run a program on a terminal of its own and play its user.
 *
 * usage: ptyrun [--size ROWSxCOLS] [STEP]... -- PROGRAM [ARG]...
 *
 * Steps, one after the other:
 *	--expect TEXT	wait until the output since the last step holds TEXT
 *	--send TEXT	type TEXT; \r \n \t \\ and \xHH are understood (\x03 is Ctrl-C)
 *	--resize RxC	give the terminal another size
 *	--sleep MS	let the program go on for a while
 *	--mark TEXT	write TEXT into what we print, between two bytes of output
 *	--deaf FILE	read nothing of what the program writes until FILE is there
 *	--hangup	close the terminal
 *
 * What the program writes goes to standard output as it is.  Exit status: that of the program,
 * 128 + N if signal N ended it, 124 if it takes longer than 60 s or a text does not come, 125
 * on failure of our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 60000

static int master = -1;
static pid_t child;
static char *seen; /* output since the last step */
static size_t nseen;
static long long deadline;

static long long
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void
fail(const char *what)
{
	fprintf(stderr, "ptyrun: %s\n", what);
	if (child > 0)
		(void)kill(child, SIGKILL);
	exit(125);
}

static void
late(const char *what, const char *arg)
{
	fprintf(stderr, "ptyrun: %s '%s'\n", what, arg);
	(void)kill(child, SIGTERM);
	exit(124);
}

static void
keep(const char *p, size_t n)
{
	char *grown = realloc(seen, nseen + n + 1);

	if (grown == NULL)
		fail("out of memory");
	seen = grown;
	memcpy(seen + nseen, p, n);
	nseen += n;
	seen[nseen] = '\0';
}

/* Take what comes within ms.  Return false at the end of the program. */
static bool
pump(long long ms)
{
	struct pollfd pfd = {.fd = master, .events = POLLIN};
	char buf[4096];
	ssize_t n;

	if (master < 0)
		return false;
	if (poll(&pfd, 1, (int)ms) <= 0)
		return true;
	n = read(master, buf, sizeof(buf));
	if (n <= 0)
		return false;
	if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n || fflush(stdout) != 0)
		fail("cannot write");
	keep(buf, (size_t)n);
	return true;
}

static void
expect(const char *text)
{
	while (seen == NULL || memmem(seen, nseen, text, strlen(text)) == NULL) {
		if (now_ms() > deadline || !pump(50))
			late("did not see", text);
	}
	nseen = 0;
}

static int
hex(char c)
{
	const char *digits = "0123456789abcdef", *p = strchr(digits, c);

	return p != NULL && c != '\0' ? (int)(p - digits) : -1;
}

static void
type(const char *p)
{
	char c;

	for (; *p != '\0'; p++) {
		c = *p;
		if (c == '\\' && p[1] != '\0') {
			p++;
			c = *p == 'r' ? '\r' : *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
			if (*p == 'x' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
				c = (char)(hex(p[1]) * 16 + hex(p[2]));
				p += 2;
			}
		}
		if (write(master, &c, 1) != 1)
			fail("cannot type");
	}
	nseen = 0;
}

static struct winsize
size_of(const char *text)
{
	struct winsize ws = {0};

	if (sscanf(text, "%hux%hu", &ws.ws_row, &ws.ws_col) != 2)
		fail("a size is ROWSxCOLS");
	return ws;
}

static void
sleep_ms(long long ms)
{
	long long end = now_ms() + ms;

	while (now_ms() < end)
		(void)pump(end - now_ms() < 20 ? end - now_ms() : 20);
}

static void
step(const char *what, const char *arg)
{
	struct winsize ws;
	long long ms;

	if (strcmp(what, "--expect") == 0) {
		expect(arg);
	} else if (strcmp(what, "--send") == 0) {
		type(arg);
	} else if (strcmp(what, "--resize") == 0) {
		ws = size_of(arg);
		(void)ioctl(master, TIOCSWINSZ, &ws);
	} else if (strcmp(what, "--sleep") == 0) {
		if (sscanf(arg, "%lld", &ms) != 1)
			fail("--sleep takes milliseconds");
		sleep_ms(ms);
	} else if (strcmp(what, "--deaf") == 0) {
		while (access(arg, F_OK) != 0) {
			if (now_ms() > deadline)
				late("waited in vain for", arg);
			(void)poll(NULL, 0, 10);
		}
	} else if (strcmp(what, "--mark") == 0) {
		(void)fputs(arg, stdout);
	} else {
		fail("unknown step");
	}
}

static void
start(struct winsize *ws, char **argv)
{
	const char *name;
	int fd;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
	    (name = ptsname(master)) == NULL)
		fail("no terminal to be had");
	(void)ioctl(master, TIOCSWINSZ, ws);
	child = fork();
	if (child < 0)
		fail("cannot fork");
	if (child > 0)
		return;
	(void)setsid();
	fd = open(name, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		_exit(125);
	(void)dup2(fd, 0);
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	if (fd > 2)
		(void)close(fd);
	(void)execvp(argv[0], argv);
	_exit(127);
}

static int
finish(void)
{
	int status;

	while (master >= 0 && now_ms() < deadline && pump(50))
		;
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (now_ms() > deadline)
			late("still runs after", "60 s");
		(void)poll(NULL, 0, 10);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
	struct winsize ws = {.ws_row = 24, .ws_col = 80};
	int i = 1, dashes;

	for (dashes = 1; dashes < argc && strcmp(argv[dashes], "--") != 0; dashes++)
		;
	if (dashes + 1 >= argc)
		fail("usage: ptyrun [--size RxC] [STEP]... -- PROGRAM [ARG]...");
	if (strcmp(argv[1], "--size") == 0 && dashes >= 3) {
		ws = size_of(argv[2]);
		i = 3;
	}
	deadline = now_ms() + LIMIT_MS;
	start(&ws, argv + dashes + 1);
	while (i < dashes) {
		if (strcmp(argv[i], "--hangup") == 0) {
			(void)close(master);
			master = -1;
			i++;
			continue;
		}
		if (i + 1 >= dashes)
			fail("a step without its argument");
		step(argv[i], argv[i + 1]);
		i += 2;
	}
	return finish();
}
