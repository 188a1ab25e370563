/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fault: see fault.h. */
#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NO_FAULT (-1)

static struct {
        const char *call; /* NULL: none */
        unsigned n_before, n_times;
        int error;
} named;

static struct {
        unsigned kinds, n, turn;
        int error;
        const char *met;
} counted;

void fail_after(unsigned n, const char *call, int error)
{
        named.call = call;
        named.n_before = n;
        named.n_times = 1;
        named.error = error;
}

void fail(const char *call, int error)
{
        fail_after(0, call, error);
}

void fail_twice(const char *call, int error)
{
        fail(call, error);
        named.n_times = 2;
}

void assert_met(void)
{
        g_assert_cmpstr(named.call, ==, NULL);
}

void fail_nth(unsigned n, unsigned kinds, int error)
{
        counted.kinds = kinds;
        counted.n = 0;
        counted.turn = n;
        counted.error = error;
        counted.met = "none";
}

unsigned fail_no_more(void)
{
        counted.kinds = 0;
        return counted.n;
}

const char *fail_met(void)
{
        return counted.met;
}

/* ---- whose turn it is ---- */

static int named_fault(const char *call)
{
        if (!named.call || strcmp(named.call, call) != 0)
                return NO_FAULT;
        if (named.n_before > 0) {
                named.n_before--;
                return NO_FAULT;
        }
        if (--named.n_times == 0)
                named.call = NULL;
        return named.error;
}

/* An errno, 0 or NO_FAULT. */
static int fault_of(FaultKind kind, const char *call)
{
        int error = named_fault(call);

        if (error == NO_FAULT && (counted.kinds & kind) && ++counted.n == counted.turn) {
                error = counted.error;
                counted.met = call;
        }
        if (error != NO_FAULT)
                errno = error;
        return error;
}

static char is_of_twin[4096]; /* descriptors */

static int fault_at(int fd, const char *call)
{
        return fd >= 0 && fd < (int) sizeof(is_of_twin) && is_of_twin[fd]
                       ? NO_FAULT
                       : fault_of(FAULT_FILE, call);
}

static int is_twins(const char *path)
{
        return strstr(path, "/pins") != NULL;
}

static int note(int fd, int of_twin)
{
        if (fd >= 0 && fd < (int) sizeof(is_of_twin))
                is_of_twin[fd] = (char) of_twin;
        return fd;
}

/* ---- the calls ---- */

#define WRAP(fault, type, failed, name, parameters, arguments)                                     \
        extern type __real_##name parameters;                                                      \
        extern type __wrap_##name parameters;                                                      \
        type __wrap_##name parameters                                                              \
        {                                                                                          \
                int error = fault;                                                                 \
                                                                                                   \
                if (error == NO_FAULT)                                                             \
                        return __real_##name arguments;                                            \
                return error == 0 ? (type) 0 : (type) (failed);                                    \
        }
