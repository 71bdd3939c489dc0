/*
 * Standing without the C library on x86-64 (sys.h says why): the entry point, the stack
 * guard, and the few functions on bytes and strings that our code and the compiler call.
 */
#include <elf.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

/* What the compiler's -fstack-protector looks at, by these names. */
extern uintptr_t __stack_chk_guard;
extern void __stack_chk_fail(void) __attribute__((noreturn));
uintptr_t __stack_chk_guard;

void
__stack_chk_fail(void)
{
	for (;;)
		(void)sys_kill(sys_getpid(), SIGKILL); /* nothing here can be trusted */
}

__asm__(".text\n"
	".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call shim_start\n"
	"	hlt\n"
	".size _start, . - _start\n");

void shim_start(uintptr_t *) __attribute__((noreturn, no_stack_protector, used));

/* ${sp}: argc, arguments, NULL, environment, NULL, pairs of the auxiliary vector. */
void
shim_start(uintptr_t *sp)
{
	int argc = (int)sp[0];
	char **argv = (char **)(sp + 1), **p = argv + argc + 1;

	while (*p != NULL)
		p++;
	for (const uintptr_t *aux = (uintptr_t *)(p + 1); aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_RANDOM)
			memcpy(&__stack_chk_guard, (const void *)aux[1],
			       sizeof(__stack_chk_guard));
	/* A zero byte first stops the overflow of a string. */
	__stack_chk_guard &= ~(uintptr_t)0xff;
#ifdef DAG_TEST_DOORS
	shim_fault_init(argv + argc + 1);
#endif
	sys_exit(shim_main(argc, argv));
}

/*
 * The C library's names belong to these only in the program that has no C library: here they
 * have names of their own, and the linker knows them by the others.
 */
void *own_memcpy(void *restrict to, const void *restrict from,
		 size_t n) __asm__("memcpy");
void *own_memmove(void *to, const void *from, size_t n) __asm__("memmove");
void *own_memset(void *to, int c, size_t n) __asm__("memset");
int own_memcmp(const void *a, const void *b, size_t n) __asm__("memcmp");
void *own_memchr(const void *p, int c, size_t n) __asm__("memchr");
void *own_memrchr(const void *p, int c, size_t n) __asm__("memrchr");
size_t own_strlen(const char *s) __asm__("strlen");
char *own_strchrnul(const char *s, int c) __asm__("strchrnul");
char *own_strchr(const char *s, int c) __asm__("strchr");
int own_strncmp(const char *a, const char *b, size_t n) __asm__("strncmp");

void *
own_memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *p = to;

	__asm__ volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) : : "memory");
	return to;
}

void *
own_memmove(void *to, const void *from, size_t n)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	while (n > 0) {
		n--;
		d[n] = s[n];
	}
	return to;
}

void *
own_memset(void *to, int c, size_t n)
{
	void *p = to;

	__asm__ volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(c) : "memory");
	return to;
}

int
own_memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v, w;

		__builtin_memcpy(&v, x + i, 8);
		__builtin_memcpy(&w, y + i, 8);
		if (v != w)
			break;
	}
	for (; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

void *
own_memchr(const void *p, int c, size_t n)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < n; i++)
		if (s[i] == (unsigned char)c)
			return (void *)(uintptr_t)(s + i);
	return NULL;
}

void *
own_memrchr(const void *p, int c, size_t n)
{
	const unsigned char *s = p;

	while (n > 0)
		if (s[--n] == (unsigned char)c)
			return (void *)(uintptr_t)(s + n);
	return NULL;
}

size_t
own_strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

char *
own_strchrnul(const char *s, int c)
{
	while (*s != '\0' && *s != (char)c)
		s++;
	return (char *)(uintptr_t)s;
}

char *
own_strchr(const char *s, int c)
{
	char *p = strchrnul(s, c);

	return *p == (char)c ? p : NULL;
}

int
own_strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || a[i] == '\0')
			return (unsigned char)a[i] - (unsigned char)b[i];
	return 0;
}
