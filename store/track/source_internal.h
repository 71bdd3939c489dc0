#ifndef DAG_STORE_TRACK_SOURCE_INTERNAL_H
#define DAG_STORE_TRACK_SOURCE_INTERNAL_H
/*
 * For store/track/source*.c only.
 */
#include "store/track/source.h"

/**
 * source_http_look(s, ws, arena, out, err), source_http_fetch(...):
 * What source_look and source_fetch do for SOURCE_HTTP.
 */
int source_http_look(const struct source *, const struct workspace *, struct arena *,
		     struct source_state *, struct err *);
int source_http_fetch(const struct source *, const struct workspace *, struct objects *,
		      struct arena *, struct source_state *, struct saved *,
		      struct err *);

/**
 * source_repo_of_dep(arena, root, dep, out, err), source_repo_look(...),
 * source_repo_fetch(...):
 * What source_of_dep, source_look and source_fetch do for SOURCE_REPO.
 */
int source_repo_of_dep(struct arena *, const char *, const struct dvc_out *,
		       struct source *, struct err *);
int source_repo_look(struct source *, const struct workspace *, struct arena *,
		     struct source_state *, struct err *);
int source_repo_fetch(struct source *, const struct workspace *, struct objects *,
		      struct arena *, struct source_state *, struct saved *,
		      struct err *);

#endif
