#include <stdlib.h>

#include "store/objects/scan_internal.h"
#include "store/thread.h"

static void
work(struct worker *w)
{
	struct pool *p = &w->s->pool;
	struct task *t;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		if (p->stop)
			break;
		t = p->tasks;
		if (t != NULL) {
			p->tasks = t->next;
			p->busy++;
			(void)pthread_mutex_unlock(&p->lock);
			p->run(w, t);
			(void)pthread_mutex_lock(&p->lock);
			p->busy--;
		} else if (p->busy == 0) {
			break;
		} else {
			p->waiting++;
			(void)pthread_cond_wait(&p->wake, &p->lock);
			p->waiting--;
		}
	}
	/* Whoever waits sees the end, too. */
	(void)pthread_cond_broadcast(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
}

static void *
work_thread(void *arg)
{
	work(arg);
	return NULL;
}

/* One more thread, if there may be; the lock is held. */
static bool
start_one(struct pool *p)
{
	struct worker *w = &p->workers[p->started];

	if (p->started >= p->max || thread_start(&w->thread, work_thread, w) != 0)
		return false;
	p->started++;
	return true;
}

void
pool_run(struct pool *p, void (*run)(struct worker *, struct task *))
{
	struct task *t;
	unsigned i;

	p->run = run;
	p->started = 1;
	(void)pthread_mutex_lock(&p->lock);
	for (t = p->tasks; t != NULL && t->next != NULL && start_one(p); t = t->next)
		;
	(void)pthread_mutex_unlock(&p->lock);
	work(&p->workers[0]);
	/* Nobody pushes any more, so no thread is started. */
	for (i = 1; i < p->started; i++)
		(void)pthread_join(p->workers[i].thread, NULL);
}

void
pool_push(struct pool *p, struct task *t)
{
	(void)pthread_mutex_lock(&p->lock);
	t->next = p->tasks;
	p->tasks = t;
	if (p->waiting > 0)
		(void)pthread_cond_signal(&p->wake);
	else if (p->busy > 0)
		(void)start_one(p);
	(void)pthread_mutex_unlock(&p->lock);
}

void
pool_stop(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
}
