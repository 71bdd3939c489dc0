/*
 * The entry point where the shim stands on the C library.
 */
#include "tasks/shim/shim.h"

int
main(int argc, char **argv)
{
#ifdef DAG_TEST_DOORS
	shim_fault_init(argv + argc + 1);
#endif
	return shim_main(argc, argv);
}
