#ifndef DAG_CLI_OPTS_H
#define DAG_CLI_OPTS_H
/*
 * Options of the command line, as tables: parsing, help, docs/cli.md, and whatever completes
 * or documents them later all read the same rows.  Options may stand anywhere behind their
 * verb, as git has it: --name=value, --name value, -nvalue, -n value, flags joined (-fv), and
 * "--" ends them.  Names are never abbreviated, so that a new option cannot change what an
 * old script means.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define OPTS_REPEAT_MAX 1000 /* times that a repeatable option may be given */
#define OPTS_TABLE_MAX	48   /* options of one table */

enum opt_kind {
	OPT_FLAG,    /* bool */
	OPT_STRING,  /* const char *, NULL: not given */
	OPT_STRINGS, /* struct opt_strings: may be given again and again */
	OPT_UINT,    /* struct opt_uint, between min and max */
	OPT_CHOICE   /* int: the index in choices; -1 must be put in before: not given */
};

struct opt_strings {
	const char **v; /* malloc'ed, freed by opts_release */
	size_t n;
};

struct opt_uint {
	bool set;
	uint64_t v;
};

/* A table ends with a row without a name. */
struct opt {
	const char *name; /* without the dashes */
	char letter;	  /* of its short form, or 0 */
	enum opt_kind kind;
	size_t at;	 /* offset of its value in the struct it is parsed into */
	const char *arg; /* what stands for the value in help: "FILE" */
	const char *const *choices; /* of OPT_CHOICE, NULL-terminated */
	uint64_t min, max;	    /* of OPT_UINT */
	bool
	    bare; /* of OPT_STRINGS: the value may be missing (no word follows, or another
		    * option): it is "" then */
	const char *doc; /* sentences for people; NULL: not shown in help */
};

/* A table with the struct that its values go to. */
struct opts_target {
	const struct opt *table;
	void *values;
	uint64_t seen; /* bit i: row i was given; starts as 0 */
};

/**
 * opts_init(t):
 * Put "not given" into the values of ${t}, which are zeroed: -1 for choices.
 */
void opts_init(struct opts_target *);

/**
 * opts_parse(targets, ntargets, whole, argv, nrest, err):
 * Parse the NULL-terminated ${argv} against all tables of ${targets}.  With ${whole},
 * options may stand anywhere, and what is no option is moved to the front of ${argv};
 * without, parsing ends at the first such word.  ${nrest} is how many words are no options
 * (or the index of the first one).  Return 0, or -1 with ERR_INVALID: an unknown option (with
 * a suggestion), a missing or superfluous value, a number out of its range, an option given
 * twice.
 */
int opts_parse(struct opts_target *, size_t, bool, char **, size_t *, struct err *);

/**
 * opts_parse_command(targets, ntargets, command, argv, nrest, err):
 * As opts_parse with whole; but where the first word that is no option is ${command} (NULL: never),
 * the next one ends the options: it and all behind it are a command with options of its own.
 */
int opts_parse_command(struct opts_target *, size_t, const char *, char **, size_t *,
		       struct err *);

/**
 * opts_release(t):
 * Free the lists among the values of ${t}.
 */
void opts_release(struct opts_target *);

#endif
