/*
 * The entry point where the shim stands on the C library.
 */
#include "tasks/shim/shim.h"

int
main(int argc, char **argv)
{
	return shim_main(argc, argv);
}
