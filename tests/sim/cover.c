/*
 * The table of states and events, with counts.
 */
#include "cover.h"

#include <stdio.h>

#include "scheduler/engine_int.h"

_Static_assert(INST_STATES <= COVER_STATES && TE_EVENTS <= COVER_EVENTS, "room for all");

static struct cover seen;
static bool late;
static char strange[64];

static const char *const events[TE_EVENTS] = {
    [TE_ADMITTED] = "admitted", [TE_BLOCKED] = "blocked", [TE_PREPARED] = "prepared",
    [TE_STARTED] = "started",	[TE_VOID] = "void",	  [TE_EXITED] = "exited",
    [TE_LOST] = "lost",		[TE_OUTPUTS] = "outputs", [TE_DUE] = "due",
    [TE_CANCEL] = "cancel",
};

static const char *
state_name(unsigned state)
{
	return state == INST_PROPOSED ? "(proposed)"
				      : task_state_name((enum task_state)state);
}

#ifdef DAG_SIM
/* The engine's door: see scheduler/engine_probe.h. */
void
engine_seen(unsigned state, unsigned event)
{
	if (late) {
		seen.late[state][event]++;
		return;
	}
	seen.hits[state][event]++;
	if (!task_event_legal((uint8_t)state, (enum task_event)event))
		(void)snprintf(strange, sizeof(strange), "%s x %s", state_name(state),
			       events[event]);
}
#endif

void
cover_reset(void)
{
	seen = (struct cover){0};
	strange[0] = '\0';
	late = false;
}

void
cover_get(struct cover *out)
{
	*out = seen;
}

void
cover_add(struct cover *to, const struct cover *more)
{
	unsigned i, k;

	for (i = 0; i < COVER_STATES; i++)
		for (k = 0; k < COVER_EVENTS; k++) {
			to->hits[i][k] += more->hits[i][k];
			to->late[i][k] += more->late[i][k];
		}
}

void
cover_late(bool on)
{
	late = on;
}

const char *
cover_strange(void)
{
	return strange[0] != '\0' ? strange : NULL;
}

/* One cell: its count, `-` where the table knows nothing, `(n)` for n that came too late. */
static int
cell(const struct cover *c, unsigned state, unsigned event, unsigned *legal)
{
	uint64_t n = c->hits[state][event], l = c->late[state][event];
	bool known = task_event_legal((uint8_t)state, (enum task_event)event);
	char text[32];

	*legal += known;
	if (known && n == 0)
		(void)snprintf(text, sizeof(text), "UNHIT");
	else if (known)
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	else if (n > 0)
		(void)snprintf(text, sizeof(text), "ILLEGAL");
	else if (l > 0)
		(void)snprintf(text, sizeof(text), "(%llu)", (unsigned long long)l);
	else
		(void)snprintf(text, sizeof(text), "-");
	(void)printf(" %9s", text);
	return known == (n > 0) ? 0 : 1;
}

int
cover_print(const struct cover *c)
{
	unsigned state, event, legal = 0;
	int bad = 0;

	(void)printf("%-13s", "");
	for (event = 0; event < TE_EVENTS; event++)
		(void)printf(" %9s", events[event]);
	(void)printf("\n");
	for (state = 0; state < INST_STATES; state++) {
		(void)printf("%-13s", state_name(state));
		for (event = 0; event < TE_EVENTS; event++)
			bad += cell(c, state, event, &legal);
		(void)printf("\n");
	}
	(void)printf("sim: %u legal cells, %d of them never asked for or strange; "
		     "(n): reports made to come too late, which are dropped\n",
		     legal, bad);
	return bad > 0;
}
