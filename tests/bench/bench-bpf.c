/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-bpf: what measuring asks of the kernel's BPF.
 *
 *   bench-bpf attach OBJECT PROGRAM...   attaches these, says so and waits to be ended
 *   bench-bpf verified                   a line "VERIFIED name instructions" for each program
 * loaded: what the verifier went through before it believed it */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int attach(const char *path, char **names, int n)
{
        struct bpf_object *object = bpf_object__open(path);
        struct bpf_program *program;

        if (!object || bpf_object__load(object) < 0)
                return 1;
        for (int i = 0; i < n; i++) {
                program = bpf_object__find_program_by_name(object, names[i]);
                if (!program || !bpf_program__attach(program)) {
                        fprintf(stderr, "bench-bpf: %s cannot be attached\n", names[i]);
                        return 1;
                }
        }
        puts("attached");
        fflush(stdout);
        for (;;)
                pause();
}

static int list_verified(void)
{
        struct bpf_prog_info info;
        __u32 id = 0, n;
        int fd;

        while (bpf_prog_get_next_id(id, &id) == 0) {
                fd = bpf_prog_get_fd_by_id(id);
                n = sizeof(info);
                memset(&info, 0, sizeof(info));
                if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &n) == 0)
                        printf("VERIFIED %s %u\n", info.name, info.verified_insns);
                if (fd >= 0)
                        close(fd);
        }
        return 0;
}

int main(int argc, char **argv)
{
        if (argc > 3 && strcmp(argv[1], "attach") == 0)
                return attach(argv[2], argv + 3, argc - 3);
        if (argc == 2 && strcmp(argv[1], "verified") == 0)
                return list_verified();
        fputs("bench-bpf: see the head of its source\n", stderr);
        return 64;
}
