#ifndef UNIT_BASE_FAULT_H
#define UNIT_BASE_FAULT_H
/*
 * A hook for fsio_set_fault: from the nth call of one kind on, so many times, an answer.
 */
#include <unistd.h>

#include "base/fsio.h"

#define FAULT_EXIT 9999 /* as an answer: the process dies there, as by a power loss */

struct fault {
	enum fsio_op op;
	int from; /* the first call that is hit, from 1 */
	int times;
	int answer;
	int seen; /* calls of this kind so far */
};

static inline int
fault_hook(void *ctx, enum fsio_op op, const char *path)
{
	struct fault *f = ctx;

	(void)path;
	if (op != f->op)
		return 0;
	f->seen++;
	if (f->seen < f->from || f->seen >= f->from + f->times)
		return 0;
	if (f->answer == FAULT_EXIT)
		_exit(0);
	return f->answer;
}

static inline void
fault_start(struct fault *f)
{
	f->seen = 0;
	fsio_set_fault(fault_hook, f);
}

static inline void
fault_end(void)
{
	fsio_set_fault(NULL, NULL);
}

#endif
