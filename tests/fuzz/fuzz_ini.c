/*
 * The INI files of DVC's settings.  What is read and written is the same; after an edit it can
 * be read again, says what was set and all that it said before; a mistake stands in a line of
 * the file.
 */
#include <stdbool.h>
#include <strings.h>

#include "fuzz.h"
#include "store/dvc/config_remote.h"
#include "store/dvc/ini.h"

static bool
same(const struct ini_value *a, const struct ini_value *b)
{
	if (a == NULL || b == NULL || a->n != b->n || a->list != b->list)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

struct compare {
	const struct ini *with;
	const char *section, *key; /* but for this */
	size_t keys;
};

static int
compare_one(void *ctx, const char *section, const char *key, const struct ini_value *v,
	    unsigned line)
{
	struct compare *c = ctx;

	CHECK(line <= INI_LINES_MAX + 2);
	if (key == NULL) {
		CHECK(section != NULL && v == NULL);
		return 0;
	}
	c->keys++;
	if (section != NULL && c->section != NULL &&
	    strcasecmp(section, c->section) == 0 && strcasecmp(key, c->key) == 0)
		return 0;
	CHECK(same(v, ini_get(c->with, section, key)));
	return 0;
}

static struct ini *
again(const struct ini *ini)
{
	struct err err = {0};
	struct ini *out;
	struct buf b;

	buf_init(&b, 0);
	ini_write(ini, &b);
	CHECK(!buf_failed(&b));
	if (ini_parse("f", b.p, b.n, &out, &err) != 0) {
		CHECK(err.code == ERR_LIMIT); /* it has grown by a line */
		out = NULL;
	}
	buf_release(&b);
	return out;
}

/* Set a value taken from the input, and take it out. */
static void
edit(struct ini *ini, const uint8_t *data, size_t n)
{
	static const char *const sections[] = {"core", "remote \"x\"", "a"};
	const char *section = sections[n % 3];
	char *value = fuzz_string(data, n < 200 ? n : 200);
	struct compare c = {NULL, section, "key", 0};
	struct err err = {0};
	struct ini *before = again(ini), *after;

	CHECK(before != NULL);
	if (ini_set(ini, section, "key", value, &err) != 0) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_LIMIT);
		c.section = NULL;
	}
	after = again(ini);
	if (after != NULL) {
		c.with = after;
		CHECK(ini_each(before, compare_one, &c) == 0);
		if (c.section != NULL) {
			CHECK(ini_get(after, section, "key")->n == 1);
			CHECK(strcmp(ini_get(after, section, "key")->v[0], value) == 0);
		}
		ini_free(after);
	}
	if (c.section != NULL) {
		CHECK(ini_unset(ini, section, "key"));
		CHECK(ini_get(ini, section, "key") == NULL);
		c.with = ini;
		CHECK(ini_each(before, compare_one, &c) == 0);
	}
	(void)ini_remove(ini, section);
	CHECK(!ini_has_section(ini, section));
	ini_free(before);
	free(value);
}

/* As settings: checked, with what %(name)s stands for, paths resolved. */
static int
look(void *ctx, const struct config_item *it)
{
	const struct config *c = ctx;

	CHECK(it->section != NULL && it->key != NULL && it->value != NULL);
	CHECK(it->level == CONFIG_REPO && it->line >= 1);
	CHECK(config_item(c, it->section, it->name, it->key) != NULL);
	return 0;
}

static int
look_remote(void *ctx, const char *name, const struct config_item *url, bool is_default)
{
	const struct config *c = ctx;
	struct config_remote r;
	struct err err = {0};

	(void)url;
	if (config_remote_find(c, name, &r, &err) != 0) {
		CHECK(err.msg[0] != '\0');
		return 0;
	}
	CHECK(r.is_default == is_default && r.url != NULL);
	CHECK((r.path != NULL) == (r.scheme[0] == '\0'));
	(void)config_remote_local(&r, &err);
	config_remote_release(&r);
	return 0;
}

static void
check_config(const char *text, size_t n)
{
	char dir[64];
	struct config_options o = {.dir = dir, .dvc = true, .unchecked = n % 2 == 0};
	struct err err = {0};
	struct config *c;

	(void)setenv("DVC_GLOBAL_CONFIG_DIR", "/proc/self/fd/nothing", 1);
	(void)setenv("DVC_SYSTEM_CONFIG_DIR", "/proc/self/fd/nothing", 1);
	(void)snprintf(dir, sizeof(dir), "/proc/self/fd/%d", fuzz_dir());
	fuzz_put("config", text, n);
	if (config_open(&o, &c, &err) != 0) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_LIMIT);
		return;
	}
	CHECK(config_each(c, CONFIG_LEVELS, look, c) == 0);
	CHECK(config_each(c, CONFIG_REPO, look, c) == 0);
	CHECK(config_remote_each(c, CONFIG_LEVELS, look_remote, c) == 0);
	config_close(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_text(data, n);
	struct err err = {0};
	struct ini *ini;
	struct buf b;
	unsigned line;

	check_config(text, n);
	if (ini_parse("f", text, n, &ini, &err) != 0) {
		CHECK(err.code == ERR_INVALID || err.code == ERR_LIMIT);
		CHECK(n > INI_MAX || sscanf(err.msg, "f:%u: ", &line) == 1);
		CHECK(n > INI_MAX || (line >= 1 && line <= fuzz_lines(text, n)));
		free(text);
		return 0;
	}
	buf_init(&b, 0);
	ini_write(ini, &b);
	CHECK(n == 0 || (b.n == n && memcmp(b.p, text, n) == 0) ||
	      (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0));
	buf_release(&b);
	edit(ini, data, n);
	ini_free(ini);
	free(text);
	return 0;
}
