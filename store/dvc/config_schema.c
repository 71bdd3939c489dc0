#include "store/dvc/config_schema.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/suggest.h"
#include "store/dvc/config.h"

/* ---- the tables ---- */

#define BOOL(k)                              \
	{                                    \
		(k), CONFIG_BOOL, NULL, NULL \
	}
#define TEXT(k)                              \
	{                                    \
		(k), CONFIG_TEXT, NULL, NULL \
	}
#define PATH(k)                              \
	{                                    \
		(k), CONFIG_PATH, NULL, NULL \
	}
#define COUNT(k)                              \
	{                                     \
		(k), CONFIG_COUNT, NULL, NULL \
	}
#define CHOICE(k, c)                          \
	{                                     \
		(k), CONFIG_CHOICE, (c), NULL \
	}

static const struct config_option core[] = {
    TEXT("remote"),	    COUNT("checksum_jobs"), BOOL("interactive"),
    BOOL("analytics"),	    BOOL("hardlink_lock"),  BOOL("no_scm"),
    BOOL("autostage"),	    BOOL("experiments"),    BOOL("check_update"),
    TEXT("site_cache_dir"), TEXT("machine"),
};
static const struct config_option cache[] = {
    TEXT("local"),
    TEXT("s3"),
    TEXT("gs"),
    TEXT("hdfs"),
    TEXT("webhdfs"),
    TEXT("ssh"),
    TEXT("azure"),
    PATH("dir"),
    {"type", CONFIG_LINKS, NULL, NULL},
    BOOL("protected"),
    CHOICE("shared", "group"),
    BOOL("slow_link_warning"),
    BOOL("verify"),
};
static const struct config_option state[] = {
    TEXT("dir"), COUNT("row_limit"), {"row_cleanup_quota", CONFIG_INT, NULL, NULL}};
static const struct config_option index_[] = {TEXT("dir")};
static const struct config_option plots[] = {TEXT("html_template"), BOOL("auto_open"),
					     TEXT("out_dir")};
static const struct config_option exp_[] = {
    TEXT("code"),  TEXT("data"), TEXT("models"),    TEXT("metrics"),	TEXT("params"),
    TEXT("plots"), TEXT("live"), BOOL("auto_push"), TEXT("git_remote"),
};
static const struct config_option parsing[] = {
    CHOICE("bool", "store_true|boolean_optional"), CHOICE("list", "nargs|append")};
static const struct config_option hydra[] = {BOOL("enabled"), TEXT("config_dir"),
					     TEXT("config_module"), TEXT("config_name"),
					     TEXT("plugins_path")};
static const struct config_option studio[] = {TEXT("token"), TEXT("url"),
					      TEXT("repo_url"), BOOL("offline")};
static const struct config_option machine[] = {
    CHOICE("cloud", "aws|azure"),
    CHOICE("region", "us-west|us-east|eu-west|eu-north"),
    TEXT("image"),
    BOOL("spot"),
    {"spot_price", CONFIG_SECONDS, NULL, NULL},
    {"instance_hdd_size", CONFIG_INT, NULL, NULL},
    TEXT("instance_type"),
    TEXT("instance_gpu"),
    TEXT("ssh_private"),
    PATH("startup_script"),
    PATH("setup_script"),
};
static const struct config_option db[] = {TEXT("url"), TEXT("username"),
					  TEXT("password")};

#define HTTP "|http|https|"
#define DAV  "|webdav|webdavs|"

