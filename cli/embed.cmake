# cmake -DOUT=FILE -DDIR=completion "-DFILES=a|b" -P embed.cmake
# Turn the completion scripts into one C file: byte arrays, and the table that
# cli/completion.h declares.  Names and bytes only, so that the same sources give the same file
# anywhere.
string(REPLACE "|" ";" FILES "${FILES}")
set(arrays "")
set(table "")
set(count 0)
foreach(name IN LISTS FILES)
	math(EXPR count "${count} + 1")
	string(REPLACE "=" ";" pair ${name})
	list(GET pair 0 shell)
	list(GET pair 1 file)
	file(READ ${DIR}/${file} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "((0x..,)(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?)"
		"\\1\n" bytes "${bytes}")
	string(APPEND arrays "static const char script_${count}[] = {\n${bytes}0};\n\n")
	string(APPEND table "\t{\"${shell}\", script_${count}},\n")
endforeach()
file(WRITE ${OUT} "/* Made from cli/completion by cli/embed.cmake. */
#include \"cli/completion.h\"

${arrays}const struct completion_script completion_scripts[] = {
${table}};
const size_t ncompletion_scripts = ${count};
")
