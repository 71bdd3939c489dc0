/*
 * dag move: tracked data gets another name.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/track/links.h"
#include "store/track/move.h"
#include "store/track/move_note.h"

struct move_opts {
	struct artifact_opts common;
};

static const struct opt move_opts[] = {ARTIFACT_QUIET(struct move_opts, common),
				       {.name = NULL}};

struct move {
	struct artifact a;
	struct move_item item;
};

static int
git_tracks(void *arg, const char *path, struct err *err)
{
	return artifact_git_tracks(arg, path, err);
}

/* What this work tree was given lies there now. */
static int
remember(struct links *l, void *arg, struct err *err)
{
	const struct move *k = arg;
	int r = links_set(l, k->item.from, NULL, err);

	if (r == 0 && object_id_is_set(&k->item.out->id))
		r = links_set(l, k->item.to, &k->item.out->id, err);
	return r;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct move *k = arg;
	struct add_options o = {.root = k->a.track.root,
				.list = &k->a.list,
				.gitignore = k->a.track.gitignore,
				.git_tracks = git_tracks,
				.git = &k->a};

	(void)m;
	if (move_path(&k->a.ws, &o, &k->item, k->a.arena, err) != 0)
		return -1;
	if (artifact_edit_links(&k->a, remember, k, err) != 0)
		return -1;
	move_note_drop(k->item.state_fd, k->item.note);
	return 0;
}

static const char *
note_name(struct artifact *a)
{
	const char *name;
	struct buf b;

	buf_init(&b, 0);
	track_own_name(&a->track, MOVE_NOTE_FILE, &b);
	name = buf_failed(&b) ? NULL : arena_strdup(a->arena, b.p);
	buf_release(&b);
	return name;
}

static int
find_paths(struct move *k, struct err *err)
{
	struct artifact *a = &k->a;
	struct move_item *it = &k->item;
	struct stat st;

	it->note = note_name(a);
	if (it->note == NULL)
		return err_nomem(err);
	it->from = artifact_path(a, a->c->args[0], err);
	it->to = it->from != NULL ? artifact_path(a, a->c->args[1], err) : NULL;
	if (it->to == NULL)
		return -1;
	it->state_fd = a->project.state_fd;
	it->again = move_note_is(it->state_fd, it->note, it->from, it->to);
	/* Into a directory, unless it is one because that has been done. */
	if (!it->again && fstatat(a->track.root_fd, it->to, &st, 0) == 0 &&
	    S_ISDIR(st.st_mode) && strcmp(it->from, it->to) != 0) {
		it->to = strcmp(it->to, ".") == 0
			     ? path_basename(it->from)
			     : arena_printf(a->arena, "%s/%s", it->to,
					    path_basename(it->from));
		if (it->to == NULL)
			return err_nomem(err);
		it->again = move_note_is(it->state_fd, it->note, it->from, it->to);
	}
	return 0;
}

/* ---- telling ---- */

static const char *
gitignore_of(struct move *k, const char *path)
{
	return arena_printf(k->a.arena, "%.*s.gitignore",
			    (int)(path_basename(path) - path), path);
}

static int
stage(struct move *k, struct err *err)
{
	const struct move_item *it = &k->item;
	const char *v[4], *to = gitignore_of(k, it->to),
			  *from = gitignore_of(k, it->from);
	size_t n = 0;

	if (to == NULL || from == NULL)
		return err_nomem(err);
	v[n++] = it->file;
	if (it->old_file != NULL)
		v[n++] = it->old_file;
	if (it->ignored)
		v[n++] = to;
	if (it->unignored && !(it->ignored && strcmp(from, to) == 0))
		v[n++] = from;
	return artifact_stage(&k->a, v, n, err);
}

static void
tell(struct move *k)
{
	struct buf *b = &k->a.c->out;

	if (k->a.o->quiet)
		return;
	artifact_put_path(&k->a, k->item.from, b);
	buf_adds(b, " is ");
	artifact_put_path(&k->a, k->item.to, b);
	buf_adds(b, k->item.missing ? " now; the data is not here\n" : " now\n");
}

static int
move_verb(struct cli *c, const void *opts)
{
	const struct move_opts *o = opts;
	struct move k = {0};
	struct err err = {0};
	int rc, code = EXIT_OK;

	rc = artifact_open(c, &o->common, true, &k.a, &err);
	if (rc == 0)
		rc = find_paths(&k, &err);
	if (rc == 0)
		rc = artifact_work(&k.a, work, &k, &err);
	if (rc == 0) {
		tell(&k);
		rc = stage(&k, &err);
	}
	if (rc != 0)
		code = artifact_fail(&k.a, &err);
	artifact_close(&k.a);
	return code;
}

const struct verb verb_move = {
    .name = "move",
    .group = GROUP_DATA,
    .summary = "give tracked data another name",
    .args = "PATH DIR",
    .min = 2,
    .max = 2,
    .doc =
	"Rename the tracked file or directory PATH to the second word; if that is a "
	"directory, PATH goes into it under its own name. Its pointer and its entry in "
	".gitignore go along. Nothing is overwritten, and nothing is hashed or copied: "
	"what has changed in the data has changed still. Interrupted, the same command "
	"goes on.",
    .examples = "dag move data/raw data/2024\tanother name\n"
		"dag move model.onnx models\tinto a directory",
    .opts = move_opts,
    .size = sizeof(struct move_opts),
    .run = move_verb,
};