static const struct config_option remote[] = {
    PATH("url"),
    COUNT("checksum_jobs"),
    COUNT("jobs"),
    BOOL("worktree"),
    BOOL("no_traverse"),
    BOOL("version_aware"),
    {"verify", CONFIG_BOOL, NULL,
     "||s3|gs|ssh|webhdfs|azure|oss|gdrive|http|https|webdav|webdavs|"},
    {"type", CONFIG_LINKS, NULL, "||ssh|"},
    {"protected", CONFIG_BOOL, NULL, "||"},
    {"shared", CONFIG_CHOICE, "group", "||"},
    {"slow_link_warning", CONFIG_BOOL, NULL, "||"},
    {"region", CONFIG_TEXT, NULL, "|s3|"},
    {"profile", CONFIG_TEXT, NULL, "|s3|gdrive|"},
    {"credentialpath", CONFIG_PATH, NULL, "|s3|gs|"},
    {"configpath", CONFIG_PATH, NULL, "|s3|"},
    {"endpointurl", CONFIG_TEXT, NULL, "|s3|gs|"},
    {"access_key_id", CONFIG_TEXT, NULL, "|s3|"},
    {"secret_access_key", CONFIG_TEXT, NULL, "|s3|"},
    {"session_token", CONFIG_TEXT, NULL, "|s3|"},
    {"listobjects", CONFIG_BOOL, NULL, "|s3|"},
    {"use_ssl", CONFIG_BOOL, NULL, "|s3|"},
    {"allow_anonymous_login", CONFIG_BOOL, NULL, "|s3|gs|azure|"},
    {"ssl_verify", CONFIG_TEXT, NULL, "|s3|webhdfs|http|https|webdav|webdavs|"},
    {"sse", CONFIG_TEXT, NULL, "|s3|"},
    {"sse_kms_key_id", CONFIG_TEXT, NULL, "|s3|"},
    {"sse_customer_algorithm", CONFIG_TEXT, NULL, "|s3|"},
    {"sse_customer_key", CONFIG_TEXT, NULL, "|s3|"},
    {"acl", CONFIG_TEXT, NULL, "|s3|"},
    {"grant_read", CONFIG_TEXT, NULL, "|s3|"},
    {"grant_read_acp", CONFIG_TEXT, NULL, "|s3|"},
    {"grant_write_acp", CONFIG_TEXT, NULL, "|s3|"},
    {"grant_full_control", CONFIG_TEXT, NULL, "|s3|"},
    {"cache_regions", CONFIG_BOOL, NULL, "|s3|"},
    {"read_timeout", CONFIG_SECONDS, NULL, "|s3|azure|http|https|"},
    {"connect_timeout", CONFIG_SECONDS, NULL, "|s3|http|https|"},
    {"projectname", CONFIG_TEXT, NULL, "|gs|"},
    {"port", CONFIG_INT, NULL, "|ssh|"},
    {"user", CONFIG_TEXT, NULL, "|ssh|hdfs|webhdfs|http|https|webdav|webdavs|"},
    {"password", CONFIG_TEXT, NULL, "|ssh|webhdfs|http|https|webdav|webdavs|"},
    {"ask_password", CONFIG_BOOL, NULL, "|ssh|http|https|webdav|webdavs|"},
    {"passphrase", CONFIG_TEXT, NULL, "|ssh|"},
    {"ask_passphrase", CONFIG_BOOL, NULL, "|ssh|"},
    {"keyfile", CONFIG_PATH, NULL, "|ssh|"},
    {"timeout", CONFIG_INT, NULL, "|ssh|azure|webdav|webdavs|"},
    {"gss_auth", CONFIG_BOOL, NULL, "|ssh|"},
    {"allow_agent", CONFIG_BOOL, NULL, "|ssh|"},
    {"max_sessions", CONFIG_INT, NULL, "|ssh|"},
    {"kerb_ticket", CONFIG_TEXT, NULL, "|hdfs|"},
    {"replication", CONFIG_INT, NULL, "|hdfs|"},
    {"kerberos", CONFIG_BOOL, NULL, "|webhdfs|"},
    {"kerberos_principal", CONFIG_TEXT, NULL, "|webhdfs|"},
    {"proxy_to", CONFIG_TEXT, NULL, "|webhdfs|"},
    {"token", CONFIG_TEXT, NULL, "|webhdfs|webdav|webdavs|"},
    {"use_https", CONFIG_BOOL, NULL, "|webhdfs|"},
    {"data_proxy_target", CONFIG_TEXT, NULL, "|webhdfs|"},
    {"connection_string", CONFIG_TEXT, NULL, "|azure|"},
    {"sas_token", CONFIG_TEXT, NULL, "|azure|"},
    {"account_name", CONFIG_TEXT, NULL, "|azure|"},
    {"account_key", CONFIG_TEXT, NULL, "|azure|"},
    {"tenant_id", CONFIG_TEXT, NULL, "|azure|"},
    {"client_id", CONFIG_TEXT, NULL, "|azure|"},
    {"client_secret", CONFIG_TEXT, NULL, "|azure|"},
    {"exclude_environment_credential", CONFIG_BOOL, NULL, "|azure|"},
    {"exclude_visual_studio_code_credential", CONFIG_BOOL, NULL, "|azure|"},
    {"exclude_shared_token_cache_credential", CONFIG_BOOL, NULL, "|azure|"},
    {"exclude_managed_identity_credential", CONFIG_BOOL, NULL, "|azure|"},
    {"connection_timeout", CONFIG_INT, NULL, "|azure|"},
    {"oss_key_id", CONFIG_TEXT, NULL, "|oss|"},
    {"oss_key_secret", CONFIG_TEXT, NULL, "|oss|"},
    {"oss_endpoint", CONFIG_TEXT, NULL, "|oss|"},
    {"gdrive_use_service_account", CONFIG_BOOL, NULL, "|gdrive|"},
    {"gdrive_client_id", CONFIG_TEXT, NULL, "|gdrive|"},
    {"gdrive_client_secret", CONFIG_TEXT, NULL, "|gdrive|"},
    {"gdrive_user_credentials_file", CONFIG_PATH, NULL, "|gdrive|"},
    {"gdrive_service_account_user_email", CONFIG_TEXT, NULL, "|gdrive|"},
    {"gdrive_service_account_json_file_path", CONFIG_PATH, NULL, "|gdrive|"},
    {"gdrive_trash_only", CONFIG_BOOL, NULL, "|gdrive|"},
    {"gdrive_acknowledge_abuse", CONFIG_BOOL, NULL, "|gdrive|"},
    {"auth", CONFIG_CHOICE, "basic|digest|custom", HTTP},
    {"custom_auth_header", CONFIG_TEXT, NULL, "|http|https|webdav|webdavs|"},
    {"method", CONFIG_TEXT, NULL, HTTP},
    {"bearer_token_command", CONFIG_TEXT, NULL, DAV},
    {"cert_path", CONFIG_PATH, NULL, DAV},
    {"key_path", CONFIG_PATH, NULL, DAV},
};

