/*
 * Two threads add to one number without a lock: what the ThreadSanitizer must find, or the
 * tests that it watches mean nothing.
 */
#include <pthread.h>
#include <stdio.h>

static volatile int shared;

static void *
add(void *arg)
{
	for (int i = 0; i < 1000; i++)
		shared = shared + 1;
	return arg;
}

int
main(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, add, NULL) != 0)
		return 1;
	(void)add(NULL);
	(void)pthread_join(t, NULL);
	(void)printf("%d\n", shared);
	return 0;
}
