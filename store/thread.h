#ifndef DAG_STORE_THREAD_H
#define DAG_STORE_THREAD_H
#include <pthread.h>
#include <stdint.h>

/**
 * thread_start(t, fn, arg):
 * Start a thread that gets no signals (they are the main thread's) and a small stack.
 * Return 0 or an errno.
 */
int thread_start(pthread_t *, void *(*)(void *), void *);

/**
 * thread_cond_init(c), thread_cond_wait(c, mutex, until_us):
 * A condition that can be waited for until an instant of the monotonic clock, the mutex held.
 * Return 0 or an errno (ETIMEDOUT).
 */
int thread_cond_init(pthread_cond_t *);
int thread_cond_wait(pthread_cond_t *, pthread_mutex_t *, int64_t);

#endif
