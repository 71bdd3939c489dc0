/* Commits, one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "store/git/lg.h"

#define PARENTS_MAX 16

int
lg_commit_look(struct repo *r, const char *id, struct repo_commit *out, struct err *err)
{
	git_commit *c = NULL;
	git_oid oid;
	size_t n;

	*out = (struct repo_commit){.time_s = 0};
	if (lg_oid(id, &oid, err) != 0 || lg_commit(r, &oid, "a commit", &c, err) != 0)
		return -1;
	lg_id(git_commit_tree_id(c), out->tree);
	if (git_commit_parentcount(c) > 0)
		lg_id(git_commit_parent_id(c, 0), out->parent);
	out->time_s = git_commit_time(c);
	n = strcspn(git_commit_message(c), "\n");
	(void)snprintf(out->subject, sizeof(out->subject), "%.*s",
		       n < sizeof(out->subject) ? (int)n : (int)sizeof(out->subject),
		       git_commit_message(c));
	git_commit_free(c);
	return 0;
}

/* ---- who ---- */

/* As git has it: the environment, then the configuration. */
static int
signature(struct repo *r, const char *role, git_signature **out, struct err *err)
{
	char name_key[32], mail_key[32];
	const char *name, *mail;
	git_config *config = NULL;
	git_buf name_buf = {0}, mail_buf = {0};
	int rc;

	(void)snprintf(name_key, sizeof(name_key), "GIT_%s_NAME", role);
	(void)snprintf(mail_key, sizeof(mail_key), "GIT_%s_EMAIL", role);
	name = getenv(name_key);
	mail = getenv(mail_key);
	rc = git_repository_config_snapshot(&config, r->git);
	if (rc == 0 && (name == NULL || name[0] == '\0') &&
	    git_config_get_string_buf(&name_buf, config, "user.name") == 0)
		name = name_buf.ptr;
	if (rc == 0 && (mail == NULL || mail[0] == '\0') &&
	    git_config_get_string_buf(&mail_buf, config, "user.email") == 0)
		mail = mail_buf.ptr;
	if (name == NULL || name[0] == '\0' || mail == NULL || mail[0] == '\0')
		rc =
		    err_set(err, ERR_INVALID,
			    "git does not know who makes commits in '%s': 'git config "
			    "user.name NAME' and 'git config user.email ADDRESS' tell it",
			    r->name);
	else if (rc == 0 && (rc = git_signature_now(out, name, mail)) != 0)
		rc = lg_fail(err, rc, "'%s <%s>' cannot make a commit", name, mail);
	git_buf_dispose(&name_buf);
	git_buf_dispose(&mail_buf);
	git_config_free(config);
	return rc == 0 ? 0 : -1;
}

int
lg_author(struct repo *r, struct err *err)
{
	git_signature *who = NULL;
	int rc = signature(r, "AUTHOR", &who, err);

	git_signature_free(who);
	who = NULL;
	if (rc == 0)
		rc = signature(r, "COMMITTER", &who, err);
	git_signature_free(who);
	return rc;
}

/* ---- making ---- */

static int
make(struct repo *r, git_tree *tree, const git_commit **parents, size_t n,
     const char *message, char id[REPO_ID], struct err *err)
{
	git_signature *author = NULL, *committer = NULL;
	git_oid oid;
	int rc = -1;

	if (signature(r, "AUTHOR", &author, err) == 0 &&
	    signature(r, "COMMITTER", &committer, err) == 0) {
		rc = git_commit_create(&oid, r->git, NULL, author, committer, NULL,
				       message, tree, n, parents);
		if (rc == 0)
			lg_id(&oid, id);
		else
			rc = lg_fail(err, rc, "cannot write a commit into '%s'", r->name);
	}
	git_signature_free(author);
	git_signature_free(committer);
	return rc;
}

int
lg_commit_make(struct repo *r, const char *tree_id, const char *const *parents, size_t n,
	       const char *message, char id[REPO_ID], struct err *err)
{
	const git_commit *v[PARENTS_MAX];
	git_commit *held[PARENTS_MAX] = {NULL};
	git_tree *tree = NULL;
	git_oid oid;
	size_t i;
	int rc = lg_oid(tree_id, &oid, err);

	if (n > PARENTS_MAX)
		return err_set(err, ERR_LIMIT, "a commit has at most %d parents here",
			       PARENTS_MAX);
	if (rc == 0 && (rc = git_tree_lookup(&tree, r->git, &oid)) != 0)
		rc = lg_lost(r, &oid, "a tree", rc, err);
	for (i = 0; rc == 0 && i < n; i++) {
		rc = lg_oid(parents[i], &oid, err);
		if (rc == 0)
			rc = lg_commit(r, &oid, "a commit", &held[i], err);
		v[i] = held[i];
	}
	if (rc == 0)
		rc = make(r, tree, v, n, message, id, err);
	for (i = 0; i < n; i++)
		git_commit_free(held[i]);
	git_tree_free(tree);
	return rc;
}

bool
lg_tree_same(struct repo *r, const char *a, const char *b)
{
	struct repo_commit x, y;

	return lg_commit_look(r, a, &x, NULL) == 0 &&
	       lg_commit_look(r, b, &y, NULL) == 0 && strcmp(x.tree, y.tree) == 0;
}
