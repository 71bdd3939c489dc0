# Modules: shared objects that `dag` loads when it first needs them (store/module.h).

# The functions of base/ that modules may call, one a line.
set(DAG_EXPORTS ${CMAKE_SOURCE_DIR}/cmake/exports.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${DAG_EXPORTS})
file(STRINGS ${DAG_EXPORTS} dag_exports REGEX "^[a-z]")
list(JOIN dag_exports ";\n" dag_export_list)
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/exports.ld CONTENT "{\n${dag_export_list};\n};\n")

# dag_module(NAME FLOOR floor SOURCES ... [LIBS targets...])
# libexec/dag/dag-NAME.so: it sees the headers of FLOOR and of those below, and takes their
# functions from the program that loads it.
function(dag_module name)
	cmake_parse_arguments(M "" "FLOOR" "SOURCES;LIBS" ${ARGN})
	add_library(dag-${name} MODULE ${M_SOURCES})
	target_include_directories(dag-${name} PRIVATE
		$<TARGET_PROPERTY:dag_${M_FLOOR},INTERFACE_INCLUDE_DIRECTORIES>)
	target_link_libraries(dag-${name} PRIVATE dag_flags dag_sanitize ${M_LIBS})
	target_compile_options(dag-${name} PRIVATE -fvisibility=hidden)
	target_link_options(dag-${name} PRIVATE
		-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
	set_target_properties(dag-${name} PROPERTIES PREFIX ""
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec/dag)
	set_property(GLOBAL APPEND PROPERTY DAG_MODULES dag-${name})
	install(TARGETS dag-${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/dag)
endfunction()

# dag_loads_modules(TARGET): a program that does.  It holds and exports what they may call, and
# they are built before it.
function(dag_loads_modules target)
	list(TRANSFORM dag_exports PREPEND "-Wl,-u," OUTPUT_VARIABLE undefined)
	target_link_options(${target} PRIVATE ${undefined}
		-Wl,--dynamic-list=${CMAKE_BINARY_DIR}/exports.ld)
	get_property(modules GLOBAL PROPERTY DAG_MODULES)
	add_dependencies(${target} ${modules})
endfunction()
