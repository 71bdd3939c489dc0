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

static void
begin(const struct crew_job *job, struct sim_failure *failure)
{
	struct rlimit none = {0};

	(void)setrlimit(RLIMIT_CORE, &none);
	sim_mutant(job->mutant);
	cover_reset();
	if (job->mutant != 0) { /* what an assertion prints is of no interest */
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)dup2(fd, STDERR_FILENO);
	}
	sim_report_to(failure);
}

static void
play(uint64_t seed, const struct crew_job *job, struct sim_totals *totals)
{
	struct sim *s = sim_alloc(1, sizeof(*s));

	s->seed = seed;
	s->defect = job->mutant != 0;
	(void)alarm(SEED_SECONDS);
	sim_play(s, job->tasks);
	sim_totals_add(totals, &s->totals);
	sim_release(s);
	free(s);
}

static _Noreturn void
work(const struct crew_job *job, struct hall *hall, struct desk *desk)
{
	uint64_t seed;

	begin(job, &desk->result.failure);
	for (;;) {
		seed = __atomic_fetch_add(&hall->next, 1, __ATOMIC_SEQ_CST);
		if (seed > __atomic_load_n(&hall->last, __ATOMIC_SEQ_CST))
			break;
		desk->seed = seed;
		play(seed, job, &desk->result.totals);
	}
	cover_get(&desk->result.cover);
	_exit(0);
}

/* How a process ended, if it was not by the judges. */
static void
crashed(struct sim_failure *f, uint64_t seed, int status)
{
	if (f->seed != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return;
	f->seed = seed;
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

/* Memory that a child writes and its parent reads. */
static void *
shared(size_t size)
{
	void *p =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	(void)fflush(NULL);
	return p;
}

void
crew_play(const struct crew_job *job, struct crew_result *out)
{
	unsigned n = job->jobs == 0 ? 1 : job->jobs > CREW_MAX ? CREW_MAX : job->jobs, i;
	pid_t pids[CREW_MAX];
	struct hall *hall = shared(sizeof(*hall));

	hall->next = job->from;
	hall->last = job->to;
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
		crashed(&hall->desks[k].result.failure, hall->desks[k].seed, status);
		if (hall->desks[k].result.failure.seed != 0)
			lower(&hall->last, hall->desks[k].result.failure.seed);
	}
	for (i = 0; i < n; i++)
		gather(out, &hall->desks[i].result);
	(void)munmap(hall, sizeof(*hall));
}

static _Noreturn void
play_alone(const struct crew_job *job, const struct sim_cut *cut, bool tell,
	   struct crew_one *out)
{
	struct sim *s = sim_alloc(1, sizeof(*s));

	begin(job, &out->failure);
	s->seed = job->from;
	s->cut = cut;
	s->tell = tell;
	s->defect = job->mutant != 0;
	s->fired = &out->fired;
	(void)alarm(SEED_SECONDS);
	sim_play(s, job->tasks);
	sim_totals_add(&out->totals, &s->totals);
	(void)fflush(stdout);
	_exit(0);
}

bool
crew_alone(const struct crew_job *job, const struct sim_cut *cut, bool tell,
	   struct crew_one *out)
{
	struct crew_one *one = shared(sizeof(*one));
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		play_alone(job, cut, tell, one);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	crashed(&one->failure, job->from, status);
	*out = *one;
	(void)munmap(one, sizeof(*one));
	return out->failure.seed != 0;
}
