/*
 * replay [--min N] DIRECTORY|FILE...: run the target over inputs without a fuzzer.  Fails
 * where a property of the target does not hold, where one input takes longer than
 * SECONDS_MAX, and where there are fewer than N inputs.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS_MAX 10

static char current[4096]; /* the input that is being run */
static size_t ninputs;
static double slowest;
static char slowest_name[4096];

/* Tell which input it was; what is called here may be called from a signal handler. */
static void
say_which(int sig)
{
	static const char late[] = "this input takes too long: ";
	static const char bad[] = "this input fails: ";

	(void)!write(2, sig == SIGALRM ? late : bad,
		     sig == SIGALRM ? sizeof(late) - 1 : sizeof(bad) - 1);
	(void)!write(2, current, strlen(current));
	(void)!write(2, "\n", 1);
	if (sig == SIGALRM)
		_exit(1);
}

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p, *exact;
	size_t n, cap = (size_t)4 << 20;
	double took;

	if (f == NULL) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	p = fuzz_need(malloc(cap));
	n = fread(p, 1, cap, f);
	(void)fclose(f);
	/* Just as large as the input, so that reading beyond it is seen. */
	exact = fuzz_need(malloc(n != 0 ? n : 1));
	memcpy(exact, p, n);
	free(p);
	(void)snprintf(current, sizeof(current), "%s", path);
	(void)alarm(SECONDS_MAX);
	took = now();
	(void)LLVMFuzzerTestOneInput(exact, n);
	took = now() - took;
	(void)alarm(0);
	if (took > slowest) {
		slowest = took;
		memcpy(slowest_name, current, sizeof(current));
	}
	ninputs++;
	free(exact);
}

static void
run_dir(const char *path)
{
	struct dirent **v;
	char full[4096];
	int i, n = scandir(path, &v, NULL, alphasort);

	if (n < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	for (i = 0; i < n; i++) {
		if (v[i]->d_name[0] != '.') {
			(void)snprintf(full, sizeof(full), "%s/%s", path, v[i]->d_name);
			run_file(full);
		}
		free(v[i]);
	}
	free(v);
}

int
main(int argc, char **argv)
{
	size_t min = 0;
	struct stat st;
	int i = 1;

	(void)signal(SIGABRT, say_which);
	(void)signal(SIGALRM, say_which);
	if (argc > 2 && strcmp(argv[1], "--min") == 0) {
		min = (size_t)strtoull(argv[2], NULL, 10);
		i = 3;
	}
	for (; i < argc; i++)
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			run_dir(argv[i]);
		else
			run_file(argv[i]);
	(void)printf("%zu inputs hold, the slowest took %.3f s: %s\n", ninputs, slowest,
		     slowest_name);
	if (ninputs >= min)
		return 0;
	(void)fprintf(stderr, "there should be at least %zu inputs\n", min);
	return 1;
}
