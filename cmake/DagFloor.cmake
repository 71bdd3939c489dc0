# dag_floor(NAME SOURCES ... [LOWER floors...] [LIBS targets...])
# One floor of the house: a static library that exposes only its own folder
# (as "NAME/header.h") and links only the floors named in LOWER. The include
# root is a folder of the build tree that holds one link, so that a header of a
# higher floor cannot be found even by accident.
function(dag_floor name)
	cmake_parse_arguments(F "" "" "SOURCES;LOWER;LIBS" ${ARGN})
	if(NOT F_SOURCES)
		set(F_SOURCES ${CMAKE_BINARY_DIR}/empty_${name}.c)
		file(WRITE ${F_SOURCES} "typedef int dag_${name}_is_empty;\n")
	endif()
	add_library(dag_${name} STATIC ${F_SOURCES})
	set(root ${CMAKE_BINARY_DIR}/include/${name})
	file(MAKE_DIRECTORY ${root})
	file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${name} ${root}/${name} SYMBOLIC)
	target_include_directories(dag_${name} PUBLIC ${root})
	target_link_libraries(dag_${name} PRIVATE dag_flags PUBLIC dag_sanitize ${F_LIBS})
	foreach(lower IN LISTS F_LOWER)
		target_link_libraries(dag_${name} PUBLIC dag_${lower})
	endforeach()
endfunction()
