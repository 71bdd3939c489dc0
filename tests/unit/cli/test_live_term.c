/* The driver of the live table, on a terminal that changes its size. */
#include "cli/live.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "unit/cli/fixture.h"

static int master, slave;
static struct live_term *term;

static void
set_size(unsigned short rows, unsigned short columns)
{
	struct winsize ws = {.ws_row = rows, .ws_col = columns};

	assert_int_equal(ioctl(master, TIOCSWINSZ, &ws), 0);
}

static int
start(void **state)
{
	struct termios raw;

	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	set_size(24, 80);
	term = live_term_new(slave, NULL, NULL);
	assert_non_null(term);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	live_term_free(term);
	(void)close(slave);
	(void)close(master);
	return 0;
}

/* Draw so many lines; return how many rows the cursor went up for that. */
static unsigned
draw(unsigned lines)
{
	static unsigned version;
	char got[8192], *up;
	struct buf text;
	unsigned i;
	ssize_t n;

	buf_init(&text, 0);
	version++;
	for (i = 0; i < lines; i++)
		buf_addf(&text, "picture %u line %u\n", version, i);
	assert_int_equal(live_term_draw(term, text.p), 0);
	buf_release(&text);
	n = read(master, got, sizeof(got) - 1);
	assert_true(n > 0);
	got[n] = '\0';
	up = strchr(got, 'A');
	while (up != NULL && up > got && up[-1] >= '0' && up[-1] <= '9')
		up--;
	return up != NULL ? (unsigned)strtoul(up, NULL, 10) : 0;
}

/* As the table does before each picture. */
static void
look(void)
{
	unsigned width, height;

	live_term_size(term, &width, &height);
}

static void
resize(unsigned short rows, unsigned short columns)
{
	set_size(rows, columns);
	live_term_resized(term, false);
	look();
}

static void
test_same_size(void **state)
{
	(void)state;
	assert_int_equal(draw(11), 0);
	/* A second signal for one change is no reason to leave the picture where it is. */
	resize(24, 80);
	assert_int_equal(draw(11), 10);
	set_size(20, 80);
	look(); /* a picture between the change and its signal */
	live_term_resized(term, false);
	assert_int_equal(draw(11), 10);
}

static void
test_continued(void **state)
{
	(void)state;
	assert_int_equal(draw(11), 0);
	set_size(20, 80);
	live_term_resized(term, true);
	assert_int_equal(draw(11), 0);
	assert_int_equal(draw(11), 10);
}

static void
test_lower_and_higher(void **state)
{
	(void)state;
	assert_int_equal(draw(11), 0);
	resize(8, 80);
	/* Three rows have gone; what is left fills the screen. */
	assert_int_equal(draw(7), 7);
	resize(10, 80); /* two come back */
	assert_int_equal(draw(9), 8);
	resize(30, 80); /* and the last; what was there before us stays */
	assert_int_equal(draw(11), 9);
	resize(40, 80);
	assert_int_equal(draw(11), 10);
}

static void
test_without_pictures_between(void **state)
{
	(void)state;
	assert_int_equal(draw(11), 0);
	resize(8, 80);
	resize(5, 80);
	resize(24, 80);
	assert_int_equal(draw(11), 10);
}

/* What was printed above the picture meanwhile must not be overwritten. */
static void
test_printed_between(void **state)
{
	char got[512];

	(void)state;
	assert_int_equal(draw(11), 0);
	resize(8, 80);
	assert_int_equal(live_term_print(term, "a message\n"), 0);
	assert_true(read(master, got, sizeof(got)) > 0);
	assert_int_equal(draw(7), 0);
	resize(24, 80);
	assert_int_equal(draw(11), 6);
}

/* Draw this; return what was written for it. */
static const char *
written(const char *text)
{
	static char got[8192];
	ssize_t n;

	assert_int_equal(live_term_draw(term, text), 0);
	n = read(master, got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

/* Lines that stand there already are passed over, but for now and then. */
static void
test_only_what_changed(void **state)
{
	const char *out = NULL;
	unsigned i, whole = 0;
	char text[200];

	(void)state;
	(void)written("head 1\nsame\nother\nlast\n");
	out = written("head 2\nsame\nother\nlast\n");
	assert_non_null(strstr(out, "head 2"));
	assert_null(strstr(out, "same"));
	assert_null(strstr(out, "other"));
	assert_string_equal(written("head 2\nsame\nother\nlast\n"), "");
	/* More and fewer lines than there were. */
	out = written("head 2\nsame\nnew\nother\nlast\n");
	assert_null(strstr(out, "same"));
	assert_non_null(strstr(out, "new"));
	assert_non_null(strstr(out, "other"));
	assert_non_null(strstr(out, "last"));
	out = written("head 2\nsame\n");
	assert_non_null(strstr(out, "same")); /* the last one, where the cursor ends */
	assert_non_null(strstr(out, "\033[J"));
	for (i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof(text), "head %u\nsame\nlast\n", i);
		whole += strstr(written(text), "same") != NULL;
	}
	assert_in_range(whole, 3, 6);
	/* Another size: nothing is known of what stands there. */
	(void)written("a\nsame\nlast\n");
	resize(24, 70);
	assert_non_null(strstr(written("b\nsame\nlast\n"), "same"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_same_size, start, stop),
	    cmocka_unit_test_setup_teardown(test_only_what_changed, start, stop),
	    cmocka_unit_test_setup_teardown(test_continued, start, stop),
	    cmocka_unit_test_setup_teardown(test_lower_and_higher, start, stop),
	    cmocka_unit_test_setup_teardown(test_without_pictures_between, start, stop),
	    cmocka_unit_test_setup_teardown(test_printed_between, start, stop),
	};

	return cmocka_run_group_tests_name("cli.live_term", tests, NULL, NULL);
}
