#ifndef DAG_STORE_THREAD_H
#define DAG_STORE_THREAD_H
#include <pthread.h>

/**
 * thread_start(t, fn, arg):
 * Start a thread that gets no signals (they are the main thread's) and a small stack.
 * Return 0 or an errno.
 */
int thread_start(pthread_t *, void *(*)(void *), void *);

#endif
