/*
 * `env:` mappings, and references to secrets in them.
 */
#include <string.h>

#include "scheduler/dag_load.h"

#define SECRETS_MAX 64 /* what the shim masks */
#define ENV_BYTES_MAX \
	((size_t)128 << 10) /* of NAME=value and its NUL: the kernel's limit */

static bool
is_env_name(const char *s, size_t len)
{
	if (len == 0 || (*s >= '0' && *s <= '9'))
		return false;
	return strspn(
		   s,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") ==
	       len;
}

static bool
check_env_name(struct load *L, const struct yaml_node *key)
{
	if (!is_env_name(key->str, key->len)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, key),
			 "'%s' cannot be the name of an environment variable", key->str);
		diag_hint(
		    L->d,
		    "a name has letters, digits and _, and does not begin with a digit");
		return false;
	}
	if (key->len > DAG_NAME_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, key),
			 "the name of an environment variable has at most %d characters",
			 DAG_NAME_MAX);
		return false;
	}
	if (strncmp(key->str, "DAG_", 4) == 0) {
		diag_add(
		    L->d, DIAG_ERROR, load_pos(L, key),
		    "'%s' is not free: variables that begin with DAG_ are set by dag",
		    key->str);
		diag_hint(L->d, "choose another name");
		return false;
	}
	return true;
}

/* ---- secrets ---- */

static enum env_kind
secret_kind(const char *s)
{
	if (strncmp(s, "${env:", 6) == 0)
		return ENV_FROM_ENV;
	return strncmp(s, "${file:", 7) == 0 ? ENV_FROM_FILE : ENV_TEXT;
}

/* The first reference to a secret in s, or NULL. */
static const char *
find_secret(const char *s)
{
	for (; (s = strstr(s, "${")) != NULL; s += 2)
		if (secret_kind(s) != ENV_TEXT)
			return s;
	return NULL;
}

static int
read_secret(struct load *L, const struct yaml_node *n, struct dag_env *e)
{
	enum env_kind kind = secret_kind(n->str);
	size_t head = kind == ENV_FROM_ENV ? 6 : 7, len = n->len - head - 1;
	char *ref = arena_strndup(L->arena, n->str + head, len);

	if (ref == NULL)
		return load_nomem(L);
	if (kind == ENV_FROM_ENV && !is_env_name(ref, len)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "'%s' cannot be the name of an environment variable", ref);
		diag_hint(L->d, "write ${env:NAME}");
	} else if (len == 0) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "${file:} names no file");
		diag_hint(L->d, "write ${file:PATH}");
	}
	e->kind = kind;
	e->ref = ref;
	return 0;
}

static void
partial_secret(struct load *L, const struct yaml_node *n, const char *at)
{
	const char *end = strchr(at, '}');
	size_t len = end != NULL ? (size_t)(end - at) + 1 : strlen(at);

	diag_add(L->d, DIAG_ERROR, load_pos_in(L, n, (size_t)(at - n->str), len),
		 "a secret must be the whole value: %.*s", (int)(len > 80 ? 80 : len),
		 at);
	diag_hint(L->d,
		  "give it a variable of its own and put them together in the command");
}

/* ---- the mapping ---- */

static int
read_value(struct load *L, const struct yaml_pair *p, enum text_use use,
	   const struct dag_task *t, struct dag_env *e)
{
	const struct yaml_node *n = p->val;
	const char *secret = find_secret(n->str);

	if (secret == n->str && n->str[n->len - 1] == '}' &&
	    strchr(n->str, '}') == n->str + n->len - 1)
		return read_secret(L, n, e);
	if (secret != NULL) {
		partial_secret(L, n, secret);
		return 0;
	}
	if (n->len + p->key->len + 2 > ENV_BYTES_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the value of %s has %zu bytes; the kernel takes at most 128 "
			 "KiB with its "
			 "name",
			 p->key->str, n->len);
		diag_hint(L->d, "put it into a file");
		return 0;
	}
	return load_template(L, n, use, t, &e->val);
}

int
load_env(struct load *L, const struct key_spec *spec, const struct yaml_node *map,
	 enum text_use use, const struct dag_task *t, struct dag_env **out, size_t *n)
{
	struct dag_env *v;
	size_t i, kept = 0;

	if (load_is_null(map))
		return 0;
	if (map->kind != YAML_MAP) {
		load_wrong_type(L, spec->name, schema_key_type_text(spec->type), map);
		diag_hint(L->d, "write env: {NAME: value}");
		return 0;
	}
	if (map->map.n > DAG_ENV_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, map),
			 "there are %zu environment variables; at most %d", map->map.n,
			 DAG_ENV_MAX);
		return 0;
	}
	v = arena_array(L->arena, map->map.n, sizeof(*v));
	if (v == NULL)
		return load_nomem(L);
	for (i = 0; i < map->map.n; i++) {
		const struct yaml_pair *p = &map->map.v[i];

		if (!check_env_name(L, p->key))
			continue;
		if (!load_is_scalar(p->val)) {
			load_wrong_type(L, p->key->str, "a string or number", p->val);
			if (load_is_null(p->val))
				diag_hint(L->d, "for an empty value write \"\"");
			continue;
		}
		v[kept].name = p->key->str;
		if (read_value(L, p, use, t, &v[kept]) != 0)
			return -1;
		kept++;
	}
	*out = v;
	*n = kept;
	return 0;
}

static size_t
count_secrets(const struct dag_env *v, size_t n)
{
	size_t secrets = 0;

	for (size_t i = 0; i < n; i++)
		secrets += v[i].kind != ENV_TEXT;
	return secrets;
}

int
load_check_secrets(struct load *L, const struct dag_task *t)
{
	size_t n = L->nsecrets;

	if (t == NULL)
		n = L->nsecrets = count_secrets(L->dag->env, L->dag->nenv);
	else if (t->nenv == 0)
		return 0;
	else
		n += count_secrets(t->env, t->nenv);
	if (n > SECRETS_MAX) {
		diag_add(L->d, DIAG_ERROR,
			 load_pos(L, yaml_get(t != NULL ? t->node : L->root, "env")),
			 "%zu secrets for one task; at most %d can be masked in its log",
			 n, SECRETS_MAX);
	}
	return 0;
}
