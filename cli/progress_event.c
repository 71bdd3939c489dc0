#include "cli/progress_event.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fsio.h"
#include "base/json.h"
#include "store/meter.h"

#define EVERY_US INT64_C(1000000)

void
progress_event_open(struct progress_event *p, int64_t now_us)
{
	const char *path = getenv("DAG_EVENTS");

	p->fd = -1;
	p->next_us = now_us + EVERY_US;
	if (getenv("DAG_ATTEMPT_ID") == NULL || path == NULL || *path != '/')
		return;
	p->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Bytes where their sum is known, else files. */
static void
put_event(struct buf *b, const struct meter *m)
{
	uint64_t bytes = atomic_load_explicit(&m->bytes_total, memory_order_relaxed);
	uint64_t files = atomic_load_explicit(&m->files_total, memory_order_relaxed);
	const char *phase = atomic_load_explicit(&m->phase, memory_order_relaxed);
	uint64_t total = bytes != 0 ? bytes : files;
	uint64_t done = bytes != 0
			    ? atomic_load_explicit(&m->bytes, memory_order_relaxed)
			    : atomic_load_explicit(&m->files, memory_order_relaxed);
	struct json_writer w;

	json_init(&w, b, 0);
	json_begin_object(&w);
	json_kv_str(&w, "event", "progress");
	json_kv_int(&w, "done", (int64_t)done);
	if (total != 0)
		json_kv_int(&w, "total", (int64_t)total);
	json_kv_str(&w, "unit", bytes != 0 ? "bytes" : "files");
	if (phase != NULL)
		json_kv_str(&w, "message", phase);
	json_end(&w);
	buf_addc(b, '\n');
}

void
progress_event_put(struct progress_event *p, const struct meter *m, int64_t now_us)
{
	struct buf b;

	if (p->fd == -1 || now_us < p->next_us)
		return;
	p->next_us = now_us + EVERY_US;
	buf_init(&b, 0);
	put_event(&b, m);
	if (!buf_failed(&b))
		(void)fsio_write_all(p->fd, b.p, b.n);
	buf_release(&b);
}

void
progress_event_close(struct progress_event *p)
{
	if (p->fd != -1)
		(void)close(p->fd);
	p->fd = -1;
}
