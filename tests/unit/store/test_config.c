#include "unit/store/store_test.h"

#include "unit/memory.h"

#include "store/dvc/config_remote.h"
#include "store/dvc/ini.h"

static struct err err;

/* ---- levels ---- */

static void
set_env(const struct place *pl)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/etc", pl->dir);
	assert_int_equal(setenv("XDG_CONFIG_DIRS", path, 1), 0);
	(void)snprintf(path, sizeof(path), "%s/home", pl->dir);
	assert_int_equal(setenv("HOME", path, 1), 0);
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("DVC_GLOBAL_CONFIG_DIR");
	(void)unsetenv("DVC_SYSTEM_CONFIG_DIR");
}

static char dot[128]; /* the place's .dvc */

static void
make_repo(struct place *pl)
{
	place_dir(pl, NULL);
	(void)snprintf(dot, sizeof(dot), "%s/.dvc", pl->dir);
	make_dir(pl->dir, ".dvc");
	make_dir(pl->dir, "etc");
	make_dir(pl->dir, "etc/dvc");
	make_dir(pl->dir, "home");
	make_dir(pl->dir, "home/.config");
	make_dir(pl->dir, "home/.config/dvc");
	set_env(pl);
	assert_int_equal(chdir(pl->dir), 0);
}

static struct config *
open_config(void)
{
	struct config_options o = {.dir = dot, .dvc = true};
	struct config *c;

	ok(config_open(&o, &c, &err));
	return c;
}

static int
open_fails(void)
{
	struct config_options o = {.dir = dot, .dvc = true};
	struct config *c;

	return config_open(&o, &c, &err);
}

static void
test_levels(void **state)
{
	char want[256];
	struct place pl;
	struct config *c;

	(void)state;
	make_repo(&pl);
	spill(pl.dir, "etc/dvc/config",
	      "[core]\nremote = sys\njobs_are_none = 1\n"
	      "['remote \"sys\"']\nurl = sub/d\n");
	fails(open_fails(), ERR_INVALID);
	says("etc/dvc/config:3: section core has no option 'jobs_are_none'");
	spill(
	    pl.dir, "etc/dvc/config",
	    "[core]\nremote = sys\nautostage = true\n['remote \"sys\"']\nurl = sub/d\n");
	spill(pl.dir, "home/.config/dvc/config",
	      "[Core]\nREMOTE = Glob\n['remote \"GLOB\"']\nurl = ~/d\njobs = 3\n");
	c = open_config();
	assert_string_equal(config_str(c, "core", "remote", ""), "Glob");
	assert_true(config_bool(c, "core", "autostage", false));
	assert_true(config_bool(c, "core", "check_update", true));
	(void)snprintf(want, sizeof(want), "%s/etc/dvc/sub/d", pl.dir);
	assert_string_equal(config_item(c, "remote", "sys", "url")->value, want);
	(void)snprintf(want, sizeof(want), "%s/home/d", pl.dir);
	assert_string_equal(config_item(c, "remote", "glob", "url")->value, want);
	config_close(c);
	spill(pl.dir, ".dvc/config",
	      "[core]\n    remote = r\n['remote \"r\"']\n    url = ../x/\n"
	      "[cache]\n    dir = c%(local)s\n    local = q\n    type = reflink, copy\n");
	spill(pl.dir, ".dvc/config.local",
	      "['remote \"r\"']\n    jobs = 8\n    worktree = FALSE\n[cache]\n"
	      "shared = group\n");
	c = open_config();
	assert_string_equal(config_str(c, "core", "remote", ""), "r");
	assert_string_equal(config_str(c, "cache", "type", ""), "reflink, copy");
	(void)snprintf(want, sizeof(want), "%s/.dvc/cq", pl.dir);
	assert_string_equal(config_str(c, "cache", "dir", ""), want);
	(void)snprintf(want, sizeof(want), "%s/x", pl.dir);
	assert_string_equal(config_item(c, "remote", "r", "url")->value, want);
	assert_string_equal(config_item(c, "remote", "r", "jobs")->value, "8");
	assert_int_equal(config_item(c, "remote", "r", "jobs")->level, CONFIG_LOCAL);
	assert_int_equal(config_item(c, "remote", "r", "jobs")->line, 2);
	config_close(c);
	/* DVC's variables. */
	(void)snprintf(want, sizeof(want), "%s/.dvc", pl.dir);
	assert_int_equal(setenv("DVC_GLOBAL_CONFIG_DIR", want, 1), 0);
	assert_int_equal(setenv("DVC_SYSTEM_CONFIG_DIR", "/nonexistent", 1), 0);
	c = open_config();
	assert_null(config_item(c, "core", NULL, "autostage"));
	assert_string_equal(config_path(c, CONFIG_SYSTEM), "/nonexistent/config");
	config_close(c);
	place_remove(&pl);
}

