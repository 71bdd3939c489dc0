#include "tasks/proto/shim_info.h"

#include <limits.h>
#include <string.h>

#include "tasks/proto/kvline.h"

size_t
shim_info_encode(const struct shim_info *i, char out[SHIM_INFO_MAX])
{
	struct kvline k;

	kvline_begin(&k, out, SHIM_INFO_MAX, SHIM_INFO_VERSION);
	kvline_int(&k, "protocol", i->protocol);
	kvline_int(&k, "pid", i->pid);
	kvline_u64(&k, "start", i->start);
	kvline_u64(&k, "pidns", i->pidns);
	kvline_int(&k, "session", i->session);
	kvline_word(&k, "boot", i->boot);
	kvline_word(&k, "attempt", i->attempt_id);
	return kvline_end(&k);
}

static int
take_text(const struct kvpair *kv, char *out, size_t cap)
{
	if (kv->nval >= cap)
		return -1;
	memcpy(out, kv->val, kv->nval);
	out[kv->nval] = '\0';
	return 0;
}

static int
take_int(const struct kvpair *kv, int *out)
{
	int64_t v;

	if (kvpair_int(kv, &v) != 0 || v < 0 || v > INT_MAX)
		return -1;
	*out = (int)v;
	return 0;
}

static int
take(struct shim_info *i, const struct kvpair *kv)
{
	if (kvpair_is(kv, "protocol"))
		return take_int(kv, &i->protocol);
	if (kvpair_is(kv, "pid"))
		return take_int(kv, &i->pid);
	if (kvpair_is(kv, "session"))
		return take_int(kv, &i->session);
	if (kvpair_is(kv, "start"))
		return kvpair_u64(kv, &i->start);
	if (kvpair_is(kv, "pidns"))
		return kvpair_u64(kv, &i->pidns);
	if (kvpair_is(kv, "boot"))
		return take_text(kv, i->boot, sizeof(i->boot));
	if (kvpair_is(kv, "attempt"))
		return take_text(kv, i->attempt_id, sizeof(i->attempt_id));
	return 0;
}

int
shim_info_decode(struct shim_info *i, const char *p, size_t n)
{
	struct kvreader in;
	struct kvpair kv;
	int more;

	memset(i, 0, sizeof(*i));
	if (n > SHIM_INFO_MAX || kvline_open(&in, p, n) != 0 ||
	    in.version > SHIM_INFO_VERSION)
		return -1;
	while ((more = kvline_next(&in, &kv)) == 1)
		if (take(i, &kv) != 0)
			break;
	/* A pid of 0 or 1 would let a signal or a sweep reach what is not ours. */
	if (more != 0 || i->pid < 2 || i->session < 2) {
		memset(i, 0, sizeof(*i));
		return -1;
	}
	return 0;
}
