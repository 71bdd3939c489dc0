/*
 * The tree builder: one pass over libyaml's events.  Children of the open collections wait
 * on one stack and are copied into the arena when their collection ends; what the files say
 * wrong goes to the diag, and only what leaves no tree at all stops the pass.
 */
#include "base/yaml.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/yaml_impl.h"

static int read_node(struct yaml_reader *r, const yaml_event_t *event,
		     struct yaml_node **out);

int
yaml_nomem(struct yaml_reader *r)
{
	diag_add(r->d, DIAG_ERROR, (struct diag_pos){r->file, 0, 0, 0}, "out of memory");
	return -1;
}

static struct diag_pos
event_pos(struct yaml_reader *r, const yaml_event_t *event)
{
	struct yaml_place from = yaml_text_place(&r->text, event->start_mark.index),
			  to = yaml_text_place(&r->text, event->end_mark.index);

	return (struct diag_pos){r->file, from.line, from.col,
				 yaml_text_width(&r->text, from.off, to.off)};
}

static int
next_event(struct yaml_reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		return yaml_nomem(r);
	yaml_syntax_error(r->d, r->file, &r->text, &r->parser);
	return -1;
}

/* How many bytes from ${off} on are, or are not, among ${set}: the text may end anywhere. */
static size_t
span(const struct yaml_text *t, size_t off, const char *set, bool among)
{
	size_t end = off;

	while (end < t->n && (memchr(set, t->p[end], strlen(set)) != NULL) == among)
		end++;
	return end - off;
}

/* The index of the first character of the node itself, behind its anchor and tag. */
static size_t
behind_properties(struct yaml_text *t, size_t index)
{
	size_t off = yaml_text_place(t, index).off, n;

	while (off < t->n && (t->p[off] == '&' || t->p[off] == '!')) {
		n = span(t, off, " \t\r\n,]}", false);
		for (size_t i = 0; i < n; i++)
			if (((unsigned char)t->p[off + i] & 0xc0) != 0x80)
				index++;
		off += n;
		n = span(t, off, " \t\r\n", true);
		off += n;
		index += n;
	}
	return index;
}

static struct yaml_node *
new_node(struct yaml_reader *r, const yaml_event_t *event, bool properties)
{
	struct yaml_node *n = arena_zalloc(r->arena, sizeof(*n));
	size_t index = event->start_mark.index;
	struct yaml_place from, to;

	if (n == NULL) {
		(void)yaml_nomem(r);
		return NULL;
	}
	if (properties)
		index = behind_properties(&r->text, index);
	from = yaml_text_place(&r->text, index);
	to = yaml_text_place(&r->text, event->end_mark.index);
	n->line = from.line;
	n->col = from.col;
	n->src = from.off + r->text.bom;
	n->src_end = (to.off > from.off ? to.off : from.off) + r->text.bom;
	n->width = from.line == to.line && to.col > from.col
		       ? to.col - from.col
		       : yaml_text_width(&r->text, from.off, to.off);
	return n;
}

/* Count nodes, those of aliases too, so that no file costs more than its limit. */
static int
count_nodes(struct yaml_reader *r, struct diag_pos pos, size_t more)
{
	if (more > YAML_NODES_MAX || r->nodes > YAML_NODES_MAX - more) {
		diag_add(
		    r->d, DIAG_ERROR, pos,
		    "the file has more than %d values, those repeated by aliases counted "
		    "each time",
		    YAML_NODES_MAX);
		diag_hint(r->d, "divide it into several files");
		return -1;
	}
	r->nodes += more;
	return 0;
}

static int
check_depth(struct yaml_reader *r, struct diag_pos pos, int more)
{
	if (r->depth + more <= YAML_DEPTH_MAX)
		return 0;
	diag_add(r->d, DIAG_ERROR, pos,
		 "lists and mappings stand more than %d deep inside each other here",
		 YAML_DEPTH_MAX);
	return -1;
}

static int
open_anchor(struct yaml_reader *r, const yaml_char_t *name, struct yaml_anchor **out)
{
	char *key;

	*out = NULL;
	if (name == NULL)
		return 0;
	key = arena_strdup(r->arena, (const char *)name);
	*out = arena_zalloc(r->arena, sizeof(**out));
	if (key == NULL || *out == NULL || map_put(&r->anchors, key, *out) < 0)
		return yaml_nomem(r);
	return 0;
}

