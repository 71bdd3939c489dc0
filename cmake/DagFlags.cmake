# Language level, warnings, hardening and sanitizers of the whole tree.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# Cheap checks of our own invariants stay on in every build.
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
	string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
endforeach()

find_program(DAG_CCACHE ccache)
if(DAG_CCACHE)
	set(CMAKE_C_COMPILER_LAUNCHER ${DAG_CCACHE})
endif()

add_library(dag_flags INTERFACE)
target_compile_definitions(dag_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(dag_flags INTERFACE
	-fno-common -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
	-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wold-style-definition -Wvla -Walloca -Wformat=2 -Wwrite-strings -Wcast-qual
	-Wpointer-arith -Wundef -Wconversion -Wsign-conversion -Wdate-time -Wswitch-enum
	-Wimplicit-fallthrough
	$<$<C_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op
	-Wjump-misses-init -Warith-conversion -Wstack-usage=65536>)
if(DAG_WERROR)
	target_compile_options(dag_flags INTERFACE -Werror)
endif()
if(DAG_TEST_DOORS)
	target_compile_definitions(dag_flags INTERFACE DAG_TEST_DOORS=1)
endif()

# Hardening: what Debian's builds carry, and a fortified libc where optimised.
set(dag_hardening -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
	list(APPEND dag_hardening -ftrivial-auto-var-init=zero)
endif()
target_compile_options(dag_flags INTERFACE ${dag_hardening}
	$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
add_library(dag_link INTERFACE)
target_link_options(dag_link INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)

# Sanitizers reach every target but the static shim, which links neither of these.
add_library(dag_sanitize INTERFACE)
if(DAG_SANITIZE)
	target_compile_options(dag_sanitize INTERFACE
		-fsanitize=${DAG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(dag_sanitize INTERFACE -fsanitize=${DAG_SANITIZE})
endif()