#define TABLE(n, t, has_names)                                    \
	{                                                         \
		(n), (t), sizeof(t) / sizeof((t)[0]), (has_names) \
	}

static const struct section {
	const char *name;
	const struct config_option *v;
	size_t n;
	bool names;
} sections[] = {
    TABLE("core", core, false),	   TABLE("cache", cache, false),
    TABLE("remote", remote, true), TABLE("state", state, false),
    TABLE("index", index_, false), TABLE("machine", machine, true),
    {"feature", NULL, 0, false},   TABLE("plots", plots, false),
    TABLE("exp", exp_, false),	   TABLE("parsing", parsing, false),
    TABLE("hydra", hydra, false),  TABLE("studio", studio, false),
    TABLE("db", db, true),
};
#define NSECTIONS (sizeof(sections) / sizeof(sections[0]))

static const char schemes[] =
    "||s3|gs|ssh|hdfs|webhdfs|azure|oss|gdrive|http|https|webdav|webdavs|remote|";

static const char *const secrets[] = {
    "password",
    "passphrase",
    "secret_access_key",
    "session_token",
    "access_key_id",
    "sse_customer_key",
    "token",
    "connection_string",
    "sas_token",
    "account_key",
    "client_secret",
    "oss_key_secret",
    "gdrive_client_secret",
    "custom_auth_header",
    "bearer_token_command",
};

/* ---- what they say ---- */

/* Is ${word} one of "|a|b|", or of "a|b"? */
static bool
is_among(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	list += *list == '|' ? 1 : 0;
	for (;; list += len + 1) {
		len = strcspn(list, "|");
		if (len == n && strncasecmp(list, word, n) == 0)
			return true;
		if (list[len] == '\0' || list[len + 1] == '\0')
			return false;
	}
}

bool
config_is_secret(const char *key)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strcasecmp(key, secrets[i]) == 0)
			return true;
	return false;
}

bool
config_is_scheme(const char *scheme)
{
	return is_among(schemes, scheme);
}

bool
config_section_has_names(const char *section)
{
	for (size_t i = 0; i < NSECTIONS; i++)
		if (strcasecmp(sections[i].name, section) == 0)
			return sections[i].names;
	return false;
}

void
config_put_scheme(struct buf *out, const char *url)
{
	size_t n = 0;

	if (isalpha((unsigned char)url[0]) == 0)
		return;
	while (isalnum((unsigned char)url[n]) != 0 ||
	       (url[n] != '\0' && strchr("+-.", url[n]) != NULL))
		n++;
	/* "s3:///x" has nothing between the slashes, and is a path. */
	if (strncmp(url + n, "://", 3) != 0 || strchr("/?#", url[n + 3]) != NULL)
		return;
	for (size_t i = 0; i < n; i++)
		buf_addc(out, (char)tolower((unsigned char)url[i]));
}

