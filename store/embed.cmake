# cmake -DOUT=FILE "-DMIGRATIONS=0001_a.sql|0002_b.sql" -P embed.cmake
# Turn the numbered migrations into one C file: byte arrays (a string literal may not be as long
# as a schema) and the table that store/migrate.h declares.  Names and bytes only, so that the
# same sources give the same file anywhere.
string(REPLACE "|" ";" MIGRATIONS "${MIGRATIONS}")
set(arrays "")
set(table "")
set(count 0)
foreach(file IN LISTS MIGRATIONS)
	get_filename_component(name ${file} NAME_WE)
	math(EXPR count "${count} + 1")
	string(REGEX MATCH "^[0-9]+" number ${name})
	string(REGEX REPLACE "^0+" "" number ${number})
	if(NOT number EQUAL count)
		message(FATAL_ERROR "migration ${name} should have the number ${count}")
	endif()
	file(READ ${file} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "((0x..,)(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?)"
		"\\1\n" bytes "${bytes}")
	string(APPEND arrays "static const char sql_${count}[] = {\n${bytes}0};\n\n")
	string(APPEND table "\t{\"${name}\", sql_${count}},\n")
endforeach()
file(WRITE ${OUT} "/* Made from store/migrations by store/embed.cmake. */
#include \"store/migrate.h\"

${arrays}const struct migration store_migrations[] = {
${table}};
const int store_nmigrations = ${count};
")
