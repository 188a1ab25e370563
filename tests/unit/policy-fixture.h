/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy fixture: machines that a test describes, and images that are compiled for them. */
#pragma once

#include "policy/image.h"

/* An object that is there. */
typedef struct FakeFile {
        const char *path; /* as documents have it */
        Location location;
} FakeFile;

/* A path that begins with prefix (and a slash) is the rest of it on device. Others are on device 1.
 */
typedef struct FakeMount {
        const char *prefix;
        uint32_t device;
} FakeMount;

typedef struct FakeMachine {
        const FakeFile *files;
        const FakeMount *mounts;    /* each ends with an empty row */
        const char *const *cgroups; /* those that are there; NULL: all are */
        int locate_error, cgroup_error;
} FakeMachine;

Resolver fake_resolver(const FakeMachine *machine);

/* Compiles rules, numbered from 1; what a rule does not say (options, section, entry, line) is set.
 * Takes no remark. */
PolicyImage *compile_rules(Rule *rules, size_t n, const FakeMachine *machine);

/* The same, with what is expected; returns NULL if that is an error. The caller owns diagnostics.
 */
PolicyImage *compile_rules_to(int expected, Rule *rules, size_t n, const FakeMachine *machine,
                              Diagnostics *diagnostics);

/* A document of rules. It lasts until policy_unref(). */
Document document_of_rules(const char *name, Rule *rules, size_t n);

/* Parses text and compiles it as the one document "doc". */
PolicyImage *compile_text(const char *text, const FakeMachine *machine, Diagnostics *diagnostics);

#define COMPILE_ON(machine, ...)                                                                   \
        compile_rules((Rule[]){__VA_ARGS__}, sizeof((Rule[]){__VA_ARGS__}) / sizeof(Rule),         \
                      (machine))
#define COMPILE(...) COMPILE_ON(&(const FakeMachine){}, __VA_ARGS__)
