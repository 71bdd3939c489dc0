#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
err_clear(struct err *err)
{
	if (err != NULL) {
		err->code = ERR_NONE;
		err->sys = 0;
		err->msg[0] = '\0';
	}
}

/* Cut a message that filled its buffer back to the last whole UTF-8 character. */
static void
cut_utf8(char *s)
{
	size_t n = strlen(s), back = 0;

	while (back < 3 && back < n && ((unsigned char)s[n - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < n && (unsigned char)s[n - 1 - back] >= 0xc0)
		s[n - 1 - back] = '\0';
}

static void
format(struct err *err, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);

	if (n < 0)
		err->msg[0] = '\0';
	else if ((size_t)n >= sizeof(err->msg))
		cut_utf8(err->msg);
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -1;
	err->code = code;
	err->sys = 0;
	va_start(ap, fmt);
	format(err, fmt, ap);
	va_end(ap);
	return -1;
}

static enum err_code
code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOMEM:
		return ERR_NOMEM;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_FULL;
	case ENOENT:
	case ENOTDIR:
		return ERR_NOTFOUND;
	case EEXIST:
		return ERR_EXISTS;
	default:
		return ERR_SYS;
	}
}

int
err_sys(struct err *err, int errnum, const char *fmt, ...)
{
	va_list ap;
	char text[128];
	size_t n;

	if (err == NULL)
		return -1;
	err->code = code_of_errno(errnum);
	err->sys = errnum;
	va_start(ap, fmt);
	format(err, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	/* The GNU strerror_r: returns the text, which need not be in the buffer. */
	if (snprintf(err->msg + n, sizeof(err->msg) - n, ": %s",
		     strerror_r(errnum, text, sizeof(text))) >=
	    (int)(sizeof(err->msg) - n))
		cut_utf8(err->msg);
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	va_list ap;
	char old[sizeof(err->msg)];
	size_t n;

	if (err == NULL)
		return -1;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	format(err, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	if (snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", old) >=
	    (int)(sizeof(err->msg) - n))
		cut_utf8(err->msg);
	return -1;
}

int
err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory");
}
