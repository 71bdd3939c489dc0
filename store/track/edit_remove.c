#include "store/track/edit_remove.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/edit_stage.h"

enum { LOCK, YAML };

enum { WRITE = 0, REMOVE = 1, KEEP = 2 };

static int
check_stages(const struct edit_remove *r, const struct buf *text, struct err *err)
{
	struct dvc_yaml *y = NULL;
	int rc = dvc_yaml_parse(r->yaml, text->p, text->n, NULL, &y, err);

	for (size_t i = 0; rc == 0 && i < r->n; i++)
		if (edit_is_template(y, r->names[i]))
			rc = err_set(err, ERR_INVALID,
				     "stage '%s' is made of templates: take it out of "
				     "'%s' itself",
				     r->names[i], r->yaml);
	dvc_yaml_free(y);
	return rc;
}

static int
make(struct edit_remove *r, int which, struct err *err)
{
	struct edit_file f = {.root = r->root, .name = which == LOCK ? r->lock : r->yaml};
	struct err why = {0};
	struct buf text;
	int rc;

	buf_init(&text, DVC_YAML_MAX);
	rc = fsio_read(r->root_fd, f.name, text.max, &text, &why);
	if (rc != 0 && why.code == ERR_NOTFOUND && which == LOCK) {
		r->what[which] = KEEP;
		buf_release(&text);
		return 0;
	}
	if (rc != 0 && err != NULL)
		*err = why;
	if (rc == 0 && which == YAML)
		rc = check_stages(r, &text, err);
	if (rc == 0) {
		f.text = text.p;
		f.len = text.n;
		rc = edit_drop_stages(&f, r->names, r->n, &r->texts[which], err);
		r->what[which] = rc;
	}
	buf_release(&text);
	return rc < 0 ? -1 : 0;
}

int
edit_remove_begin(struct edit_remove *r, struct err *err)
{
	buf_init(&r->texts[LOCK], DVC_LOCK_MAX);
	buf_init(&r->texts[YAML], DVC_YAML_MAX);
	return make(r, YAML, err) == 0 ? make(r, LOCK, err) : -1;
}

static int
remove_file(struct edit_remove *r, const char *name, struct err *err)
{
	struct buf dir;
	int rc;

	if (fsio_unlink(r->root_fd, name) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", name);
	buf_init(&dir, 0);
	buf_add(&dir, name, (size_t)(path_basename(name) - name));
	buf_addc(&dir, '.');
	rc = buf_failed(&dir) ? err_nomem(err) : fsio_sync_dir(r->root_fd, dir.p, err);
	buf_release(&dir);
	return rc;
}

int
edit_remove_end(struct edit_remove *r, struct err *err)
{
	const char *const names[] = {r->lock, r->yaml};
	struct stat st;
	int rc = 0;

	for (int i = LOCK; rc == 0 && i <= YAML; i++) {
		if (r->what[i] == REMOVE)
			rc = remove_file(r, names[i], err);
		else if (r->what[i] == WRITE &&
			 fstatat(r->root_fd, names[i], &st, 0) != 0)
			rc = err_sys(err, errno, "cannot look at '%s'", names[i]);
		else if (r->what[i] == WRITE)
			rc = fsio_replace(r->root_fd, names[i], r->texts[i].p,
					  r->texts[i].n, st.st_mode & 0777, err);
		fault_point(TRACK_DROPPED);
	}
	return rc;
}

void
edit_remove_release(struct edit_remove *r)
{
	buf_release(&r->texts[LOCK]);
	buf_release(&r->texts[YAML]);
}
