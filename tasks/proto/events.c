#include "tasks/proto/events.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "tasks/proto/attempt_dir.h"

#define POLL_CHUNK ((size_t)64 << 10)
#define POLL_MAX   ((size_t)1 << 20)

/* Read a string member into ${out}; NULL if it is absent.  -1 if it is no string. */
static int
text(const json_t *o, const char *key, const char **out)
{
	const json_t *v = json_object_get(o, key);

	*out = v != NULL ? json_string_value(v) : NULL;
	return v != NULL && *out == NULL ? -1 : 0;
}

static int
need_text(const json_t *o, const char *key, const char **out)
{
	return text(o, key, out) != 0 || *out == NULL || **out == '\0' ? -1 : 0;
}

static int
number(const json_t *o, const char *key, double *out)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_number(v))
		return -1;
	*out = json_number_value(v);
	return isfinite(*out) ? 0 : -1;
}

static int
integer(const json_t *o, const char *key, int64_t *out)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		return -1;
	*out = json_integer_value(v);
	return 0;
}

static int
read_progress(struct event *ev, const json_t *o)
{
	ev->total = -1;
	if (number(o, "done", &ev->done) != 0 || ev->done < 0)
		return -1;
	if (json_object_get(o, "total") != NULL &&
	    !json_is_null(json_object_get(o, "total")) &&
	    (number(o, "total", &ev->total) != 0 || ev->total < 0))
		return -1;
	return text(o, "unit", &ev->unit) != 0 || text(o, "message", &ev->message) != 0
		   ? -1
		   : 0;
}

static int
read_metric(struct event *ev, const json_t *o)
{
	ev->step = INT64_MIN;
	if (need_text(o, "name", &ev->name) != 0 || number(o, "value", &ev->value) != 0)
		return -1;
	if (json_object_get(o, "step") != NULL && integer(o, "step", &ev->step) != 0)
		return -1;
	return 0;
}

static int
read_artifact(struct event *ev, const json_t *o)
{
	return need_text(o, "path", &ev->path);
}

static int
read_check(struct event *ev, const json_t *o)
{
	static const char *const words[] = {"pass", "fail", "warn", "error"};

	if (need_text(o, "name", &ev->name) != 0 ||
	    need_text(o, "status", &ev->status) != 0 ||
	    text(o, "message", &ev->message) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(ev->status, words[i]) == 0)
			return 0;
	return -1;
}

static int
read_span(struct event *ev, const json_t *o)
{
	if (need_text(o, "name", &ev->name) != 0 ||
	    integer(o, "start_us", &ev->start_us) != 0 ||
	    integer(o, "end_us", &ev->end_us) != 0)
		return -1;
	return ev->end_us >= ev->start_us ? 0 : -1;
}

static const struct {
	const char *word;
	int (*read)(struct event *, const json_t *);
} types[] = {
    [EVENT_PROGRESS] = {"progress", read_progress},
    [EVENT_METRIC] = {"metric", read_metric},
    [EVENT_ARTIFACT] = {"artifact", read_artifact},
    [EVENT_CHECK] = {"check", read_check},
    [EVENT_SPAN] = {"span", read_span},
};

static bool
is_blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
			return false;
	return true;
}

/* One whole line. */
static void
take(struct events *e, const char *p, size_t n, event_fn *fn, void *ctx)
{
	struct event ev = {.line = p, .len = n};
	const char *word;
	json_t *o;
	size_t i;

	if (is_blank(p, n))
		return;
	o = json_parse(p, n, NULL);
	if (!json_is_object(o) || need_text(o, "event", &word) != 0) {
		e->malformed++;
		json_decref(o);
		return;
	}
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].word, word) == 0)
			break;
	ev.json = o;
	if (i == sizeof(types) / sizeof(types[0])) {
		e->unknown++;
	} else if (types[i].read(&ev, o) != 0) {
		e->malformed++;
	} else {
		ev.type = (enum event_type)i;
		e->count++;
		fn(ctx, &ev);
	}
	json_decref(o);
}

