/*
 * Workers on all cores.
 */
#include "crew.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CREW_MAX     64
#define SEED_SECONDS 60 /* for one world: far more than any needs */

/* What one worker leaves for the parent to read. */
struct desk {
	uint64_t seed; /* in play */
	struct crew_result result;
};

struct hall {
	uint64_t next; /* seed */
	uint64_t last; /* no later one is begun; lowered by who fails */
	struct desk desks[CREW_MAX];
};

static void
lower(uint64_t *last, uint64_t seed)
{
	uint64_t was = __atomic_load_n(last, __ATOMIC_SEQ_CST);

	while (seed < was &&
	       !__atomic_compare_exchange_n(last, &was, seed, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
}

static _Noreturn void
work(const struct crew_job *job, struct hall *hall, struct desk *desk)
{
	struct rlimit none = {0};
	uint64_t seed;

	(void)setrlimit(RLIMIT_CORE, &none);
	sim_mutant(job->mutant);
	cover_reset();
	if (job->mutant != 0) { /* what an assertion prints is of no interest */
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)dup2(fd, STDERR_FILENO);
	}
	sim_report_to(&desk->result.failure);
	for (;;) {
		seed = __atomic_fetch_add(&hall->next, 1, __ATOMIC_SEQ_CST);
		if (seed > __atomic_load_n(&hall->last, __ATOMIC_SEQ_CST))
			break;
		desk->seed = seed;
		(void)alarm(SEED_SECONDS);
		sim_play(seed, job->tasks, &desk->result.totals);
	}
	cover_get(&desk->result.cover);
	_exit(0);
}

/* How a worker ended, if it was not by the judges. */
static void
crashed(struct desk *desk, int status)
{
	struct sim_failure *f = &desk->result.failure;

	if (f->seed != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return;
	f->seed = desk->seed;
	(void)snprintf(f->check, sizeof(f->check), "%s",
		       WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT   ? "assertion"
		       : WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hang"
									    : "crash");
	(void)snprintf(f->text, sizeof(f->text), "the engine ended with wait status %d",
		       status);
}

static void
gather(struct crew_result *out, const struct crew_result *one)
{
	sim_totals_add(&out->totals, &one->totals);
	cover_add(&out->cover, &one->cover);
	if (one->failure.seed != 0 &&
	    (out->failure.seed == 0 || one->failure.seed < out->failure.seed))
		out->failure = one->failure;
}

void
crew_play(const struct crew_job *job, struct crew_result *out)
{
	unsigned n = job->jobs == 0 ? 1 : job->jobs > CREW_MAX ? CREW_MAX : job->jobs, i;
	pid_t pids[CREW_MAX];
	struct hall *hall = mmap(NULL, sizeof(*hall), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (hall == MAP_FAILED)
		abort();
	hall->next = job->from;
	hall->last = job->to;
	(void)fflush(NULL);
	for (i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			work(job, hall, &hall->desks[i]);
		if (pids[i] < 0)
			abort();
	}
	*out = (struct crew_result){0};
	for (i = 0; i < n; i++) {
		int status = 0;
		unsigned k;
		pid_t pid = waitpid(-1, &status, 0);

		for (k = 0; k < n && pids[k] != pid; k++)
			;
		if (k == n)
			abort();
		crashed(&hall->desks[k], status);
		if (hall->desks[k].result.failure.seed != 0)
			lower(&hall->last, hall->desks[k].result.failure.seed);
	}
	for (i = 0; i < n; i++)
		gather(out, &hall->desks[i].result);
	(void)munmap(hall, sizeof(*hall));
}
