/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest exec: see guest-exec.h. */
#include "guest-exec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-acts.h"

#define BUSYBOX "/usr/bin/busybox"

typedef struct Exec {
        const char *path; /* NULL: fd */
        int fd;
        const char *const *arguments, *const *environment;
} Exec;

static void exec_or_tell(const Exec *exec, int tell_fd)
{
        static const char *const nothing[] = {NULL};
        char *const *arguments = (char *const *) exec->arguments;
        char *const *environment =
                (char *const *) (exec->environment ? exec->environment : nothing);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        if (exec->path)
                execve(exec->path, arguments, environment);
        else
                execveat(exec->fd, "", arguments, environment, AT_EMPTY_PATH);
        _exit(write(tell_fd, &errno, sizeof(errno)) != sizeof(errno));
}

static Run run_exec(const Exec *exec)
{
        int tell[2], status;
        Run result = {};
        pid_t pid;

        g_assert_cmpint(pipe2(tell, O_CLOEXEC), ==, 0);
        pid = fork();
        if (pid == 0)
                exec_or_tell(exec, tell[1]);
        close(tell[1]);
        if (read(tell[0], &result.error, sizeof(result.error)) != sizeof(result.error))
                result.error = 0;
        close(tell[0]);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return result;
}

Run run(const char *path, const char *const arguments[], const char *const environment[])
{
        return run_exec(&(Exec){.path = path, .arguments = arguments, .environment = environment});
}

Run run_line(const char *line)
{
        g_auto(GStrv) words = g_strsplit(line, " ", 0);

        return run(words[0], (const char *const *) words + 1, NULL);
}

static int error_of(const Exec *exec)
{
        Run result = run_exec(exec);

        if (!result.error)
                g_assert_cmpint(result.status, ==, 0);
        return result.error;
}

static const char *const do_nothing[] = {"true", NULL};

int try_run(const char *path)
{
        return error_of(&(Exec){.path = path, .arguments = do_nothing});
}

int try_run_fd(int fd)
{
        return error_of(&(Exec){.fd = fd, .arguments = do_nothing});
}

int try_run_link(int fd)
{
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

        return try_run(path);
}

static void write_program(const char *path, const char *bytes, size_t n)
{
        g_autofree char *directory = g_path_get_dirname(path);

        g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        unlink(path);
        g_assert_true(g_file_set_contents_full(path, bytes, (gssize) n, G_FILE_SET_CONTENTS_NONE,
                                               0755, NULL));
}

void make_program(const char *path, const char *text)
{
        g_autofree char *bytes = NULL;
        gsize n;

        g_assert_true(g_file_get_contents(BUSYBOX, &bytes, &n, NULL));
        bytes = g_realloc(bytes, n + strlen(text));
        memcpy(bytes + n, text, strlen(text));
        write_program(path, bytes, n + strlen(text));
}

void make_tiny(const char *path, const char *text)
{
        static const unsigned char code[] = {
                0xb8, 60,   0, 0, 0, /* mov $60, %eax: exit */
                0x31, 0xff,          /* xor %edi, %edi */
                0x0f, 0x05,          /* syscall */
        };
        const Elf64_Addr base = 0x400000;
        struct {
                Elf64_Ehdr head;
                Elf64_Phdr part;
                unsigned char code[sizeof(code)];
                char text[64];
        } program = {
                .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                                     EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_entry = base + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1},
                .part = {.p_type = PT_LOAD,
                         .p_flags = PF_R | PF_X,
                         .p_vaddr = base,
                         .p_filesz = sizeof(program) - sizeof(program.text),
                         .p_memsz = sizeof(program) - sizeof(program.text),
                         .p_align = 4096},
        };
        size_t n = strlen(text);

        g_assert_cmpuint(n, <, sizeof(program.text));
        memcpy(program.code, code, sizeof(code));
        memcpy(program.text, text, n);
        write_program(path, (const char *) &program, offsetof(typeof(program), text) + n);
}

void copy_program(const char *path, const char *from)
{
        g_autofree char *bytes = NULL;
        gsize n;

        g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
        write_program(path, bytes, n);
}

void make_script(const char *path, const char *interpreter, const char *text)
{
        g_autofree char *script = g_strdup_printf("#!%s\n%s\n", interpreter, text);

        write_program(path, script, strlen(script));
}

char *sha256_of(const char *path)
{
        g_autofree char *bytes = NULL;
        gsize n;

        g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) bytes, n);
}

char *enable_verity(const char *path)
{
        const struct fsverity_enable_arg arguments = {
                .version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096};
        enum { N_DIGEST = 32 };
        g_autofree struct fsverity_digest *told = g_malloc0(sizeof(*told) + N_DIGEST);
        GString *text = g_string_new(NULL);
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        if (ioctl(fd, FS_IOC_ENABLE_VERITY, &arguments) < 0)
                g_error("%s: fs-verity: %s", path, strerror(errno));
        told->digest_size = N_DIGEST;
        g_assert_cmpint(ioctl(fd, FS_IOC_MEASURE_VERITY, told), ==, 0);
        for (size_t i = 0; i < N_DIGEST; i++)
                g_string_append_printf(text, "%02x", told->digest[i]);
        close(fd);
        return g_string_free(text, FALSE);
}

/* ---- maps ---- */

static int map(const char *path, int protection, void **ret_memory)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -1;
        *ret_memory = mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0);
        return *ret_memory == MAP_FAILED ? -1 : 0;
}

static int act_map(const void *path)
{
        void *memory;

        return map(path, PROT_READ | PROT_EXEC, &memory);
}

static int act_protect(const void *path)
{
        void *memory;

        if (map(path, PROT_READ, &memory) < 0)
                _exit(1);
        return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static int act_map_as_data(const void *path)
{
        void *memory;

        if (personality(READ_IMPLIES_EXEC) < 0)
                _exit(1);
        return map(path, PROT_READ, &memory);
}

int try_map(const char *path)
{
        return child_errno(act_map, path);
}

int try_protect(const char *path)
{
        return child_errno(act_protect, path);
}

int try_map_as_data(const char *path)
{
        return child_errno(act_map_as_data, path);
}
