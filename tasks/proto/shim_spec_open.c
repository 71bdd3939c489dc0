/*
 * The shim's side of the spec.  Compiled into the shim: no allocation, no stdio, no system call.
 */
#include <string.h>

#include "tasks/proto/mask.h"
#include "tasks/proto/shim_spec.h"
#include "tasks/proto/shim_spec_wire.h"

#define SLOT sizeof(uintptr_t)

/* Return the string at ${at}: the last byte of the whole is NUL, so it ends inside. */
static char *
string_at(const struct spec_wire *w, char *base, uint64_t at)
{
	return at >= sizeof(*w) && at < w->size ? base + at : NULL;
}

/*
 * Return the ${n} slots at ${at}, or NULL if they do not lie inside.
 */
static char **
slots_at(const struct spec_wire *w, char *base, uint64_t at, uint64_t n)
{
	if (at < sizeof(*w) || at % SLOT != 0 || at > w->size || n > w->size / SLOT ||
	    n * SLOT > w->size - at)
		return NULL;
	return (char **)(void *)(base + at);
}

/* Turn ${n} offsets into pointers, and the slot behind them into NULL. */
static int
patch(const struct spec_wire *w, char *base, char **slot, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uintptr_t at;

		memcpy(&at, &slot[i], sizeof(at));
		if ((slot[i] = string_at(w, base, at)) == NULL)
			return -1;
	}
	slot[n] = NULL;
	return 0;
}

int
shim_spec_open(char *base, size_t size, struct shim_spec_view *v)
{
	const struct spec_wire *w = (const struct spec_wire *)(const void *)base;
	char **argv, **envp;

	if (size <= sizeof(*w) || size > SPEC_SIZE_MAX)
		return -1;
	if (memcmp(w->magic, SPEC_MAGIC, sizeof(w->magic)) != 0 ||
	    w->protocol != SHIM_PROTOCOL || w->size != size || base[size - 1] != '\0' ||
	    w->argc < 1 || w->argc > size || w->envc > size || w->timeout_us < 0 ||
	    w->timeout_us > SHIM_TIME_MAX || w->grace_us < 0 ||
	    w->grace_us > SHIM_TIME_MAX || w->log_limit < SHIM_LOG_MIN ||
	    w->log_limit > SHIM_LOG_MAX || w->owner < 0 || w->memory < 0 ||
	    w->page == 0 || w->cgroup_kind > SHIM_CGROUP_V1 ||
	    (w->cgroup_kind == SHIM_CGROUP_NONE) != (w->cgroup == 0))
		return -1;
	if ((argv = slots_at(w, base, w->argv, w->argc + 2)) == NULL ||
	    (envp = slots_at(w, base, w->envp, w->envc + 1)) == NULL ||
	    patch(w, base, argv + 1, w->argc) != 0 || patch(w, base, envp, w->envc) != 0)
		return -1;
	*v = (struct shim_spec_view){
	    .argv = argv + 1,
	    .envp = envp,
	    .cwd = string_at(w, base, w->cwd),
	    .attempt_id = string_at(w, base, w->attempt_id),
	    .boot_id = string_at(w, base, w->boot_id),
	    .pidns = w->pidns,
	    .oom_kills = w->oom_kills,
	    .timeout_us = w->timeout_us,
	    .grace_us = w->grace_us,
	    .log_limit = w->log_limit,
	    .leave_children = w->leave_children != 0,
	    .owner = w->owner,
	    .memory = w->memory,
	    .cgroup_kind = (enum shim_cgroup)w->cgroup_kind,
	    .page = w->page,
	};
	if (w->cgroup != 0 && (v->cgroup = string_at(w, base, w->cgroup)) == NULL)
		return -1;
	if (v->cwd == NULL || v->attempt_id == NULL || v->boot_id == NULL)
		return -1;
	if (w->mask != 0) {
		if (w->mask < sizeof(*w) || w->mask % 8 != 0 || w->mask > size ||
		    w->mask_size > size - w->mask)
			return -1;
		v->mask = (const struct mask *)(const void *)(base + w->mask);
		if (!mask_valid(v->mask, (size_t)w->mask_size))
			return -1;
	}
	return 0;
}
