#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <jansson.h>

#include "base/diag_impl.h"
#include "base/json.h"
#include "base/utf8.h"
#include "fuzz.h"

/* ---- files ---- */

static char dir_path[128];
static int dir_fd = -1;

static void
remove_dir(void)
{
	DIR *d = fdopendir(dir_fd);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		(void)unlinkat(dir_fd, e->d_name, 0);
	(void)closedir(d);
	(void)rmdir(dir_path);
}

int
fuzz_dir(void)
{
	static const char *const bases[] = {"/dev/shm", "/tmp"};
	size_t i;

	for (i = 0; dir_fd < 0 && i < sizeof(bases) / sizeof(bases[0]); i++) {
		(void)snprintf(dir_path, sizeof(dir_path), "%s/dag-fuzz-XXXXXX",
			       bases[i]);
		if (mkdtemp(dir_path) == NULL)
			continue;
		dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(dir_fd >= 0);
		CHECK(atexit(remove_dir) == 0);
	}
	CHECK(dir_fd >= 0);
	return dir_fd;
}

void
fuzz_put(const char *name, const void *p, size_t n)
{
	int fd = openat(fuzz_dir(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, p, n) == (ssize_t)n);
	CHECK(close(fd) == 0);
}

/* ---- diagnostics ---- */

/* Bytes of the line break at ${p}, 0 if there is none. */
static size_t
line_break(const char *p, const char *end)
{
	if (p == end || (*p != '\n' && *p != '\r'))
		return 0;
	return *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
}

size_t
fuzz_lines(const char *p, size_t n)
{
	const char *end = p + n;
	size_t lines = 1, len;

	for (; p < end; p += len != 0 ? len : 1) {
		len = line_break(p, end);
		lines += len != 0;
	}
	return lines;
}

/* How many characters the line has, as diag counts columns; -1: there is no such line. */
static long
line_width(const char *text, size_t n, uint32_t line)
{
	const char *p = text, *end = text + n;
	long width = 0;
	size_t len;

	for (; line > 1; line--) {
		while (p < end && line_break(p, end) == 0)
			p++;
		if ((len = line_break(p, end)) == 0)
			return -1;
		p += len;
	}
	for (; p < end && line_break(p, end) == 0; p++)
		width += ((unsigned char)*p & 0xc0) != 0x80;
	return width;
}

static void
check_positions(const struct diag *d, const char *text, size_t n)
{
	for (size_t i = 0; i < d->messages.n; i++) {
		const struct diag_pos *p = &d->messages.v[i].pos;
		long width;

		CHECK(d->messages.v[i].text[0] != '\0');
		if (p->line == 0)
			continue;
		width = line_width(text, n, p->line);
		if (width < 0 || p->col < 1 || (long)p->col > width + 1)
			(void)fprintf(stderr, "%u:%u+%u: %s\n", p->line, p->col, p->width,
				      d->messages.v[i].text);
		CHECK(width >= 0);
		CHECK(p->col >= 1 && (long)p->col <= width + 1);
		CHECK(p->width >= 1 && p->width <= n + 1);
	}
}

/* Text for a terminal: no controls but newlines, and no invisible turn of direction. */
static void
check_harmless(const char *p, size_t n)
{
	uint32_t c;
	int len;

	for (; n > 0; p += len, n -= (size_t)len) {
		len = utf8_decode(p, n, &c);
		CHECK(len >= 1);
		CHECK(c == '\n' || (c >= ' ' && c < 0x7f) || c > 0x9f);
		CHECK((c < 0x202a || c > 0x202e) && (c < 0x2066 || c > 0x2069));
	}
}

void
fuzz_check_diag(struct diag *d, const char *text, size_t n)
{
	struct json_writer w;
	struct buf out;
	json_t *j;

	CHECK(!d->nomem);
	check_positions(d, text, n);
	buf_init(&out, 0);
	diag_print(d, &out, false, n % 3 == 0 ? 40 : 0);
	CHECK(!buf_failed(&out));
	CHECK((out.n == 0) == (diag_count(d) == 0));
	check_harmless(out.p, out.n);
	buf_clear(&out);
	json_init(&w, &out, 0);
	diag_json(d, &w);
	CHECK(!buf_failed(&out));
	j = json_parse(out.p, out.n, NULL);
	CHECK(json_is_array(j));
	CHECK((json_array_size(j) == 0) == (diag_count(d) == 0));
	json_decref(j);
	buf_release(&out);
}