/* A value that has ${n} others in it, all of them empty, by two steps. */
static void
spill_expanded(const char *dir, unsigned n)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "[DEFAULT]\nnone = \"\"\nten = ");
	for (int i = 0; i < 9; i++)
		buf_adds(&b, "%(none)s");
	buf_adds(&b, "\n[core]\nremote = r");
	for (; n >= 10; n -= 10)
		buf_adds(&b, "%(ten)s");
	for (; n > 0; n--)
		buf_adds(&b, "%(none)s");
	buf_addc(&b, '\n');
	spill(dir, ".dvc/config", b.p);
	buf_release(&b);
}

static void
test_expand_limit(void **state)
{
	struct config *c;
	struct place pl;

	(void)state;
	make_repo(&pl);
	spill_expanded(pl.dir, 1000);
	c = open_config();
	assert_string_equal(config_str(c, "core", "remote", ""), "r");
	config_close(c);
	spill_expanded(pl.dir, 1001);
	fails(open_fails(), ERR_LIMIT);
	says(".dvc/config:5: the value has more than 1000 %(name)s in it");
	place_remove(&pl);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} table[] = {
	    {"[core]\nremot = x\n", ".dvc/config:2: section core has no option 'remot'; "
				    "did you mean 'remote'?"},
	    {"[coer]\nremote = x\n", "there is no section 'coer' of settings; did you "
				     "mean 'core'?"},
	    {"[core]\nautostage = yes\n", ":2: 'autostage' must be true or false"},
	    {"[core]\nchecksum_jobs = 0\n", "must be a whole number, at least 1"},
	    {"[core]\nremote = a, b\n", "'remote' is no list"},
	    {"[a\"b\"]\nk = v\n", "there is no section 'a\"b\"' of settings"},
	    {"[cache]\ntype = reflink, warp\n", "'warp' is no type of link"},
	    {"[cache]\nshared = all\n", "'shared' must be one of group"},
	    {"k = v\n", ":1: 'k' stands in no section"},
	    {"[remote]\nurl = v\n", "a remote has a name: ['remote \"name\"']"},
	    {"['remote \"x\"']\njobs = 1\n", ":2: remote 'x' has no url"},
	    {"['remote \"x\"']\nurl = foo://b\n", "of an unknown kind, foo://"},
	    {"['remote \"x\"']\nurl = s3://b\nkeyfile = f\n",
	     ":3: remotes of kind s3 have no option 'keyfile'"},
	    {"['remote \"x\"']\nurl = /d\nprofile = f\n",
	     "remotes in a directory have no option 'profile'"},
	    {"['remote \"x\"']\nurl = %(no)s\n",
	     "a %(name)s in the value names no value"},
	    {"[core]\nremote = %(remote)s\n", "a %(name)s in the value names no value"},
	    {"['remote \"x\"']\nurl = https://h/p\npassword = hunter2, hunter3\n",
	     "'password' is no list"},
	    {"['remote \"x\"']\nurl = https://h/p\npassword = 'hunter2\n",
	     ".dvc/config:3: the value cannot be read"},
	    {"['remote \"x\"']\nurl = https://h/p\nhunter2\n", ":3: this is neither"},
	};
	struct config_options o = {.dir = dot, .dvc = true, .unchecked = true};
	struct config *c;
	struct place pl;

	(void)state;
	make_repo(&pl);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		spill(pl.dir, ".dvc/config", table[i].text);
		fails(open_fails(), ERR_INVALID);
		says(table[i].says);
		assert_null(strstr(err.msg, "hunter"));
	}
	/* It can be mended. */
	spill(pl.dir, ".dvc/config", "[core]\nautostage = maybe # no\nremote = x\n");
	ok(config_open(&o, &c, &err));
	fails(config_set(c, CONFIG_REPO, "core", NULL, "remote", "y", &err), ERR_INVALID);
	says("'autostage' must be true or false");
	assert_string_equal(slurp(pl.dir, ".dvc/config"),
			    "[core]\nautostage = maybe # no\nremote = x\n");
	ok(config_set(c, CONFIG_REPO, "core", NULL, "autostage", NULL, &err));
	ok(config_set(c, CONFIG_REPO, "core", NULL, "remote", "y", &err));
	assert_string_equal(slurp(pl.dir, ".dvc/config"), "[core]\nremote = y\n");
	fails(config_set(c, CONFIG_REPO, "core", NULL, "autostage", NULL, &err),
	      ERR_NOTFOUND);
	fails(config_set(c, CONFIG_REPO, "core", NULL, "no", "1", &err), ERR_INVALID);
	config_close(c);
	place_remove(&pl);
}

