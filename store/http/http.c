/* Requests by libcurl's easy interface: one after the other, each in the thread that asks. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "store/http_table.h"
#include "store/meter.h"

#define OK_MIN	  200L
#define OK_MAX	  299L
#define STALL_ENV "DAG_HTTP_STALL" /* seconds, of tests */

struct exchange {
	const struct http_request *rq;
	struct http_answer *a;
	CURL *curl;
	bool encoded; /* Content-Length is not that of the file */
	bool begun;   /* the first piece has come, or was not wanted */
	bool enough;  /* we ended it, content */
	bool failed;  /* the sink did, and has filled err */
	char why[CURL_ERROR_SIZE];
	struct err *err;
};

/* ---- what comes ---- */

static bool
is_field(const char *line, size_t n, const char *name, const char **value, size_t *len)
{
	size_t k = strlen(name);

	if (n <= k || line[k] != ':' || strncasecmp(line, name, k) != 0)
		return false;
	for (line += k + 1, n -= k + 1; n > 0 && (*line == ' ' || *line == '\t'); n--)
		line++;
	while (n > 0 && strchr("\r\n \t", line[n - 1]) != NULL)
		n--;
	*value = line;
	*len = n;
	return true;
}

/* The first of equal fields counts; one too long to be kept is none. */
static void
keep(char out[HTTP_FIELD_MAX], const char *value, size_t len)
{
	if (*out != '\0' || len >= HTTP_FIELD_MAX || memchr(value, '\0', len) != NULL)
		return;
	memcpy(out, value, len);
	out[len] = '\0';
}

static int64_t
take_size(const char *value, size_t len)
{
	int64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, value[i] - '0', &n))
			return -1;
	}
	return len > 0 ? n : -1;
}

static size_t
on_header(char *line, size_t one, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	struct http_answer *a = x->a;
	const char *v;
	size_t len;

	n *= one;
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0) { /* the next of several answers */
		*a = (struct http_answer){.size = -1};
		x->encoded = false;
	} else if (is_field(line, n, "ETag", &v, &len)) {
		keep(a->etag, v, len);
	} else if (is_field(line, n, "Content-MD5", &v, &len)) {
		keep(a->md5, v, len);
	} else if (is_field(line, n, "Digest", &v, &len)) {
		keep(a->digest, v, len);
	} else if (is_field(line, n, "Last-Modified", &v, &len)) {
		keep(a->modified, v, len);
	} else if (is_field(line, n, "Content-Type", &v, &len)) {
		const char *end = memchr(v, ';', len);

		keep(a->type, v, end != NULL ? (size_t)(end - v) : len);
	} else if (is_field(line, n, "Accept-Ranges", &v, &len)) {
		a->no_ranges = len == 4 && memcmp(v, "none", 4) == 0;
	} else if (is_field(line, n, "Content-Encoding", &v, &len)) {
		x->encoded = len > 0 && !(len == 8 && memcmp(v, "identity", 8) == 0);
	} else if (is_field(line, n, "Content-Length", &v, &len)) {
		a->size = take_size(v, len);
	}
	return n;
}

static int
begin(struct exchange *x)
{
	if (x->begun)
		return 0;
	x->begun = true;
	if (x->encoded)
		x->a->size = -1;
	if (x->a->size > 0)
		meter_expect(x->rq->meter, 0, (uint64_t)x->a->size);
	if (x->rq->begin == NULL || x->rq->begin(x->rq->arg, x->a->size, x->err) == 0)
		return 0;
	x->failed = true;
	return -1;
}

static size_t
on_bytes(char *p, size_t one, size_t n, void *ctx)
{
	struct exchange *x = ctx;

	if (x->rq->sink == NULL) {
		x->enough = true;
		return 0;
	}
	n *= one;
	if (begin(x) != 0)
		return 0;
	if (x->rq->sink(x->rq->arg, p, n, x->err) != 0) {
		x->failed = true;
		return n != 0 ? 0 : 1;
	}
	meter_add(x->rq->meter, 0, n);
	return n;
}

static int
on_progress(void *ctx, curl_off_t all, curl_off_t now, curl_off_t up_all, curl_off_t up)
{
	const struct exchange *x = ctx;

	(void)all;
	(void)now;
	(void)up_all;
	(void)up;
	return meter_cancelled(x->rq->meter);
}

/* ---- how it went ---- */

