# cmake -DDAG=bin/dag -DOUT=DIR -DDOCS=DIR -DAWK=awk -DDATE=... -DVERSION=... -P ManPages.cmake
# Make the man pages: dag(1) and one for each verb from the program's own tables, the others
# from their pages in docs/.
function(dag_help out)
	execute_process(COMMAND ${DAG} help --man ${ARGN} OUTPUT_FILE ${out} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${OUT})
file(MAKE_DIRECTORY ${OUT}/man1 ${OUT}/man5 ${OUT}/man7)
dag_help(${OUT}/man1/dag.1)
execute_process(COMMAND ${DAG} help --man verbs OUTPUT_VARIABLE verbs COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${verbs}" verbs)
string(REPLACE "\n" ";" verbs "${verbs}")
foreach(verb IN LISTS verbs)
	dag_help(${OUT}/man1/dag-${verb}.1 ${verb})
endforeach()
foreach(page dag-file=5=dag-file.md dag-templates=7=templates.md dag-protocol=7=task-protocol.md
		dag-progress=7=progress.md)
	string(REPLACE "=" ";" page ${page})
	list(GET page 0 name)
	list(GET page 1 section)
	list(GET page 2 source)
	execute_process(COMMAND ${AWK} -v page=${name} -v section=${section} -v date=${DATE}
		-v version=${VERSION} -f ${CMAKE_CURRENT_LIST_DIR}/md2man.awk ${DOCS}/${source}
		OUTPUT_FILE ${OUT}/man${section}/${name}.${section} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
