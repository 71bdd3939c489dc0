#ifndef UNIT_CLI_FIXTURE_H
#define UNIT_CLI_FIXTURE_H
/*
 * What the unit tests of cli share: cmocka with what it needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/textwidth.h"

#endif