static const struct section *
find_section(const char *name, struct err *err)
{
	struct suggest s;
	const char *best;

	suggest_start(&s, name);
	for (size_t i = 0; i < NSECTIONS; i++) {
		if (strcasecmp(sections[i].name, name) == 0)
			return &sections[i];
		suggest_try(&s, sections[i].name);
	}
	best = suggest_best(&s);
	(void)err_set(err, ERR_INVALID, "there is no section '%.100s' of settings%s%s%s",
		      name, best != NULL ? "; did you mean '" : "",
		      best != NULL ? best : "", best != NULL ? "'?" : "");
	return NULL;
}

int
config_find_option(const char *section, const char *key, const struct config_option **out,
		   struct err *err)
{
	const struct section *sec = find_section(section, err);
	struct suggest s;
	const char *best;

	*out = NULL;
	if (sec == NULL)
		return -1;
	if (sec->n == 0)
		return 0;
	suggest_start(&s, key);
	for (size_t i = 0; i < sec->n; i++) {
		if (strcasecmp(sec->v[i].key, key) == 0) {
			*out = &sec->v[i];
			return 0;
		}
		suggest_try(&s, sec->v[i].key);
	}
	best = suggest_best(&s);
	return err_set(err, ERR_INVALID, "%s%s has no option '%.100s'%s%s%s",
		       sec->names ? "a " : "section ", sec->name, key,
		       best != NULL ? "; did you mean '" : "", best != NULL ? best : "",
		       best != NULL ? "'?" : "");
}

/* A whole number as Python's int() takes it, near enough; ${digits} tells how many. */
static bool
is_number(const char *s, bool fraction, bool *positive)
{
	size_t digits = 0, points = 0;
	bool minus;

	s += strspn(s, " \t");
	minus = *s == '-';
	s += *s == '-' || *s == '+' ? 1 : 0;
	*positive = false;
	for (; isdigit((unsigned char)*s) != 0 || (fraction && *s == '.'); s++) {
		digits += *s != '.';
		points += *s == '.';
		*positive = *positive || (*s > '0' && !minus);
	}
	s += strspn(s, " \t");
	return *s == '\0' && digits > 0 && digits <= 9 && points <= 1;
}

static int
check_links(const char *value, struct err *err)
{
	char word[16];
	size_t n;

	for (;; value += n + 1) {
		value += strspn(value, " \t");
		n = strcspn(value, ",");
		(void)snprintf(word, sizeof(word), "%.*s", (int)(n < 15 ? n : 15), value);
		while (word[0] != '\0' && strchr(" \t", word[strlen(word) - 1]) != NULL)
			word[strlen(word) - 1] = '\0';
		if (!is_among("reflink|hardlink|symlink|copy", word))
			return err_set(
			    err, ERR_INVALID,
			    "'%s' is no type of link: expected reflink, hardlink, "
			    "symlink and copy with commas between",
			    word);
		if (value[n] == '\0')
			return 0;
	}
}

int
config_check_value(const struct config_option *o, const char *value, bool list,
		   struct err *err)
{
	bool number, positive;

	if (list && o->type != CONFIG_LINKS)
		return err_set(err, ERR_INVALID,
			       "'%s' is no list: put a value with a comma in quotes",
			       o->key);
	number = is_number(value, o->type == CONFIG_SECONDS, &positive);
	switch (o->type) {
	case CONFIG_BOOL:
		if (is_among("true|false", value))
			return 0;
		return err_set(err, ERR_INVALID, "'%s' must be true or false", o->key);
	case CONFIG_COUNT:
		if (number && positive)
			return 0;
		return err_set(err, ERR_INVALID,
			       "'%s' must be a whole number, at least 1", o->key);
	case CONFIG_INT:
		if (number)
			return 0;
		return err_set(err, ERR_INVALID, "'%s' must be a whole number", o->key);
	case CONFIG_SECONDS:
		if (number && strchr(value, '-') == NULL)
			return 0;
		return err_set(err, ERR_INVALID, "'%s' must be a number, at least 0",
			       o->key);
	case CONFIG_LINKS:
		return check_links(value, err);
	case CONFIG_CHOICE:
		if (is_among(o->choices, value))
			return 0;
		return err_set(err, ERR_INVALID, "'%s' must be one of %s", o->key,
			       o->choices);
	case CONFIG_TEXT:
	case CONFIG_PATH:
		break;
	}
	return 0;
}

int
config_check_scheme(const struct config_option *o, const char *scheme, struct err *err)
{
	if (o->of == NULL || strcmp(scheme, "remote") == 0 || is_among(o->of, scheme))
		return 0;
	return err_set(err, ERR_INVALID, "remotes %s%s have no option '%s'",
		       scheme[0] != '\0' ? "of kind " : "in a directory", scheme, o->key);
}
