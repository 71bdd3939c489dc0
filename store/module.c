#include "store/module.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/libexec.h"

#define SYMBOL	 "dag_module"
#define FILE_MAX 128

/*
 * The package in which Debian has the library that ${why}, of dlerror(), says is missing:
 * "libgit2.so.1.5: cannot open ..." is libgit2-1.5, "libcurl.so.4: ..." is libcurl4.  Return
 * whether there is such a library in it.
 */
static bool
put_package(struct buf *b, const char *why)
{
	const char *so = strstr(why, ".so."), *p;
	size_t name, version;

	if (so == NULL || so == why || strncmp(why, "lib", 3) != 0 ||
	    strstr(why, "cannot open shared object") == NULL)
		return false;
	name = (size_t)(so - why);
	version = strspn(so + 4, "0123456789.");
	if (version == 0 || so[4 + version] != ':')
		return false;
	for (p = why; p < so; p++)
		buf_addc(b, *p == '_' ? '-' : (char)tolower((unsigned char)*p));
	if (isdigit((unsigned char)why[name - 1]))
		buf_addc(b, '-');
	buf_add(b, so + 4, version);
	return true;
}

static void
say_why(const char *path, const char *why, struct err *err)
{
	struct buf package;

	buf_init(&package, 0);
	if (why == NULL)
		why = "no reason given";
	if (put_package(&package, why) && !buf_failed(&package))
		(void)err_set(err, ERR_SYS,
			      "cannot load '%s': %s: install the library (on Debian: "
			      "apt-get install %s)",
			      path, why, package.p);
	else
		(void)err_set(err, ERR_SYS,
			      "cannot load '%s': %s (is the installation whole?)", path,
			      why);
	buf_release(&package);
}

static const struct module_head *
load(const struct module *m, const char *path, struct err *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct module_head *head;

	if (handle == NULL) {
		say_why(path, dlerror(), err);
		return NULL;
	}
	head = dlsym(handle, SYMBOL);
	if (head == NULL || strcmp(head->name, m->name) != 0)
		(void)err_set(err, ERR_INVALID, "'%s' is no module of dag", path);
	else if (head->version != m->version)
		(void)err_set(
		    err, ERR_NEWER,
		    "'%s' is of another version of dag (%u, this one needs %u): "
		    "install both from one package",
		    path, head->version, m->version);
	else
		return head;
	(void)dlclose(handle);
	return NULL;
}

const void *
module_load(struct module *m, struct err *err)
{
	const struct module_head *table;
	char file[FILE_MAX], *path;

	(void)pthread_mutex_lock(&m->lock);
	if (m->table == NULL) {
		(void)snprintf(file, sizeof(file), "dag-%s.so", m->name);
		path = libexec_path(file, R_OK, err);
		if (path != NULL)
			m->table = load(m, path, err);
		free(path);
	}
	table = m->table;
	(void)pthread_mutex_unlock(&m->lock);
	return table;
}