static enum yaml_style
scalar_style(yaml_scalar_style_t style)
{
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
		return YAML_STYLE_SINGLE;
	if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return YAML_STYLE_DOUBLE;
	if (style == YAML_LITERAL_SCALAR_STYLE)
		return YAML_STYLE_LITERAL;
	return style == YAML_FOLDED_SCALAR_STYLE ? YAML_STYLE_FOLDED : YAML_STYLE_PLAIN;
}

static void
unknown_tag(struct yaml_reader *r, const yaml_event_t *event, const char *tag)
{
	static const char core[] = "tag:yaml.org,2002:";
	struct diag_pos pos = event_pos(r, event);
	bool named = strncmp(tag, core, sizeof(core) - 1) == 0;

	r->mistakes = true;
	pos.width = 1;
	diag_add(r->d, DIAG_ERROR, pos, "the tag %s%s means nothing here",
		 named ? "!!" : "", named ? tag + sizeof(core) - 1 : tag);
	diag_hint(r->d, "remove it; a value that starts with ! must be quoted");
}

static void
resolve_tagged(struct yaml_reader *r, const yaml_event_t *event, struct yaml_node *n,
	       const char *tag)
{
	int rc;

	n->kind = YAML_STR;
	if (strcmp(tag, "!") == 0)
		return;
	rc = yaml_resolve_as(n, tag);
	if (rc == -2)
		unknown_tag(r, event, tag);
	if (rc != -1)
		return;
	r->mistakes = true;
	diag_add(r->d, DIAG_ERROR, yaml_node_pos(r, n), "'%s' does not fit its tag !!%s",
		 n->str, strrchr(tag, ':') + 1);
}

static int
read_scalar(struct yaml_reader *r, const yaml_event_t *event, struct yaml_node **out)
{
	const char *tag = (const char *)event->data.scalar.tag,
		   *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml_node *n;

	n = new_node(r, event, tag != NULL || event->data.scalar.anchor != NULL);
	if (n == NULL)
		return -1;
	n->style = scalar_style(event->data.scalar.style);
	if (n->style == YAML_STYLE_LITERAL || n->style == YAML_STYLE_FOLDED)
		n->width = 1;
	n->str = arena_strndup(r->arena, value, len);
	if (n->str == NULL)
		return yaml_nomem(r);
	n->len = len;
	if (memchr(value, '\0', len) != NULL) {
		diag_add(r->d, DIAG_ERROR, yaml_node_pos(r, n),
			 "a string cannot hold a NUL character (\\0)");
		r->mistakes = true;
		n->len = strlen(n->str);
	}
	if (tag != NULL)
		resolve_tagged(r, event, n, tag);
	else if (n->style == YAML_STYLE_PLAIN)
		yaml_resolve(n);
	else
		n->kind = YAML_STR;
	r->height = 0;
	*out = n;
	return count_nodes(r, yaml_node_pos(r, n), 1);
}

/* An unknown alias is read as the string it would be in quotes, so that checking goes on. */
static int
unknown_alias(struct yaml_reader *r, const yaml_event_t *event, bool recursive,
	      struct yaml_node **out)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct yaml_node *n = new_node(r, event, false);

	if (n == NULL)
		return -1;
	r->mistakes = true;
	if (recursive)
		diag_add(
		    r->d, DIAG_ERROR, yaml_node_pos(r, n),
		    "*%s stands inside the value that it names: it would have no end",
		    name);
	else {
		diag_add(r->d, DIAG_ERROR, yaml_node_pos(r, n),
			 "*%s refers to an anchor &%s that is not in the file before it",
			 name, name);
		diag_hint(r->d, "a value that starts with * must be quoted");
	}
	n->kind = YAML_STR;
	n->len = strlen(name) + 1;
	if ((n->str = arena_printf(r->arena, "*%s", name)) == NULL)
		return yaml_nomem(r);
	r->height = 0;
	*out = n;
	return count_nodes(r, yaml_node_pos(r, n), 1);
}

static int
read_alias(struct yaml_reader *r, const yaml_event_t *event, struct yaml_node **out)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct yaml_anchor *anchor = map_get(&r->anchors, name);
	struct diag_pos pos = event_pos(r, event);

	if (++r->aliases > YAML_ALIAS_MAX) {
		diag_add(r->d, DIAG_ERROR, pos, "the file has more than %d aliases",
			 YAML_ALIAS_MAX);
		return -1;
	}
	if (anchor == NULL || anchor->node == NULL)
		return unknown_alias(r, event, anchor != NULL, out);
	if (check_depth(r, pos, anchor->height) != 0 ||
	    count_nodes(r, pos, anchor->nodes) != 0)
		return -1;
	r->height = anchor->height;
	*out = anchor->node;
	return 0;
}

