#ifndef DAG_STORE_HTTP_H
#define DAG_STORE_HTTP_H
/*
 * Files of web servers, by libcurl, which lies in a module that is loaded with the first
 * request.  http and https alone, also where a redirection leads; proxies as the environment
 * names them.  Nothing is cached, nobody is asked for a password.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct meter;

#define HTTP_REDIRECTS_MAX 10
#define HTTP_CONNECT_S	   60	/* until there is a connection */
#define HTTP_STALL_S	   60	/* without a byte */
#define HTTP_FIELD_MAX	   1024 /* bytes of one field of an answer that are kept */

struct http_request {
	const char *url;
	const char *name;    /* what messages call it: the URL without passwords */
	struct meter *meter; /* its bytes count what arrives; its wish to end is heard */
	/* Takes the file piece by piece; other than 0 ends it, with the error filled.  NULL: the
	 * file is only asked about. */
	int (*sink)(void *, const void *, size_t, struct err *);
	/* Called before the first piece, as soon as the answer is known; may be NULL. */
	int (*begin)(void *, int64_t, struct err *);
	void *arg;
};

/* What a server says of a file; "" where it says nothing. */
struct http_answer {
	int64_t size; /* bytes; -1: not said */
	char etag[HTTP_FIELD_MAX];
	char md5[HTTP_FIELD_MAX]; /* Content-MD5 */
	char digest[HTTP_FIELD_MAX];
	char modified[HTTP_FIELD_MAX];
	char type[HTTP_FIELD_MAX]; /* without its parameters */
	char url[4096];		   /* where it was found, after redirections */
	bool no_ranges;
	bool again; /* after a failure: it may work if it is tried again */
};

/**
 * http_ask(rq, answer, err):
 * Ask about a file: HEAD, and where that fails or tells no size, GET without its bytes.
 * Return 0 or -1: ERR_NOTFOUND (404, 410), ERR_INVALID (it may not be read, or its URL is
 * wrong), ERR_CANCELLED, ERR_FAILED for what else the server or the way to it does.
 */
int http_ask(const struct http_request *, struct http_answer *, struct err *);

/**
 * http_get(rq, answer, err):
 * Fetch a file.  0 says that all of it has come: a connection that ends before the last byte
 * is a failure.  -1 as http_ask, or what the sink failed with.
 */
int http_get(const struct http_request *, struct http_answer *, struct err *);

#endif
