/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tool: from the command line to the command's room, and back to the shell. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "output.h"

#define TEST_OPTIONS                                                                               \
        (TOOL_BIT(TOOL_JSON) | TOOL_BIT(TOOL_PATH) | TOOL_BIT(TOOL_ACCESS) | TOOL_BIT(TOOL_NET) |  \
         TOOL_BIT(TOOL_KERNEL) | TOOL_BIT(TOOL_UID) | TOOL_BIT(TOOL_GID) | TOOL_BIT(TOOL_EXE) |    \
         TOOL_BIT(TOOL_CGROUP) | TOOL_BIT(TOOL_VERIFIED))

#define SIGN_OPTIONS                                                                               \
        (TOOL_BIT(TOOL_SECRET_KEY) | TOOL_BIT(TOOL_COMMENT) | TOOL_BIT(TOOL_OUTPUT) |              \
         TOOL_BIT(TOOL_BUNDLE) | TOOL_BIT(TOOL_NAME) | TOOL_BIT(TOOL_SEQ) |                        \
         TOOL_BIT(TOOL_EXPIRES) | TOOL_BIT(TOOL_SCOPE))

const Command tool_commands[] = {
        {"lint", "FILE...", "every fault and doubt, with its place", 1, UINT32_MAX,
         TOOL_BIT(TOOL_JSON) | TOOL_BIT(TOOL_STRICT), command_lint},
        {"fmt", "FILE...", "the documents in their canonical form", 1, UINT32_MAX,
         TOOL_BIT(TOOL_WRITE) | TOOL_BIT(TOOL_CHECK), command_fmt},
        {"diff", "OLD NEW", "what differs in meaning", 2, 2, TOOL_BIT(TOOL_JSON), command_diff},
        {"convert", "FILE", "the document in version 7, proven to mean the same", 1, 1,
         TOOL_BIT(TOOL_OUTPUT), command_convert},
        {"test", "FILE...", "which rule decides an access", 1, UINT32_MAX, TEST_OPTIONS,
         command_test},
        {"keygen", "", "a pair of keys to sign with", 0, 0,
         TOOL_BIT(TOOL_SECRET_KEY) | TOOL_BIT(TOOL_PUBLIC_KEY) | TOOL_BIT(TOOL_NO_PASSWORD),
         command_keygen},
        {"sign", "FILE...", "a signature beside each file, in minisign's format", 1, UINT32_MAX,
         SIGN_OPTIONS, command_sign},
        {"verify", "FILE...", "whether each is what was signed", 1, UINT32_MAX,
         TOOL_BIT(TOOL_JSON) | TOOL_BIT(TOOL_PUBLIC_KEY), command_verify},
        {"root", "new|show|verify ...", "whose signatures count", 2, UINT32_MAX,
         TOOL_BIT(TOOL_JSON) | TOOL_BIT(TOOL_OUTPUT) | TOOL_BIT(TOOL_EXPIRES) |
                 TOOL_BIT(TOOL_THRESHOLDS) | TOOL_BIT(TOOL_AFTER),
         command_root},
};
const size_t n_tool_commands = ELEMENTS_OF(tool_commands);

static const char help_options[] =
        "A FILE of - is standard input. Several files are looked at as one set.\n\n"
        "Options:\n"
        "  -j, --json               lint, diff, test, verify, root: one JSON object\n"
        "      --strict             lint: warnings count like faults\n"
        "  -w, --write              fmt: write the files anew instead of printing them\n"
        "      --check              fmt: print the names of those that would change\n"
        "  -o, --output=FILE        convert, sign, root: write there\n"
        "      --path=PATH --access=ACCESS, --net=OBJECT, --kernel=OBJECT   test: what\n"
        "      --uid=UID --gid=GID --exe=PATH --cgroup=PATH --verified      test: by whom\n"
        "  -p, --public-key=FILE, -s, --secret-key=FILE    keygen, sign, verify: keys\n"
        "  -t, --trusted-comment=TEXT, -W, --no-password      sign; keygen: not encrypted\n"
        "      --bundle, --name=NAME, --seq=NUMBER, --expires=TIME, --scope=MACHINE\n"
        "                           sign: as a bundle, with a header that says so\n"
        "      --thresholds=ROOT,POLICY,RECOVERY, --after=FILE               root new\n"
        "      --help, --version    See aegis-policy(1).\n";

char *tool_help(void)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        fputs("aegis-policy COMMAND [OPTION...] FILE...\n\nCommands:\n", out);
        for (size_t i = 0; i < n_tool_commands; i++) {
                char usage[40];

                snprintf(usage, sizeof(usage), "%s %s", tool_commands[i].name,
                         tool_commands[i].arguments);
                fprintf(out, "  %-22s %s\n", usage, tool_commands[i].help);
        }
        fputs(help_options, out);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list arguments,
                                                      const char *end)
{
        _cleanup_(freep) char *text = NULL;

        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        fputs("aegis-policy: ", stderr);
        output_text(stderr, text ? text : "memory is short");
        fputs(end, stderr);
}

ToolStatus tool_trouble(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say(format, arguments, "\n");
        va_end(arguments);
        return TOOL_TROUBLE;
}

ToolStatus tool_usage(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say(format, arguments, " See aegis-policy --help.\n");
        va_end(arguments);
        return TOOL_TROUBLE;
}

static const Command *find_command(const char *name)
{
        for (size_t i = 0; i < n_tool_commands; i++)
                if (strcmp(tool_commands[i].name, name) == 0)
                        return &tool_commands[i];
        return NULL;
}

static ToolStatus check_options(const ToolOptions *options, const Command *command)
{
        for (int i = 0; i < N_TOOL_OPTIONS; i++)
                if (TOOL_GIVEN(options, i) && !((command->options | TOOL_COMMON) & TOOL_BIT(i)))
                        return tool_usage("'%s' takes no option --%s.", command->name,
                                          tool_options[i].name);
        return TOOL_FINE;
}

static ToolStatus run_command(const ToolOptions *options, char **words, size_t n)
{
        const Command *command = n > 0 ? find_command(words[0]) : NULL;

        if (n == 0)
                return tool_usage("No command was given.");
        if (!command)
                return tool_usage("There is no command '%s'.", words[0]);
        if (n - 1 < command->n_min || n - 1 > command->n_max)
                return tool_usage("'%s' takes %s.", command->name, command->arguments);
        if (check_options(options, command) != TOOL_FINE)
                return TOOL_TROUBLE;
        return command->run(options, words + 1, n - 1);
}

static ToolStatus show_help(void)
{
        _cleanup_(freep) char *help = tool_help();

        if (!help)
                return tool_trouble("memory is short.");
        fputs(help, stdout);
        return TOOL_FINE;
}

/* What was written may still be on its way to a full disk. */
static ToolStatus finish_output(ToolStatus status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        return tool_trouble("cannot write to standard output: %s.", strerror(errno));
}

ToolStatus tool_run(int argc, char **argv)
{
        ToolOptions options;
        ToolStatus status;
        int first;

        status = tool_options_read(&options, argc, argv, &first);
        if (status != TOOL_FINE)
                return status;
        if (TOOL_GIVEN(&options, TOOL_HELP))
                status = show_help();
        else if (TOOL_GIVEN(&options, TOOL_VERSION))
                puts("aegis-policy " AEGIS_VERSION);
        else
                status = run_command(&options, argv + first, (size_t) (argc - first));
        return finish_output(status);
}
