#ifndef DAG_TASKS_PROTO_SHIM_SPEC_WIRE_H
#define DAG_TASKS_PROTO_SHIM_SPEC_WIRE_H
/*
 * The bytes of a spec's memfd: this header, then what its offsets name.  Written and read on
 * one machine by programs of one package, so numbers are in the machine's own form and the
 * two pointer arrays have slots of a pointer's size, which the shim patches in place.
 */
#include <stdint.h>

#define SPEC_MAGIC    "DAGSPEC"
#define SPEC_SIZE_MAX ((uint64_t)32 << 20)

struct spec_wire {
	char magic[8];
	uint64_t protocol; /* SHIM_PROTOCOL */
	uint64_t size;	   /* of the whole; its last byte is NUL */
	uint64_t argc;	   /* at least 1 */
	uint64_t argv;	   /* offset of 1 + argc + 1 slots: spare, offsets, NULL */
	uint64_t envc;
	uint64_t envp; /* offset of envc + 1 slots */
	uint64_t cwd;  /* offsets of strings */
	uint64_t attempt_id;
	uint64_t boot_id;
	uint64_t pidns;
	int64_t oom_kills; /* oom_kills_parse() of at most a second before, or -1 */
	int64_t timeout_us;
	int64_t grace_us;
	uint64_t log_limit;
	uint64_t leave_children;
	int64_t owner; /* a pid, or 0 */
	int64_t memory;
	uint64_t cgroup; /* offset of a string, or 0 */
	uint64_t cgroup_kind;
	uint64_t page;
	uint64_t mask; /* offset of a struct mask, or 0 */
	uint64_t mask_size;
};

#endif