#define WRAP_MEMORY(type, name, parameters, arguments)                                             \
        WRAP(fault_of(FAULT_MEMORY, #name), type, NULL, name, parameters, arguments)
#define WRAP_FILE(type, failed, fd, name, parameters, arguments)                                   \
        WRAP(fault_at(fd, #name), type, failed, name, parameters, arguments)

/* Whoever makes an array shorter can do without, and need not tell. */
static int is_shorter(void *old, size_t n)
{
        return old && n <= malloc_usable_size(old);
}

WRAP_MEMORY(void *, malloc, (size_t n), (n))
WRAP_MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(is_shorter(old, n *size) ? NO_FAULT : fault_of(FAULT_MEMORY, "reallocarray"), void *, NULL,
     reallocarray, (void *old, size_t n, size_t size), (old, n, size))
WRAP_MEMORY(char *, strdup, (const char *text), (text))
WRAP_MEMORY(char *, strndup, (const char *text, size_t n), (text, n))

/* As the C library has it, and as a fortified build calls it. */
extern int __wrap_asprintf(char **ret_text, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret_text, const char *format, ...)
{
        va_list arguments;
        int n;

        if (fault_of(FAULT_MEMORY, "asprintf") != NO_FAULT)
                return -1;
        va_start(arguments, format);
        n = vasprintf(ret_text, format, arguments);
        va_end(arguments);
        return n;
}

extern int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
        va_list arguments;
        int n;

        if (fault_of(FAULT_MEMORY, "asprintf") != NO_FAULT)
                return -1;
        va_start(arguments, format);
        n = vasprintf(ret_text, format, arguments);
        va_end(arguments);
        return n;
}

WRAP_FILE(ssize_t, -1, fd, read, (int fd, void *data, size_t n), (fd, data, n))
WRAP(fault_at(fd, "read"), ssize_t, -1, __read_chk, (int fd, void *data, size_t n, size_t room),
     (fd, data, n, room))
WRAP_FILE(ssize_t, -1, fd, write, (int fd, const void *data, size_t n), (fd, data, n))
WRAP_FILE(int, -1, fd, fsync, (int fd), (fd))
WRAP_FILE(int, -1, fd, fdatasync, (int fd), (fd))
WRAP_FILE(int, -1, fd, renameat, (int fd, const char *from, int to_fd, const char *to),
          (fd, from, to_fd, to))
WRAP_FILE(int, -1, fd, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP_FILE(int, -1, fd, linkat, (int fd, const char *from, int to_fd, const char *to, int flags),
          (fd, from, to_fd, to, flags))
WRAP(is_twins(path) ? NO_FAULT : fault_of(FAULT_FILE, "mkdir"), int, -1, mkdir,
     (const char *path, mode_t mode), (path, mode))
WRAP_FILE(int, -1, fd, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))
WRAP_FILE(int, -1, fd, fstat64, (int fd, struct stat *st), (fd, st))
WRAP_FILE(int, -1, fd, fstatat64, (int fd, const char *name, struct stat *st, int flags),
          (fd, name, st, flags))
WRAP_FILE(int, -1, fd, faccessat, (int fd, const char *name, int mode, int flags),
          (fd, name, mode, flags))
WRAP_FILE(int, -1, fd, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP_FILE(int, -1, fd, flock, (int fd, int operation), (fd, operation))
WRAP_FILE(DIR *, NULL, -1, fdopendir, (int fd), (fd))
WRAP_FILE(int, -1, fd, scandirat64,
          (int fd, const char *name, struct dirent ***files, int (*filter)(const struct dirent *),
           int (*compare)(const struct dirent **, const struct dirent **)),
          (fd, name, files, filter, compare))
WRAP_FILE(struct dirent *, NULL, -1, readdir64, (DIR * folder), (folder))
WRAP_FILE(FILE *, NULL, -1, open_memstream, (char **text, size_t *n), (text, n))

/* What it holds is gone all the same. */
extern int __real_fclose(FILE *file);
extern int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file)
{
        int error = fault_of(FAULT_FILE, "fclose"), r = __real_fclose(file);

        if (error == NO_FAULT)
                return r;
        errno = error;
        return EOF;
}

extern int __real_openat64(int fd, const char *name, int flags, ...);
extern int __wrap_openat64(int fd, const char *name, int flags, ...);
int __wrap_openat64(int fd, const char *name, int flags, ...)
{
        mode_t mode;
        va_list arguments;

        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
        if (fault_at(fd, "openat") != NO_FAULT)
                return -1;
        return note(__real_openat64(fd, name, flags, mode),
                    fd >= 0 && fd < (int) sizeof(is_of_twin) && is_of_twin[fd]);
}

/* What openat() is where its flags are no constant. */
extern int __wrap___openat64_2(int fd, const char *name, int flags);
int __wrap___openat64_2(int fd, const char *name, int flags)
{
        return __wrap_openat64(fd, name, flags, 0);
}

extern int __real_open64(const char *name, int flags, ...);
extern int __wrap_open64(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...)
{
        mode_t mode;
        va_list arguments;

        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
        if (!is_twins(name) && fault_of(FAULT_FILE, "open") != NO_FAULT)
                return -1;
        return note(__real_open64(name, flags, mode), is_twins(name));
}

/* openat2() alone */
extern long __real_syscall(long number, ...);
extern long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
        va_list arguments;
        const char *path;
        void *how;
        size_t n;
        int fd;

        va_start(arguments, number);
        fd = va_arg(arguments, int);
        path = va_arg(arguments, const char *);
        how = va_arg(arguments, void *);
        n = va_arg(arguments, size_t);
        va_end(arguments);
        if (number != SYS_openat2)
                return __real_syscall(number, fd, path, how, n);
        if (!is_twins(path) && fault_at(fd, "openat2") != NO_FAULT)
                return -1;
        return note((int) __real_syscall(number, fd, path, how, n), is_twins(path));
}