/* ---- remotes ---- */

static void
test_remotes(void **state)
{
	struct config_remote r;
	char want[128];
	struct config *c;
	struct place pl;

	(void)state;
	make_repo(&pl);
	make_dir(pl.dir, "sub");
	assert_int_equal(chdir("sub"), 0);
	c = open_config();
	fails(config_remote_find(c, NULL, &r, &err), ERR_NOTFOUND);
	says("no remote is set");
	ok(config_remote_add(c, CONFIG_REPO, "Store", "../s", false, true, &err));
	ok(config_remote_add(c, CONFIG_REPO, "cloud", "s3://b/p", false, false, &err));
	assert_string_equal(slurp(pl.dir, ".dvc/config"),
			    "[core]\n    remote = store\n['remote \"store\"']\n"
			    "    url = ../s\n['remote \"cloud\"']\n    url = s3://b/p\n");
	fails(config_remote_add(c, CONFIG_REPO, "store", "x", false, false, &err),
	      ERR_EXISTS);
	ok(config_remote_find(c, NULL, &r, &err));
	(void)snprintf(want, sizeof(want), "%s/s", pl.dir);
	assert_string_equal(r.name, "store");
	assert_string_equal(r.path, want);
	assert_string_equal(r.written, "../s");
	assert_true(r.is_default);
	ok(config_remote_local(&r, &err));
	config_remote_release(&r);
	ok(config_remote_find(c, "CLOUD", &r, &err));
	assert_null(r.path);
	assert_string_equal(r.scheme, "s3");
	fails(config_remote_local(&r, &err), ERR_INVALID);
	says("remote 'cloud' (s3://b/p) is of a kind that is not supported yet by this "
	     "version: s3");
	config_remote_release(&r);
	fails(config_remote_find(c, "stroe", &r, &err), ERR_NOTFOUND);
	says("did you mean 'store'?");
	fails(config_remote_find(c, "zzz", &r, &err), ERR_NOTFOUND);
	says("there are: store, cloud");

	/* One remote in another. */
	ok(config_remote_modify(c, CONFIG_REPO, "store", "jobs", "7", &err));
	ok(config_remote_add(c, CONFIG_LOCAL, "in", "remote://store/a/b", false, false,
			     &err));
	ok(config_remote_find(c, "in", &r, &err));
	(void)snprintf(want, sizeof(want), "%s/s/a/b", pl.dir);
	assert_string_equal(r.path, want);
	assert_int_equal(r.jobs, 7);
	config_remote_release(&r);
	ok(config_remote_add(c, CONFIG_REPO, "store", "remote://in/x", true, false,
			     &err));
	fails(config_remote_find(c, "in", &r, &err), ERR_INVALID);
	says("in a circle");
	ok(config_remote_add(c, CONFIG_REPO, "store", "remote://no", true, false, &err));
	fails(config_remote_find(c, "in", &r, &err), ERR_NOTFOUND);

	/* Names. */
	fails(config_remote_rename(c, CONFIG_REPO, "store", "cloud", &err), ERR_EXISTS);
	ok(config_remote_rename(c, CONFIG_REPO, "store", "depot", &err));
	assert_string_equal(slurp(pl.dir, ".dvc/config"),
			    "[core]\n    remote = depot\n['remote \"cloud\"']\n"
			    "    url = s3://b/p\n['remote \"depot\"']\n"
			    "    url = remote://no\n");
	ok(config_remote_default(c, CONFIG_LOCAL, "depot", &err));
	fails(config_remote_default(c, CONFIG_REPO, "none", &err), ERR_NOTFOUND);
	fails(config_remote_modify(c, CONFIG_REPO, "depot", "url", NULL, &err),
	      ERR_INVALID);
	says("would have no url");
	ok(config_remote_remove(c, CONFIG_REPO, "depot", &err));
	assert_string_equal(slurp(pl.dir, ".dvc/config"),
			    "['remote \"cloud\"']\n    url = s3://b/p\n");
	assert_string_equal(slurp(pl.dir, ".dvc/config.local"),
			    "['remote \"in\"']\n    url = remote://store/a/b\n");
	fails(config_remote_remove(c, CONFIG_REPO, "depot", &err), ERR_NOTFOUND);
	fails(config_remote_add(c, CONFIG_REPO, "a\"b", "x", false, false, &err),
	      ERR_INVALID);
	config_close(c);
	assert_int_equal(chdir("/"), 0);
	place_remove(&pl);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *url, *shown;
	} table[] = {
	    {"s3://b/p", "s3://b/p"},
	    {"https://u:pw@h/p", "https://u:***@h/p"},
	    {"ssh://u@h:22/p", "ssh://u@h:22/p"},
	    {"https://h/p:q@r", "https://h/p:q@r"},
	    {"/a:b@c", "/a:b@c"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_clear(&b);
		config_put_url(&b, table[i].url);
		assert_string_equal(b.p, table[i].shown);
	}
	buf_release(&b);
	assert_true(config_is_secret("Secret_Access_Key"));
	assert_false(config_is_secret("user"));
}