static int
say_status(const struct exchange *x, long status)
{
	const char *name = x->rq->name;

	if (status == 404 || status == 410)
		return err_set(x->err, ERR_NOTFOUND,
			       "'%s' does not exist (the server says %ld)", name, status);
	if (status == 401 || status == 403 || status == 407)
		return err_set(
		    x->err, ERR_INVALID,
		    "'%s' may not be read without a login (the server says %ld): "
		    "fetch it by other means, then 'dag add' it",
		    name, status);
	x->a->again = status >= 500 || status == 408 || status == 429;
	return err_set(x->err, ERR_FAILED, "cannot get '%s': the server says %ld", name,
		       status);
}

static bool
is_passing(CURLcode rc)
{
	return rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR ||
	       rc == CURLE_SEND_ERROR || rc == CURLE_OPERATION_TIMEDOUT ||
	       rc == CURLE_COULDNT_CONNECT || rc == CURLE_GOT_NOTHING ||
	       rc == CURLE_HTTP2 || rc == CURLE_HTTP2_STREAM;
}

static int
say(const struct exchange *x, CURLcode rc, long status)
{
	const char *name = x->rq->name;
	const char *why = *x->why != '\0' ? x->why : curl_easy_strerror(rc);

	if (x->failed)
		return -1;
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return err_set(x->err, ERR_CANCELLED, "stopped");
	if (rc == CURLE_OUT_OF_MEMORY)
		return err_nomem(x->err);
	if (rc == CURLE_HTTP_RETURNED_ERROR || rc == CURLE_OK)
		return say_status(x, status);
	if (rc == CURLE_UNSUPPORTED_PROTOCOL && status != 0)
		return err_set(
		    x->err, ERR_FAILED,
		    "'%s' redirects to a kind of address that is not followed: %s", name,
		    why);
	if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL)
		return err_set(x->err, ERR_INVALID, "'%s' is no address of a file: %s",
			       name, why);
	x->a->again = is_passing(rc);
	if (rc == CURLE_PARTIAL_FILE)
		return err_set(x->err, ERR_FAILED,
			       "'%s' was cut short: the connection ended before its last "
			       "byte",
			       name);
	return err_set(x->err, ERR_FAILED, "cannot get '%s': %s", name, why);
}

/* ---- requests ---- */

static void
global(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static long
stall_s(void)
{
#ifdef DAG_TEST_DOORS
	const char *s = getenv(STALL_ENV);

	if (s != NULL && *s >= '1' && *s <= '9' && s[1] == '\0')
		return *s - '0';
#endif
	return HTTP_STALL_S;
}

static CURLcode
set_up(struct exchange *x, bool head)
{
	CURL *c = x->curl;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, x->rq->url);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	/* What comes encoded all the same is decoded, as DVC has it. */
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "identity");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_USERAGENT, "dag");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	(void)curl_easy_setopt(c, CURLOPT_NOBODY, head ? 1L : 0L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_S);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, stall_s());
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->why);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
	return rc;
}

static int
request(const struct http_request *rq, bool head, struct http_answer *a, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct err unused;
	struct exchange x = {.rq = rq, .a = a, .err = err != NULL ? err : &unused};
	const char *url = NULL;
	long status = 0;
	CURLcode rc;
	int r = 0;

	(void)pthread_once(&once, global);
	x.curl = curl_easy_init();
	if (x.curl == NULL)
		return err_nomem(err);
	rc = set_up(&x, head);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(x.curl);
	(void)curl_easy_getinfo(x.curl, CURLINFO_RESPONSE_CODE, &status);
	if (x.encoded)
		a->size = -1;
	if (x.enough)
		rc = CURLE_OK;
	if (rc == CURLE_OK && status >= OK_MIN && status <= OK_MAX && !x.failed) {
		(void)curl_easy_getinfo(x.curl, CURLINFO_EFFECTIVE_URL, &url);
		if (url != NULL && strlen(url) < sizeof(a->url))
			memcpy(a->url, url, strlen(url) + 1);
		/* An empty file has no first piece. */
		if (!head && rq->sink != NULL)
			r = begin(&x);
	} else {
		r = say(&x, rc, status);
	}
	curl_easy_cleanup(x.curl);
	return r;
}

static int
ask(const struct http_request *rq, struct http_answer *a, struct err *err)
{
	struct http_request q = *rq;

	q.sink = NULL;
	q.begin = NULL;
	if (request(&q, true, a, err) == 0 && a->size >= 0)
		return 0;
	return meter_cancelled(rq->meter) ? err_set(err, ERR_CANCELLED, "stopped")
					  : request(&q, false, a, err);
}

static int
get(const struct http_request *rq, struct http_answer *a, struct err *err)
{
	return request(rq, false, a, err);
}

extern const struct http_table dag_module;

__attribute__((visibility("default"))) const struct http_table dag_module = {
    .head = {"http", HTTP_TABLE_VERSION},
    .ask = ask,
    .get = get,
};
