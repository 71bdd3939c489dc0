# awk -v page=dag-file -v section=5 -v date=DATE -v version=VERSION -f md2man.awk docs/dag-file.md
# Turn a page of docs/ into a man page.  It knows what these pages use: titles, paragraphs,
# fenced code, lists, tables, `code`, **bold**, *emphasis*, links.  A table becomes a list of
# its first column, with what the middle ones say in brackets behind the last.

# Text in which every character stands for itself.
function escape(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/'/, "\\(aq", s)
	gsub(/`/, "\\(ga", s)
	gsub(/\^/, "\\(ha", s)
	gsub(/~/, "\\(ti", s)
	return s
}

# One line of text, with what is marked in it.
function inline(s,    out, i, j, mark) {
	gsub(/\\\|/, "|", s)
	out = ""
	while (match(s, /`[^`]+`|\*\*[^*]+\*\*|\*[^* ][^*]*\*|\[[^\]]+\]\([^)]*\)/)) {
		out = out escape(substr(s, 1, RSTART - 1))
		mark = substr(s, RSTART, RLENGTH)
		s = substr(s, RSTART + RLENGTH)
		if (mark ~ /^`/)
			out = out "\\fB" escape(substr(mark, 2, length(mark) - 2)) "\\fR"
		else if (mark ~ /^\*\*/)
			out = out "\\fB" escape(substr(mark, 3, length(mark) - 4)) "\\fR"
		else if (mark ~ /^\*/)
			out = out "\\fI" escape(substr(mark, 2, length(mark) - 2)) "\\fR"
		else
			out = out inline_link(mark)
	}
	return out escape(s)
}

# Our own pages by their names in the manual; of others the address.
function inline_link(mark,    text, to) {
	text = substr(mark, 2, index(mark, "](") - 2)
	to = substr(mark, index(mark, "](") + 2)
	sub(/\)$/, "", to)
	sub(/#.*/, "", to)
	if (to in manual)
		return manual[to]
	return escape(text) (to ~ /^http/ ? " <" escape(to) ">" : "")
}

# Print text in lines of some 70 bytes, none of which can be read as a request.
function text(s,    n, i, word, line) {
	n = split(inline(s), word, / +/)
	line = ""
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + length(word[i]) > 64) {
			print line
			line = ""
		}
		if (line == "" && word[i] ~ /^\./)
			word[i] = "\\&" word[i]
		line = line (line == "" ? "" : " ") word[i]
	}
	if (line != "")
		print line
}

# The paragraph or item that is being read ends.
function flush() {
	if (held == "")
		return
	if (item != "")
		print item
	else if (!fresh)
		print ".PP"
	text(held)
	held = item = ""
	fresh = 0
}

function row(line, cells,    n, i) {
	sub(/^\| */, "", line)
	sub(/ *\|$/, "", line)
	gsub(/\\\|/, "\001", line)
	n = split(line, cells, / *\| */)
	for (i = 1; i <= n; i++)
		gsub(/\001/, "|", cells[i])
	return n
}

function table_row(    n, i, out, word) {
	n = row($0, cell)
	if (!titled) {
		ntitles = row($0, title)
		titled = 1
		return
	}
	if ($0 ~ /^\|[-| ]*$/)
		return
	print ".TP"
	word = inline(cell[1])
	print (word ~ /^\./ ? "\\&" : "") word
	out = ""
	for (i = 2; i < n; i++)
		if (cell[i] != "")
			out = out (out == "" ? "" : "; ") (title[i] == "" ? "" : title[i] " ") cell[i]
	if (out != "")
		out = cell[n] (cell[n] == "" ? "" : " ") "(" out ")"
	else
		out = cell[n]
	text(out == "" ? "\\&" : out)
	fresh = 0
}

BEGIN {
	manual["dag-file.md"] = "\\fBdag\\-file\\fR(5)"
	manual["templates.md"] = "\\fBdag\\-templates\\fR(7)"
	manual["task-protocol.md"] = "\\fBdag\\-protocol\\fR(7)"
	manual["cli.md"] = "\\fBdag\\fR(1)"
	manual["progress.md"] = "\\fBdag\\-progress\\fR(7)"
	printf ".TH %s %s %s \"dag %s\" \"dag manual\"\n.ad l\n", escape(toupper(page)), section, date, version
}

/^```/ {
	flush()
	if (!code && !fresh)
		print ".PP"
	print code ? ".EE" : ".EX"
	code = !code
	fresh = 0
	next
}
code {
	s = escape($0)
	print (s ~ /^\./ ? "\\&" : "") s
	next
}
/^<!--.*-->$/ { next }
/^# / {
	print ".SH NAME"
	print escape(page) " \\- " escape(tolower(substr($0, 3, 1)) substr($0, 4))
	print ".SH DESCRIPTION"
	fresh = 1
	next
}
/^##+ / {
	flush()
	s = $0
	sub(/^#+ /, "", s)
	gsub(/`/, "", s)
	gsub(/"/, "", s)
	print ($0 ~ /^### / ? ".SS \"" : ".SH \"") escape($0 ~ /^### / ? s : toupper(s)) "\""
	fresh = 1
	titled = 0
	next
}
/^\|/ {
	flush()
	table_row()
	next
}
/^ *$/ {
	flush()
	titled = 0
	next
}
/^(- |[0-9]+\. )/ {
	flush()
	mark = $0
	sub(/ .*/, "", mark)
	item = ".IP " (mark == "-" ? "\\(bu 2" : escape(mark) " 4")
	sub(/^[^ ]+ /, "")
}
{
	sub(/^ +/, "")
	held = held (held == "" ? "" : " ") $0
}
END { flush() }
