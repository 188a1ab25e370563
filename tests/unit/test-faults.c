/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As test-inject, but within one process: each call to the C library that the store makes fails
 * once, as a disk, a full one, an interruption or want of memory would have it, in each deed and
 * each start. What the twin of the backend does for itself is left alone. Linked with --wrap. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deeds.h"
#include "util/log.h"

/* ---- what fails ---- */

static int is_armed;
static unsigned n_calls, turn; /* the call of that number fails; 0: none */
static int fault;
static char is_of_twin[4096]; /* descriptors */

static int is_turn(void)
{
        if (!is_armed || ++n_calls != turn)
                return 0;
        errno = fault;
        return 1;
}

/* Allocations are many: with `-m slow` they fail, too. */
static int is_turn_to_be_short(void)
{
        return g_test_slow() && is_turn();
}

static int is_turn_at(int fd)
{
        return fd >= 0 && fd < (int) sizeof(is_of_twin) && is_of_twin[fd] ? 0 : is_turn();
}

static int note(int fd, int of_twin)
{
        if (fd >= 0 && fd < (int) sizeof(is_of_twin))
                is_of_twin[fd] = (char) of_twin;
        return fd;
}

#define WRAP(type, failed, fd, name, parameters, arguments)                                        \
        WRAP_AT(type, failed, is_turn_at(fd), name, parameters, arguments)
#define WRAP_MEMORY(type, name, parameters, arguments)                                             \
        WRAP_AT(type, NULL, is_turn_to_be_short(), name, parameters, arguments)
#define WRAP_AT(type, failed, is_now, name, parameters, arguments)                                 \
        extern type __real_##name parameters;                                                      \
        extern type __wrap_##name parameters;                                                      \
        type __wrap_##name parameters                                                              \
        {                                                                                          \
                return is_now ? (failed) : __real_##name arguments;                                \
        }

