#include "cli/cli.h"

#ifdef __SANITIZE_ADDRESS__
/* libgit2 1.5 forgets to free what each regular expression that does not match was given, with
 * which it looks at the configuration of some repositories. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2-8\n";
}

const char *__lsan_default_options(void);

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

int
main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