/* Without DVC; the first settings let git see them. */
static void
test_without_dvc(void **state)
{
	struct config_options o = {.dvc = false};
	char dir[128];
	struct config *c;
	struct place pl;
	struct stat st;

	(void)state;
	place_make(&pl);
	set_env(&pl);
	(void)snprintf(dir, sizeof(dir), "%s/.dag", pl.dir);
	o.dir = dir;
	ok(config_open(&o, &c, &err));
	assert_non_null(
	    strstr(config_path(c, CONFIG_GLOBAL), "/home/.config/dag/config"));
	assert_string_equal(slurp(pl.dir, ".dag/.gitignore"), "*\n");
	ok(config_set(c, CONFIG_LOCAL, "core", NULL, "remote", "r", &err));
	assert_string_equal(slurp(pl.dir, ".dag/.gitignore"), "*\n");
	ok(config_remote_add(c, CONFIG_REPO, "r", "/x", false, false, &err));
	assert_string_equal(slurp(pl.dir, ".dag/.gitignore"),
			    "*\n!/.gitignore\n!/config\n");
	/* What is in a file stays for whom it was. */
	assert_int_equal(fchmodat(pl.p.root_fd, ".dag/config.local", 0600, 0), 0);
	ok(config_set(c, CONFIG_LOCAL, "core", NULL, "autostage", "true", &err));
	assert_int_equal(fstatat(pl.p.root_fd, ".dag/config.local", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	config_close(c);
	o.dir = NULL;
	ok(config_open(&o, &c, &err));
	fails(config_set(c, CONFIG_REPO, "core", NULL, "remote", "r", &err), ERR_INVALID);
	ok(config_set(c, CONFIG_GLOBAL, "core", NULL, "remote", "r", &err));
	assert_string_equal(slurp(pl.dir, "home/.config/dag/config"),
			    "[core]\n    remote = r\n");
	config_close(c);
	place_remove(&pl);
}

static int
run_edit(void *ctx, struct err *e)
{
	struct config_options o = {.dir = dot, .dvc = true};
	struct config_remote r;
	struct config *c;
	int rc;

	(void)ctx;
	if (config_open(&o, &c, e) != 0)
		return -1;
	rc = config_remote_add(c, CONFIG_REPO, "x", "a, b", true, true, e);
	if (rc == 0)
		rc = config_set(c, CONFIG_REPO, "cache", NULL, "dir", "c", e);
	if (rc == 0)
		rc = config_remote_find(c, NULL, &r, e);
	if (rc == 0)
		config_remote_release(&r);
	config_close(c);
	return rc;
}

/* The file is one of those that may be there. */
static void
after_edit(void *ctx, int rc)
{
	struct place *pl = ctx;
	const char *text = slurp(pl->dir, ".dvc/config");
	struct ini *ini;

	if (rc == 0)
		assert_non_null(strstr(text, "url = \"../a, b\""));
	ok(ini_parse("f", text, strlen(text), &ini, &err));
	ini_free(ini);
}

static void
test_memory(void **state)
{
	struct memory_call c = {"edit", NULL, run_edit, after_edit, NULL, 0};
	struct place pl;

	(void)state;
	make_repo(&pl);
	c.ctx = &pl;
	spill(pl.dir, ".dvc/config", "# c\n[core]\nremote = x # c\n");
	assert_true(memory_fail_each(&c) > 50);
	assert_int_equal(chdir("/"), 0);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_levels),	 cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_expand_limit), cmocka_unit_test(test_remotes),
	    cmocka_unit_test(test_urls),	 cmocka_unit_test(test_without_dvc),
	    cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("store/dvc/config", tests, NULL, NULL);
}
