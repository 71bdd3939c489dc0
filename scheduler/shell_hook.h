#ifndef DAG_SCHEDULER_SHELL_HOOK_H
#define DAG_SCHEDULER_SHELL_HOOK_H
/*
 * What the renderer tells the shell's hook besides scheduler/render.h.
 */
struct shell_hook;

/* Stands in every refusal between what is wrong and the two ways out. */
#define SHELL_WAYS_OUT "; pass it in the environment: "

/**
 * shell_hook_source(h, src):
 * Let refusals show the expressions of the template ${src}, NUL-terminated, which must
 * outlive ${h}.
 */
void shell_hook_source(struct shell_hook *, const char *);

#endif
