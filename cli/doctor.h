#ifndef DAG_CLI_DOCTOR_H
#define DAG_CLI_DOCTOR_H
/*
 * What the parts of `dag doctor` share: findings, each with a grade and, where it is not fine,
 * the way out.
 */
#include "base/vec.h"
#include "cli/place.h"

struct cli;

enum grade { GRADE_OK, GRADE_WARN, GRADE_FAIL };

struct finding {
	const char *what;
	enum grade grade;
	char *text;
};

struct doctor {
	struct cli *c;
	bool full; /* check the database whole */
	struct project project;
	struct place place;
	VEC(struct finding) findings;
	bool failed; /* out of memory */
};

/**
 * doctor_say(d, what, grade, fmt, ...):
 * Add a finding about ${what}, a constant.
 */
void doctor_say(struct doctor *, const char *, enum grade, const char *, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * doctor_project(d):
 * Look at the project: its files, its database, its runs.
 */
void doctor_project(struct doctor *);

/**
 * doctor_data(d):
 * Look at what tracked data stands on, once the project is found: the settings in force, the
 * cache, and which links work between it and the work tree.
 */
void doctor_data(struct doctor *);

#endif
