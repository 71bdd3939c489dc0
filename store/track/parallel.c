#include "store/track/parallel.h"

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "store/thread.h"

struct share {
	void (*fn)(void *, unsigned);
	void *arg;
	unsigned number;
	pthread_t thread;
};

static void *
begin(void *arg)
{
	struct share *s = arg;

	s->fn(s->arg, s->number);
	return NULL;
}

unsigned
parallel_workers(unsigned wanted)
{
	long n = wanted;

	if (wanted == 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)n;
}

void
parallel_run(unsigned workers, void (*fn)(void *, unsigned), void *arg)
{
	struct share v[PARALLEL_MAX];
	unsigned n = 0;

	while (n + 1 < workers) {
		v[n] = (struct share){.fn = fn, .arg = arg, .number = n + 1};
		if (thread_start(&v[n].thread, begin, &v[n]) != 0)
			break;
		n++;
	}
	fn(arg, 0);
	while (n > 0)
		(void)pthread_join(v[--n].thread, NULL);
}
