#ifndef DAG_STORE_METER_H
#define DAG_STORE_METER_H
/*
 * How far a long piece of work is, and the wish that it end.  Workers write the counters, who
 * draws reads them, and who waits sets `cancel`.  Wherever a meter is taken NULL is allowed:
 * nobody looks, nobody stops it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter {
	_Atomic(const char *) phase;	     /* static text: "hashing"; NULL: not begun */
	_Atomic uint64_t files, files_total; /* a total of 0: not known yet */
	_Atomic uint64_t bytes, bytes_total;
	_Atomic bool cancel; /* the work ends with ERR_CANCELLED soon */
};

/* Relaxed: nothing is handed over by these, and a number drawn may be a moment old. */

/* Say what is being done. */
static inline void
meter_phase(struct meter *m, const char *phase)
{
	if (m != NULL)
		atomic_store_explicit(&m->phase, phase, memory_order_relaxed);
}

/* Say what is done from now on, and begin to count anew. */
static inline void
meter_begin(struct meter *m, const char *phase)
{
	if (m == NULL)
		return;
	atomic_store_explicit(&m->files, 0, memory_order_relaxed);
	atomic_store_explicit(&m->bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&m->files_total, 0, memory_order_relaxed);
	atomic_store_explicit(&m->bytes_total, 0, memory_order_relaxed);
	atomic_store_explicit(&m->phase, phase, memory_order_relaxed);
}

/* Say that so much more is done. */
static inline void
meter_add(struct meter *m, uint64_t files, uint64_t bytes)
{
	if (m == NULL)
		return;
	if (files != 0)
		atomic_fetch_add_explicit(&m->files, files, memory_order_relaxed);
	if (bytes != 0)
		atomic_fetch_add_explicit(&m->bytes, bytes, memory_order_relaxed);
}

/* Say that so much more is to be done. */
static inline void
meter_expect(struct meter *m, uint64_t files, uint64_t bytes)
{
	if (m == NULL)
		return;
	atomic_fetch_add_explicit(&m->files_total, files, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->bytes_total, bytes, memory_order_relaxed);
}

/* Whether the work shall end. */
static inline bool
meter_cancelled(const struct meter *m)
{
	return m != NULL && atomic_load_explicit(&m->cancel, memory_order_relaxed);
}

#endif
