/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: the table of options and how the command line is read. */
#include <getopt.h>
#include <string.h>

#include "tool.h"

const ToolOption tool_options[N_TOOL_OPTIONS] = {
        [TOOL_HELP] = {"help", 'h', NULL},
        [TOOL_VERSION] = {"version", 0, NULL},
        [TOOL_JSON] = {"json", 'j', NULL},
        [TOOL_STRICT] = {"strict", 0, NULL},
        [TOOL_WRITE] = {"write", 'w', NULL},
        [TOOL_CHECK] = {"check", 0, NULL},
        [TOOL_OUTPUT] = {"output", 'o', "FILE"},
        [TOOL_PATH] = {"path", 0, "PATH"},
        [TOOL_ACCESS] = {"access", 0, "ACCESS"},
        [TOOL_NET] = {"net", 0, "OBJECT"},
        [TOOL_KERNEL] = {"kernel", 0, "OBJECT"},
        [TOOL_UID] = {"uid", 0, "UID"},
        [TOOL_GID] = {"gid", 0, "GID"},
        [TOOL_EXE] = {"exe", 0, "PATH"},
        [TOOL_CGROUP] = {"cgroup", 0, "PATH"},
        [TOOL_VERIFIED] = {"verified", 0, NULL},
        [TOOL_PUBLIC_KEY] = {"public-key", 'p', "FILE"},
        [TOOL_SECRET_KEY] = {"secret-key", 's', "FILE"},
        [TOOL_COMMENT] = {"trusted-comment", 't', "TEXT"},
        [TOOL_NO_PASSWORD] = {"no-password", 'W', NULL},
        [TOOL_BUNDLE] = {"bundle", 0, NULL},
        [TOOL_NAME] = {"name", 'n', "NAME"},
        [TOOL_SEQ] = {"seq", 0, "NUMBER"},
        [TOOL_EXPIRES] = {"expires", 0, "TIME"},
        [TOOL_SCOPE] = {"scope", 0, "MACHINE"},
        [TOOL_THRESHOLDS] = {"thresholds", 0, "ROOT,POLICY,RECOVERY"},
        [TOOL_AFTER] = {"after", 0, "FILE"},
};

#define LONG_BASE 256 /* getopt_long()'s value of option i is LONG_BASE + i */

static void fill_getopt(struct option *longs, char *letters)
{
        for (int i = 0; i < N_TOOL_OPTIONS; i++) {
                const ToolOption *option = &tool_options[i];

                longs[i] = (struct option){
                        .name = option->name,
                        .has_arg = option->argument ? required_argument : no_argument,
                        .val = LONG_BASE + i,
                };
                if (!option->letter)
                        continue;
                *letters++ = option->letter;
                if (option->argument)
                        *letters++ = ':';
        }
        longs[N_TOOL_OPTIONS] = (struct option){0};
        *letters = '\0';
}

static int id_of_letter(int letter)
{
        for (int i = 0; i < N_TOOL_OPTIONS; i++)
                if (tool_options[i].letter && tool_options[i].letter == letter)
                        return i;
        return -1;
}

ToolStatus tool_options_read(ToolOptions *options, int argc, char **argv, int *ret_first)
{
        struct option longs[N_TOOL_OPTIONS + 1];
        char letters[2 * N_TOOL_OPTIONS + 1];
        int value;

        *options = (ToolOptions){0};
        fill_getopt(longs, letters);
        optind = 0; /* begin anew, whoever read a command line before */
        while ((value = getopt_long(argc, argv, letters, longs, NULL)) >= 0) {
                int id = value >= LONG_BASE ? value - LONG_BASE : id_of_letter(value);

                if (id < 0 || id >= N_TOOL_OPTIONS) /* getopt_long() has said which */
                        return tool_usage("That option is not known, or wants an argument.");
                options->given |= TOOL_BIT(id);
                options->arguments[id] = optarg;
        }
        *ret_first = optind;
        return TOOL_FINE;
}
