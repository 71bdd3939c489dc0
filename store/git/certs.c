/*
 * Certificates when they are needed.  Debian's libgit2 reads all that the system trusts, some
 * 140, whenever it begins: more than half of the time that its beginning takes, while only a
 * clone by https has any use for them.  So the one function of mbedTLS by which it does that is
 * found here first (a module comes before what it pulls in), and only remembers what was to be
 * read.  A libgit2 upon another library never calls it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/git/lg.h"

#define PATH_ROOM 4096

typedef int parse_file(void *, const char *);

static bool later; /* while libgit2 begins */
static char file[PATH_ROOM];

/* As mbedTLS declares it, but for the type of the chain. */
__attribute__((visibility("default"))) parse_file mbedtls_x509_crt_parse_file;

/* The one that libgit2 would have found without us. */
static parse_file *
real_one(void)
{
	int (*git)(void) = git_libgit2_init;
	parse_file *found = NULL;
	void *at, *handle;
	Dl_info info;

	memcpy(&at, &git, sizeof(at));
	if (dladdr(at, &info) == 0 ||
	    (handle = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) == NULL)
		return NULL;
	at = dlsym(handle, "mbedtls_x509_crt_parse_file");
	memcpy(&found, &at, sizeof(found));
	(void)dlclose(handle);
	return found;
}

int
mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	parse_file *real;

	if (later && strlen(path) < sizeof(file)) {
		(void)snprintf(file, sizeof(file), "%s", path);
		return 0;
	}
	real = real_one();
	return real != NULL ? real(chain, path) : -1;
}

void
lg_certs_later(bool yes)
{
	later = yes;
}

int
lg_certs(struct err *err)
{
	int rc;

	if (file[0] == '\0')
		return 0;
	rc = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, NULL);
	if (rc != 0)
		return lg_fail(err, rc, "cannot read the certificates in '%s'", file);
	file[0] = '\0';
	return 0;
}
