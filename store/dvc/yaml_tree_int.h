#ifndef DAG_STORE_DVC_YAML_TREE_INT_H
#define DAG_STORE_DVC_YAML_TREE_INT_H
/* What the two halves of the reader share: tokens one by one, with their comments. */
#include "base/map.h"
#include "store/dvc/yaml_doc_int.h"

struct tree {
	struct yaml_doc *doc;
	struct yaml_toks *toks;
	size_t i;
	struct map anchors; /* name -> value */
	struct err *err;
};

/**
 * tree_peek(p), tree_at(p, kind):
 * Return the token that comes next; whether it is of ${kind}.
 */
struct yaml_tok *tree_peek(struct tree *);
bool tree_at(struct tree *, enum yaml_tok_kind);

/**
 * tree_get(p):
 * Take the next token: comments behind it become its own or go before the one after it.
 * Return it, or NULL if memory runs out.
 */
struct yaml_tok *tree_get(struct tree *);

/**
 * tree_hand_on(p, t, value):
 * Hand what hangs at ${t} on to the token that comes next; ${value}: ${t} is a ":".  Return
 * 0 or -1.
 */
int tree_hand_on(struct tree *, struct yaml_tok *, bool);

/**
 * tree_end_comment(p, v, end):
 * Keep the lines before the end of the collection ${v}, taken from ${end}.  Return 0 or -1.
 */
int tree_end_comment(struct tree *, struct yaml_val *, struct yaml_slots *);

/**
 * tree_slots_of(p, slots), tree_some(list):
 * Return the slots, made if there are none, or NULL; whether there is any comment in a list.
 */
struct yaml_slots *tree_slots_of(struct tree *, struct yaml_slots **);
bool tree_some(const struct yaml_comments *);

/**
 * tree_refuse(p, t, what), tree_nomem(p):
 * Say that at ${t} stands ${what}; that memory ran out.  Return NULL.
 */
struct yaml_val *tree_refuse(struct tree *, const struct yaml_tok *, const char *);
struct yaml_val *tree_nomem(struct tree *);

#endif
