#include "store/thread.h"

#include <signal.h>
#include <time.h>

#define STACK_BYTES ((size_t)512 << 10)

int
thread_start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc != 0)
		return rc;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(t, &attr, fn, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return rc;
}

int
thread_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	int rc;

	rc = pthread_condattr_init(&attr);
	if (rc != 0)
		return rc;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc = pthread_cond_init(c, &attr);
	(void)pthread_condattr_destroy(&attr);
	return rc;
}

int
thread_cond_wait(pthread_cond_t *c, pthread_mutex_t *mutex, int64_t until_us)
{
	struct timespec at = {until_us / 1000000, until_us % 1000000 * 1000};

	return pthread_cond_timedwait(c, mutex, &at);
}
