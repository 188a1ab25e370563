/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tool: what every room of aegis-policy shares: options, commands, exit statuses. It knows the
 * policy language alone: no bus, no kernel, no service. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/array.h"
#include "util/cleanup.h"

/* What the shell is told; docs/man/aegis-policy.1 explains each. */
typedef enum ToolStatus {
        TOOL_FINE = 0,
        TOOL_FOUND = 1,   /* faults, differences, an access that is denied … */
        TOOL_TROUBLE = 2, /* the command line is wrong, or a file cannot be read or written */
} ToolStatus;

typedef enum ToolOptionId {
        TOOL_HELP,
        TOOL_VERSION,
        TOOL_JSON,
        TOOL_STRICT,
        TOOL_WRITE,
        TOOL_CHECK,
        TOOL_OUTPUT,
        TOOL_PATH,
        TOOL_ACCESS,
        TOOL_NET,
        TOOL_KERNEL,
        TOOL_UID,
        TOOL_GID,
        TOOL_EXE,
        TOOL_CGROUP,
        TOOL_VERIFIED,
        TOOL_PUBLIC_KEY,
        TOOL_SECRET_KEY,
        TOOL_COMMENT,
        TOOL_NO_PASSWORD,
        TOOL_BUNDLE,
        TOOL_NAME,
        TOOL_SEQ,
        TOOL_EXPIRES,
        TOOL_SCOPE,
        TOOL_THRESHOLDS,
        TOOL_AFTER,
        N_TOOL_OPTIONS,
} ToolOptionId;

#define TOOL_BIT(id) (1u << (id))
/* Taken with every command. */
#define TOOL_COMMON (TOOL_BIT(TOOL_HELP) | TOOL_BIT(TOOL_VERSION))

typedef struct ToolOption {
        const char *name;     /* without the dashes */
        char letter;          /* 0: none */
        const char *argument; /* NULL: takes none */
} ToolOption;
extern const ToolOption tool_options[N_TOOL_OPTIONS];

/* The command line, read. Strings are argv's. */
typedef struct ToolOptions {
        uint32_t given;                        /* TOOL_BIT of each that was there */
        const char *arguments[N_TOOL_OPTIONS]; /* NULL where not given */
} ToolOptions;

#define TOOL_GIVEN(options, id) (!!((options)->given & TOOL_BIT(id)))

/* A command's room: says itself what went wrong. files: n of them. */
typedef ToolStatus (*CommandFunc)(const ToolOptions *options, char **files, size_t n);

typedef struct Command {
        const char *name;
        const char *arguments; /* as --help shows them */
        const char *help;      /* one line */
        unsigned n_min, n_max; /* files */
        uint32_t options;      /* TOOL_BIT of those it takes beyond TOOL_COMMON */
        CommandFunc run;
} Command;
extern const Command tool_commands[];
extern const size_t n_tool_commands;

/* Reads options and leaves the other words, in order, at the end of argv from *ret_first on.
 * Returns TOOL_FINE, or TOOL_TROUBLE having said what is wrong. */
ToolStatus tool_options_read(ToolOptions *options, int argc, char **argv, int *ret_first);

/* All that --help prints; at most 30 lines of 80 columns. Returns a new string or NULL. */
char *tool_help(void);

/* Runs what the command line says. */
ToolStatus tool_run(int argc, char **argv);

/* One line to standard error, escaped. Both return TOOL_TROUBLE; the second points to --help. */
ToolStatus tool_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));
ToolStatus tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

ToolStatus command_lint(const ToolOptions *options, char **files, size_t n);
ToolStatus command_fmt(const ToolOptions *options, char **files, size_t n);
ToolStatus command_diff(const ToolOptions *options, char **files, size_t n);
ToolStatus command_convert(const ToolOptions *options, char **files, size_t n);
ToolStatus command_test(const ToolOptions *options, char **files, size_t n);
ToolStatus command_keygen(const ToolOptions *options, char **files, size_t n);
ToolStatus command_sign(const ToolOptions *options, char **files, size_t n);
ToolStatus command_root(const ToolOptions *options, char **files, size_t n);
ToolStatus command_verify(const ToolOptions *options, char **files, size_t n);