static void
check_tag(struct yaml_reader *r, const yaml_event_t *event, const yaml_char_t *tag,
	  const char *core)
{
	if (tag != NULL && strcmp((const char *)tag, "!") != 0 &&
	    strcmp((const char *)tag, core) != 0)
		unknown_tag(r, event, (const char *)tag);
}

/* Where a collection ends; in flow style its caret underlines all of it. */
static void
end_collection(struct yaml_reader *r, struct yaml_node *n, const yaml_event_t *end)
{
	n->src_end = yaml_text_place(&r->text, end->end_mark.index).off + r->text.bom;
	n->width = 1;
	if (n->style == YAML_STYLE_FLOW)
		n->width = yaml_text_width(&r->text, n->src - r->text.bom,
					   n->src_end - r->text.bom);
}

static int
read_seq(struct yaml_reader *r, const yaml_event_t *start, struct yaml_node **out)
{
	size_t base = r->stack.n;
	struct yaml_node *n, *child;
	int height = 0, rc = 0;
	yaml_event_t event;

	n = new_node(r, start,
		     start->data.sequence_start.tag != NULL ||
			 start->data.sequence_start.anchor != NULL);
	if (n == NULL)
		return -1;
	n->kind = YAML_SEQ;
	n->style = start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
		       ? YAML_STYLE_FLOW
		       : YAML_STYLE_BLOCK;
	check_tag(r, start, start->data.sequence_start.tag, "tag:yaml.org,2002:seq");
	r->depth++;
	if (check_depth(r, yaml_node_pos(r, n), 0) != 0 ||
	    count_nodes(r, yaml_node_pos(r, n), 1) != 0)
		return -1;
	while ((rc = next_event(r, &event)) == 0 &&
	       event.type != YAML_SEQUENCE_END_EVENT) {
		rc = read_node(r, &event, &child);
		yaml_event_delete(&event);
		if (rc != 0)
			return -1;
		if (vec_push(&r->stack, child) != 0)
			return yaml_nomem(r);
		height = r->height > height ? r->height : height;
	}
	if (rc != 0)
		return -1;
	end_collection(r, n, &event);
	yaml_event_delete(&event);
	n->seq.n = r->stack.n - base;
	n->seq.v = arena_array(r->arena, n->seq.n, sizeof(*n->seq.v));
	if (n->seq.v == NULL)
		return yaml_nomem(r);
	if (n->seq.n > 0)
		memcpy(n->seq.v, r->stack.v + base, n->seq.n * sizeof(*n->seq.v));
	r->stack.n = base;
	r->depth--;
	r->height = height + 1;
	*out = n;
	return 0;
}

/* One key and its value on the stack of pairs; event is the key's and is deleted. */
static int
read_pair(struct yaml_reader *r, const struct yaml_node *map, yaml_event_t *event,
	  int *height)
{
	struct yaml_pair pair;
	int rc;

	rc = read_node(r, event, &pair.key);
	yaml_event_delete(event);
	if (rc != 0 || next_event(r, event) != 0)
		return -1;
	*height = r->height > *height ? r->height : *height;
	rc = read_node(r, event, &pair.val);
	yaml_event_delete(event);
	if (rc != 0)
		return -1;
	*height = r->height > *height ? r->height : *height;
	if (pair.key->str == NULL) {
		yaml_bad_key(r, map, pair.key);
		return 0;
	}
	return vec_push(&r->pairs, pair) != 0 ? yaml_nomem(r) : 0;
}

static int
read_map(struct yaml_reader *r, const yaml_event_t *start, struct yaml_node **out)
{
	size_t base = r->pairs.n;
	struct yaml_node *n;
	int height = 0, rc = 0;
	yaml_event_t event;

	n = new_node(r, start,
		     start->data.mapping_start.tag != NULL ||
			 start->data.mapping_start.anchor != NULL);
	if (n == NULL)
		return -1;
	n->kind = YAML_MAP;
	n->style = start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
		       ? YAML_STYLE_FLOW
		       : YAML_STYLE_BLOCK;
	check_tag(r, start, start->data.mapping_start.tag, "tag:yaml.org,2002:map");
	r->depth++;
	if (check_depth(r, yaml_node_pos(r, n), 0) != 0 ||
	    count_nodes(r, yaml_node_pos(r, n), 1) != 0)
		return -1;
	while ((rc = next_event(r, &event)) == 0 && event.type != YAML_MAPPING_END_EVENT)
		if (read_pair(r, n, &event, &height) != 0)
			return -1;
	if (rc != 0)
		return -1;
	end_collection(r, n, &event);
	yaml_event_delete(&event);
	r->depth--;
	r->height = height + 1;
	*out = n;
	return yaml_finish_map(r, n, base);
}