WRAP_MEMORY(void *, malloc, (size_t n), (n))
WRAP_MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
WRAP_MEMORY(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
WRAP_MEMORY(char *, strdup, (const char *text), (text))
WRAP_MEMORY(char *, strndup, (const char *text, size_t n), (text, n))
WRAP(ssize_t, -1, fd, read, (int fd, void *data, size_t n), (fd, data, n))
WRAP(ssize_t, -1, fd, write, (int fd, const void *data, size_t n), (fd, data, n))
WRAP(int, -1, fd, fsync, (int fd), (fd))
WRAP(int, -1, fd, fdatasync, (int fd), (fd))
WRAP(int, -1, fd, renameat, (int fd, const char *from, int to_fd, const char *to),
     (fd, from, to_fd, to))
WRAP(int, -1, fd, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(int, -1, fd, linkat, (int fd, const char *from, int to_fd, const char *to, int flags),
     (fd, from, to_fd, to, flags))
WRAP(int, -1, fd, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))
WRAP(int, -1, strstr(path, "/pins") ? 0 : -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, -1, fd, fstat64, (int fd, struct stat *st), (fd, st))
WRAP(int, -1, fd, fstatat64, (int fd, const char *name, struct stat *st, int flags),
     (fd, name, st, flags))
WRAP(int, -1, fd, faccessat, (int fd, const char *name, int mode, int flags),
     (fd, name, mode, flags))
WRAP(int, -1, fd, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, -1, fd, flock, (int fd, int operation), (fd, operation))
WRAP(DIR *, NULL, -1, fdopendir, (int fd), (fd))
WRAP(struct dirent *, NULL, -1, readdir64, (DIR * folder), (folder))
WRAP(FILE *, NULL, -1, fdopen, (int fd, const char *mode), (fd, mode))
WRAP(FILE *, NULL, -1, open_memstream, (char **text, size_t *n), (text, n))
WRAP(int, EOF, -1, fflush, (FILE * file), (file))

/* What read() is where its room is known. */
extern ssize_t __real___read_chk(int fd, void *data, size_t n, size_t room);
extern ssize_t __wrap___read_chk(int fd, void *data, size_t n, size_t room);
ssize_t __wrap___read_chk(int fd, void *data, size_t n, size_t room)
{
        return is_turn_at(fd) ? -1 : __real___read_chk(fd, data, n, room);
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
        if (is_turn_at(fd))
                return -1;
        return note(__real_openat64(fd, name, flags, mode), fd >= 0 && is_of_twin[fd]);
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
        if (number != SYS_openat2 || strstr(path, "/pins"))
                return note((int) __real_syscall(number, fd, path, how, n), number == SYS_openat2);
        return is_turn_at(fd) ? -1 : note((int) __real_syscall(number, fd, path, how, n), 0);
}

/* ---- one after the other ---- */

typedef struct Stage {
        const Scene *scene;
        char *work, *root, *played, *other;
        InForce before, after;
} Stage;

/* Returns 0, 1 if it was done in trouble, or what went wrong: the start or the deed, only one of
 * which meets the fault. */
static int play(const Stage *stage, unsigned failing, int error)
{
        Fixture fixture = {};
        int r;

        remove_tree(stage->played);
        copy_tree(stage->root, stage->played);
        set_places(&fixture, stage->played);
        n_calls = 0;
        turn = failing;
        fault = error;
        start_backend(&fixture);
        is_armed = 1;
        r = try_start_enforcement(&fixture);
        if (r == 0 && stage->scene->deed)
                r = stage->scene->deed(&fixture);
        if (r == 0)
                enforcement_check(fixture.enforcement);
        is_armed = 0;
        if (r == 0 && enforcement_trouble(fixture.enforcement)[0])
                r = 1;
        stop(&fixture);
        clear_places(&fixture);
        return r;
}

static void judge(const Stage *stage, const char *root, Power power, int must_be_new)
{
        InForce now = look(root, power);

        if (is_same(&now, &stage->after) || (!must_be_new && is_same(&now, &stage->before)))
                return;
        g_test_message("%s, call %u, %s: %s after %s", stage->scene->name, turn, g_strerror(fault),
                       is_same(&now, &stage->before) ? "the old one" : "neither",
                       power == POWER_STAYS ? "a restart" : "a power cut");
        g_test_fail();
}

static void try_call(const Stage *stage, unsigned call, int error)
{
        int r = play(stage, call, error);

        remove_tree(stage->other);
        copy_tree(stage->played, stage->other);
        judge(stage, stage->played, POWER_STAYS, r == 0);
        judge(stage, stage->other, POWER_WAS_CUT, r == 0);
}

static void test_old_or_new_whatever_fails(gconstpointer data)
{
        Stage stage = {.scene = data};
        unsigned n;

        log_set_max_level(LOG_EMERG);
        stage.work = g_dir_make_tmp("aegis-faults-XXXXXX", NULL);
        stage.root = g_build_filename(stage.work, "root", NULL);
        stage.played = g_build_filename(stage.work, "played", NULL);
        stage.other = g_build_filename(stage.work, "other", NULL);
        g_assert_cmpint(g_mkdir(stage.root, 0700), ==, 0);
        stage.before = prepare(stage.scene, stage.root);
        play(&stage, 0, EIO);
        n = n_calls;
        stage.after = look(stage.played, POWER_STAYS);
        for (unsigned call = 1; call <= n; call++)
                for (size_t i = 0; i < (g_test_slow() ? 2 : 1); i++)
                        try_call(&stage, call, i == 0 ? EIO : EINTR);
        g_test_message("%u points", n);
        g_assert_cmpuint(n, >, 20);
        remove_tree(stage.work);
        g_free(stage.work);
        g_free(stage.root);
        g_free(stage.played);
        g_free(stage.other);
        log_set_max_level(LOG_INFO);
}

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        for (size_t i = 0; i < n_scenes; i++) {
                g_autofree char *path = NULL;

                if (scenes[i].pace != PACE_QUICK && !g_test_slow())
                        continue;
                path = g_strdup_printf("/faults/test_old_or_new_whatever_fails/%s", scenes[i].name);

                g_test_add_data_func(path, &scenes[i], test_old_or_new_whatever_fails);
        }
        return g_test_run();
}
