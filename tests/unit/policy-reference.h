/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy reference: reads an image as the programs in the kernel do, step by step, and says what
 * the rules of documents mean without one. The two are to agree. */
#pragma once

#include <stdint.h>

#include "abi.h"
#include "policy/image.h"

/* ---- a machine that a test describes ---- */

/* An object that is there. */
typedef struct FakeFile {
        const char *path; /* as documents have it */
        Location location;
} FakeFile;

typedef struct FakeCgroup {
        const char *path;
        uint64_t id;
} FakeCgroup;

/* A path that begins with prefix (and a slash) is the rest of it on device. Others are on device 1.
 */
typedef struct FakeMount {
        const char *prefix;
        uint32_t device;
} FakeMount;

typedef struct FakeMachine {
        const FakeFile *files;
        const FakeCgroup *cgroups;
        const FakeMount *mounts; /* each ends with an empty row */
        int locate_error, cgroup_error;
} FakeMachine;

Resolver fake_resolver(const FakeMachine *machine);

/* Parses text and compiles it as the one document "doc". */
PolicyImage *compile_text(const char *text, const FakeMachine *machine, Diagnostics *diagnostics);

/* A rule about a name: alone, which no document of version 1 can say, or with all below it. */
typedef struct FakeFileRule {
        const char *path; /* as documents have it, no slash at its end */
        uint32_t below;
} FakeFileRule;

/* Compiles rules, numbered from 1. No remark is expected. */
PolicyImage *compile_files(const FakeFileRule *files, size_t n, const FakeMachine *machine);

/* ---- what the kernel sees ---- */

typedef struct Verdict {
        uint32_t access, rule;
} Verdict;

/* path: on the device, from its root. ret_holds: whether rules name something below. */
Verdict image_find_path(const PolicyImage *image, uint32_t device, const char *path,
                        int *ret_holds);

const PinEntry *image_find_pin(const PolicyImage *image, uint32_t device, uint64_t inode);

/* Returns the rule, or 0. */
uint32_t image_find_net(const PolicyImage *image, const uint8_t address[16], uint16_t port,
                        uint8_t protocol, enum net_operation operation);

/* Asserts on what must be true of any image. */
void image_check(const PolicyImage *image);
