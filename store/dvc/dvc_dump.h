#ifndef DAG_STORE_DVC_DVC_DUMP_H
#define DAG_STORE_DVC_DVC_DUMP_H
/* What .dvc files and dvc.lock hold, as values to be written.  Private to store/dvc. */
#include <stddef.h>

#include "store/dvc/dvc_file.h"
#include "store/dvc/relpath.h"

struct dvc_lock_stage;
struct dvc_out;
struct err;
struct yaml_doc;
struct yaml_val;

/**
 * dvc_dump_out(doc, out, wdir), dvc_dump_dep(doc, out, wdir):
 * Make the value of one entry of outs or deps in a .dvc file, whose paths are seen from
 * ${wdir}.  NULL where memory runs out, which ${doc} remembers.
 */
struct yaml_val *dvc_dump_out(struct yaml_doc *, const struct dvc_out *, const char *);
struct yaml_val *dvc_dump_dep(struct yaml_doc *, const struct dvc_out *, const char *);

/**
 * dvc_dump_locked(doc, out):
 * Make the value of one entry of deps or outs in dvc.lock.
 */
struct yaml_val *dvc_dump_locked(struct yaml_doc *, const struct dvc_out *);

/**
 * dvc_lock_put_entry(doc, map, stage):
 * Put into the empty ${map} what dvc.lock has of ${stage}.
 */
void dvc_lock_put_entry(struct yaml_doc *, struct yaml_val *,
			const struct dvc_lock_stage *);

/**
 * dvc_dump_stage_md5(state, out, err):
 * Compute the MD5 of a stage, of all that a file says of it: without the keys at its top that
 * do not count, which are dropped from ${state}, and annotations wherever they stand.  Return 0 or -1.
 */
int dvc_dump_stage_md5(struct yaml_val *, char[DVC_MD5_MAX], struct err *);

#endif
