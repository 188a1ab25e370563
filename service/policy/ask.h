/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ask: which clause of an image decides an access. The image is read as the programs in the kernel
 * read it, so that the answer is theirs; what only the kernel knows (who is exempt by being PID 1,
 * which inode a name leads to) is the caller's to know. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/image.h"

/* Who asks. */
typedef struct Asker {
        uint32_t uid, gid;
        const uint32_t *groups; /* supplementary ones */
        size_t n_groups;
        const Place *exe;           /* NULL: a program that no exe= names */
        const char *cgroup;         /* "/a/b"; NULL: one that no rule names */
        const uint64_t *cgroup_ids; /* of it and of all above it */
        size_t n_cgroup_ids;
        int is_verified;
        int64_t now; /* seconds since boot */
} Asker;

typedef struct FileQuestion {
        const Place *name;
        uint64_t inode;   /* in name->device; 0: there is none yet, or it is not known */
        int has_links;    /* more names than one */
        uint32_t access;  /* one bit of ACCESS_…; ACCESS_EXEC: name is that of the program */
        const char *comm; /* of a program that is run; NULL: the last component of name */
        const struct digest_key *digest; /* of a program that is run; NULL: not known */
} FileQuestion;

typedef struct NetQuestion {
        uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
        uint16_t port;       /* host order */
        uint16_t protocol;   /* IPPROTO_… or NET_PROTOCOL_… */
        enum net_operation operation;
} NetQuestion;

/* Whether the asker is in that cgroup or below it: "/a/b", a unit's name, or NULL and an id. */
int asker_is_in_cgroup(const Asker *asker, const char *path, uint64_t id);

/* Whether the asker's cgroup is one whose processes no rule binds. */
int image_leaves_unbound(const PolicyImage *image, const Asker *asker);

/* Each returns the clause that decides, which belongs to the image, or NULL if none does: then the
 * access is allowed. Who is unbound need not ask. */
const struct clause *image_ask_file(const PolicyImage *image, const Asker *asker,
                                    const FileQuestion *question);
const struct clause *image_ask_net(const PolicyImage *image, const Asker *asker,
                                   const NetQuestion *question);
const struct clause *image_ask_kernel(const PolicyImage *image, const Asker *asker,
                                      enum kernel_object object);
