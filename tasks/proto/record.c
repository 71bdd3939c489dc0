#include "tasks/proto/record.h"

#include <stddef.h>
#include <string.h>

#include "tasks/proto/kvline.h"

static const char *const step_names[EXIT_STEP_MAX] = {
    [EXIT_STEP_NONE] = "none",	     [EXIT_STEP_STOP] = "stop",
    [EXIT_STEP_PIPE] = "pipe",	     [EXIT_STEP_FORK] = "fork",
    [EXIT_STEP_SETUP] = "setup",     [EXIT_STEP_CHDIR] = "chdir",
    [EXIT_STEP_STARTED] = "started", [EXIT_STEP_EXEC] = "exec",
    [EXIT_STEP_SCRIPT] = "script",
};
static const char *const stop_names[] = {"none", "term", "kill"};
static const char *const oom_names[] = {"unknown", "no", "yes"};
static const char *const mem_names[] = {"none", "sampled", "cgroup"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
exit_step_name(enum exit_step s)
{
	return (size_t)s < COUNT(step_names) ? step_names[s] : "setup";
}

const char *
exit_stop_name(enum exit_stop s)
{
	return (size_t)s < COUNT(stop_names) ? stop_names[s] : "term";
}

const char *
exit_oom_name(enum exit_oom s)
{
	return (size_t)s < COUNT(oom_names) ? oom_names[s] : "unknown";
}

const char *
exit_mem_name(enum exit_mem m)
{
	return (size_t)m < COUNT(mem_names) ? mem_names[m] : "none";
}

/* The plain numbers of the record: one table for both directions. */
enum kind { K_I64, K_INT, K_BOOL };
static const struct field {
	const char *key;
	size_t at;
	enum kind kind;
} fields[] = {
#define F(key, member, kind)                                    \
	{                                                       \
		key, offsetof(struct exit_record, member), kind \
	}
    F("status", status, K_INT),
    F("signal", signal, K_INT),
    F("core", core, K_BOOL),
    F("errno", sys, K_INT),
    F("timed_out", timed_out, K_BOOL),
    F("killed", killed, K_BOOL),
    F("start_us", start_us, K_I64),
    F("end_us", end_us, K_I64),
    F("dur_us", dur_us, K_I64),
    F("user_us", user_us, K_I64),
    F("sys_us", sys_us, K_I64),
    F("maxrss_kib", maxrss_kib, K_I64),
    F("minflt", minflt, K_I64),
    F("majflt", majflt, K_I64),
    F("inblock", inblock, K_I64),
    F("oublock", oublock, K_I64),
    F("nvcsw", nvcsw, K_I64),
    F("nivcsw", nivcsw, K_I64),
    F("survivors", survivors, K_I64),
    F("unkilled", unkilled, K_I64),
    F("log_bytes", log_bytes, K_I64),
    F("log_stored", log_stored, K_I64),
    F("log_failed", log_failed, K_INT),
    F("mem_limit", mem_limit, K_I64),
    F("mem_peak_kib", mem_peak_kib, K_I64),
    F("mem_over", mem_over, K_BOOL),
#undef F
};

static int64_t
field_get(const struct exit_record *r, const struct field *f)
{
	const char *p = (const char *)r + f->at;
	int64_t v;
	int i;
	bool b;

	switch (f->kind) {
	case K_INT:
		memcpy(&i, p, sizeof(i));
		return i;
	case K_BOOL:
		memcpy(&b, p, sizeof(b));
		return b;
	case K_I64:
	default:
		memcpy(&v, p, sizeof(v));
		return v;
	}
}

static int
field_set(struct exit_record *r, const struct field *f, int64_t v)
{
	char *p = (char *)r + f->at;
	int i = (int)v;
	bool b = v != 0;

	switch (f->kind) {
	case K_INT:
		if (i != v)
			return -1;
		memcpy(p, &i, sizeof(i));
		return 0;
	case K_BOOL:
		if (v != 0 && v != 1)
			return -1;
		memcpy(p, &b, sizeof(b));
		return 0;
	case K_I64:
	default:
		memcpy(p, &v, sizeof(v));
		return 0;
	}
}

size_t
exit_record_encode(const struct exit_record *r, char out[EXIT_RECORD_MAX])
{
	struct kvline k;

	kvline_begin(&k, out, EXIT_RECORD_MAX, EXIT_RECORD_VERSION);
	kvline_word(&k, "step", exit_step_name(r->step));
	kvline_word(&k, "stop", exit_stop_name(r->stop));
	kvline_word(&k, "oom", exit_oom_name(r->oom));
	kvline_word(&k, "mem", exit_mem_name(r->mem));
	for (size_t i = 0; i < COUNT(fields); i++)
		kvline_int(&k, fields[i].key, field_get(r, &fields[i]));
	/* It fits: 30 pairs of at most 32 bytes each (a test writes the widest record). */
	return kvline_end(&k);
}

/* The index of the word, or ${other} for a word of a shim that is newer than we are. */
static int
word(const struct kvpair *kv, const char *const *names, size_t n, int other)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == kv->nval &&
		    memcmp(names[i], kv->val, kv->nval) == 0)
			return (int)i;
	return other;
}

static int
take(struct exit_record *r, const struct kvpair *kv)
{
	int64_t v;

	if (kvpair_is(kv, "step")) {
		r->step = (enum exit_step)word(kv, step_names, COUNT(step_names),
					       EXIT_STEP_SETUP);
		return 0;
	}
	if (kvpair_is(kv, "stop")) {
		r->stop = (enum exit_stop)word(kv, stop_names, COUNT(stop_names),
					       EXIT_STOP_TERM);
		return 0;
	}
	if (kvpair_is(kv, "oom")) {
		r->oom = (enum exit_oom)word(kv, oom_names, COUNT(oom_names),
					     EXIT_OOM_UNKNOWN);
		return 0;
	}
	if (kvpair_is(kv, "mem")) {
		r->mem =
		    (enum exit_mem)word(kv, mem_names, COUNT(mem_names), EXIT_MEM_NONE);
		return 0;
	}
	for (size_t i = 0; i < COUNT(fields); i++)
		if (kvpair_is(kv, fields[i].key))
			return kvpair_int(kv, &v) != 0 ? -1 : field_set(r, &fields[i], v);
	return 0; /* an unknown key of a newer shim */
}

enum record_state
exit_record_decode(struct exit_record *r, const char *p, size_t n)
{
	struct kvreader in;
	struct kvpair kv;
	int more;

	memset(r, 0, sizeof(*r));
	if (n > EXIT_RECORD_MAX || kvline_open(&in, p, n) != 0)
		return RECORD_ABSENT;
	if (in.version > EXIT_RECORD_VERSION)
		return RECORD_NEWER;
	r->version = (int)in.version;
	r->status = -1;
	while ((more = kvline_next(&in, &kv)) == 1)
		if (take(r, &kv) != 0)
			break;
	if (more != 0) {
		memset(r, 0, sizeof(*r));
		return RECORD_ABSENT;
	}
	return RECORD_VALID;
}