/* Keep the start of a line whose end has not come yet; one that is too long is dropped. */
static int
keep(struct events *e, const char *p, size_t n, struct err *err)
{
	char *q;

	if (n == 0)
		return 0;
	if (n > EVENTS_LINE_MAX - e->npart) {
		e->skipping = true;
		e->npart = 0;
		return 0;
	}
	if (e->npart + n > e->cap) {
		size_t cap = e->cap != 0 ? e->cap : 512;

		while (cap < e->npart + n)
			cap *= 2;
		if ((q = realloc(e->part, cap)) == NULL)
			return err_nomem(err);
		e->part = q;
		e->cap = cap;
	}
	memcpy(e->part + e->npart, p, n);
	e->npart += n;
	return 0;
}

/* The line that ends here with the ${n} bytes at ${p}. */
static int
end_line(struct events *e, const char *p, size_t n, event_fn *fn, void *ctx,
	 struct err *err)
{
	if (!e->skipping && e->npart == 0 && n <= EVENTS_LINE_MAX) {
		take(e, p, n, fn, ctx);
		return 0;
	}
	if (!e->skipping && keep(e, p, n, err) != 0)
		return -1;
	if (e->skipping)
		e->malformed++;
	else
		take(e, e->part, e->npart, fn, ctx);
	e->skipping = false;
	e->npart = 0;
	return 0;
}

int
events_feed(struct events *e, const char *p, size_t n, event_fn *fn, void *ctx,
	    struct err *err)
{
	if (n > EVENTS_FILE_MAX - e->offset) {
		n = (size_t)(EVENTS_FILE_MAX - e->offset);
		e->capped = true;
	}
	while (n > 0) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl != NULL ? (size_t)(nl - p) : n;
		size_t used = nl != NULL ? len + 1 : len;

		if (nl != NULL) {
			if (end_line(e, p, len, fn, ctx, err) != 0)
				return -1;
		} else if (!e->skipping && keep(e, p, len, err) != 0) {
			return -1;
		}
		e->offset += used;
		p += used;
		n -= used;
	}
	return 0;
}

int
events_poll(struct events *e, int dirfd, event_fn *fn, void *ctx, struct err *err)
{
	static const int flags =
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
	size_t done = 0;
	ssize_t n = 0;
	char *p;
	int fd, rc = 0, e_no = 0;

	if (e->capped)
		return 0;
	if ((fd = openat(dirfd, ATTEMPT_EVENTS, flags)) < 0)
		return errno == ENOENT
			   ? 0
			   : err_sys(err, errno, "cannot open '%s'", ATTEMPT_EVENTS);
	if ((p = malloc(POLL_CHUNK)) == NULL) {
		(void)close(fd); /* only read */
		return err_nomem(err);
	}
	while (rc == 0 && done < POLL_MAX && !e->capped) {
		n = pread(fd, p, POLL_CHUNK, (off_t)e->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		rc = events_feed(e, p, (size_t)n, fn, ctx, err);
		done += (size_t)n;
	}
	if (n < 0)
		e_no = errno;
	free(p);
	(void)close(fd); /* only read */
	if (e_no != 0)
		return err_sys(err, e_no, "cannot read '%s'", ATTEMPT_EVENTS);
	return rc != 0 ? -1 : done >= POLL_MAX && !e->capped ? 1 : 0;
}

int
events_finish(struct events *e, event_fn *fn, void *ctx, struct err *err)
{
	if (e->npart == 0 && !e->skipping)
		return 0;
	/* What the cap has cut in two is no line. */
	if (e->capped) {
		e->npart = 0;
		e->skipping = false;
		return 0;
	}
	return end_line(e, NULL, 0, fn, ctx, err);
}

void
events_release(struct events *e)
{
	free(e->part);
	e->part = NULL;
	e->npart = e->cap = 0;
}