/* ---- nodes and documents ---- */

/* Read the node that begins with ${event}, which stays the caller's. */
static int
read_node(struct yaml_reader *r, const yaml_event_t *event, struct yaml_node **out)
{
	struct yaml_anchor *anchor = NULL;
	size_t before = r->nodes;
	int rc;

	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(r, event, out);
	if (event->type == YAML_SCALAR_EVENT) {
		if (open_anchor(r, event->data.scalar.anchor, &anchor) != 0)
			return -1;
		rc = read_scalar(r, event, out);
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		if (open_anchor(r, event->data.sequence_start.anchor, &anchor) != 0)
			return -1;
		rc = read_seq(r, event, out);
	} else {
		if (open_anchor(r, event->data.mapping_start.anchor, &anchor) != 0)
			return -1;
		rc = read_map(r, event, out);
	}
	if (rc == 0 && anchor != NULL) {
		anchor->node = *out;
		anchor->nodes = r->nodes - before;
		anchor->height = r->height;
	}
	return rc;
}

static struct yaml_node *
empty_document(struct yaml_reader *r)
{
	struct yaml_node *n = arena_zalloc(r->arena, sizeof(*n));

	if (n == NULL) {
		(void)yaml_nomem(r);
		return NULL;
	}
	n->line = n->col = n->width = 1;
	n->str = "";
	return n;
}

/* What may follow the document: its end and the stream's. */
static int
read_tail(struct yaml_reader *r)
{
	yaml_event_t event;
	bool more;

	if (next_event(r, &event) != 0)
		return -1;
	yaml_event_delete(&event); /* the document's end */
	if (next_event(r, &event) != 0)
		return -1;
	more = event.type != YAML_STREAM_END_EVENT;
	if (more) {
		struct diag_pos pos = event_pos(r, &event);

		pos.width = 1;
		r->mistakes = true;
		diag_add(r->d, DIAG_ERROR, pos, "a second document begins here");
		diag_hint(r->d,
			  "a file holds one; remove the '---' or make another file");
	}
	yaml_event_delete(&event);
	return 0;
}

static int
read_document(struct yaml_reader *r, struct yaml_node **out)
{
	yaml_event_t event;
	bool empty;
	int rc;

	if (next_event(r, &event) != 0)
		return -1;
	yaml_event_delete(&event); /* the stream's start */
	if (next_event(r, &event) != 0)
		return -1;
	empty = event.type == YAML_STREAM_END_EVENT;
	yaml_event_delete(&event);
	if (empty)
		return (*out = empty_document(r)) == NULL ? -1 : 0;
	if (next_event(r, &event) != 0)
		return -1;
	rc = read_node(r, &event, out);
	yaml_event_delete(&event);
	return rc != 0 ? -1 : read_tail(r);
}

int
yaml_parse(struct arena *a, struct diag *d, int file, const char *text, size_t len,
	   struct yaml_node **out)
{
	struct yaml_reader r = {.arena = a, .d = d, .file = file};
	int rc;

	*out = NULL;
	if (yaml_text_init(&r.text, d, file, text, len) != 0) {
		yaml_text_release(&r.text);
		return -1;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		yaml_text_release(&r.text);
		return yaml_nomem(&r);
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text.p,
				     r.text.n);
	rc = read_document(&r, out);
	yaml_parser_delete(&r.parser);
	yaml_text_release(&r.text);
	vec_release(&r.stack);
	vec_release(&r.pairs);
	map_release(&r.anchors);
	if (rc != 0) {
		*out = NULL;
		return -1;
	}
	return r.mistakes ? 1 : 0;
}

struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
	size_t len = strlen(key);

	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->map.n; i++)
		if (map->map.v[i].key->len == len &&
		    memcmp(map->map.v[i].key->str, key, len) == 0)
			return map->map.v[i].val;
	return NULL;
}

const char *
yaml_kind_name(enum yaml_kind kind)
{
	static const char *const names[] = {
	    [YAML_NULL] = "nothing",   [YAML_BOOL] = "true or false",
	    [YAML_INT] = "an integer", [YAML_FLOAT] = "a number",
	    [YAML_STR] = "a string",   [YAML_SEQ] = "a list",
	    [YAML_MAP] = "a mapping"};

	return names[kind];
}
