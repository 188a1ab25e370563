/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking: see asking.h. The options become one entry of the policy language, which the parser of
 * rules reads. */
#include "asking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

/* Between quotes nothing but a quote and a backslash means more than itself; a path of a question
 * has no components *. */
static void put_quoted(FILE *out, const char *text)
{
        putc('"', out);
        for (; *text != '\0'; text++) {
                if (strchr("\"\\*", *text))
                        putc('\\', out);
                putc(*text, out);
        }
        putc('"', out);
}

static void put_option(FILE *out, const char *key, const char *value)
{
        if (!value)
                return;
        fprintf(out, " %s=", key);
        put_quoted(out, value);
}

static void put_object(FILE *out, const ToolOptions *options)
{
        const char *path = options->arguments[TOOL_PATH], *net = options->arguments[TOOL_NET];
        const char *access = options->arguments[TOOL_ACCESS];

        if (path) {
                fputs("file:", out);
                put_quoted(out, path);
                fprintf(out, " access=%s", access ? access : "read");
        } else {
                fprintf(out, "%s:%s", net ? "net" : "kernel",
                        net ? net : options->arguments[TOOL_KERNEL]);
        }
}

/* Returns a new string, or NULL when memory is short. */
static char *make_entry(const ToolOptions *options)
{
        char *entry = NULL;
        size_t size;
        FILE *out = open_memstream(&entry, &size);

        if (!out)
                return NULL;
        put_object(out, options);
        put_option(out, "uid", options->arguments[TOOL_UID]);
        put_option(out, "gid", options->arguments[TOOL_GID]);
        put_option(out, "exe", options->arguments[TOOL_EXE]);
        put_option(out, "cgroup", options->arguments[TOOL_CGROUP]);
        if (TOOL_GIVEN(options, TOOL_VERIFIED))
                fputs(" identity=verified", out);
        if (fclose(out) != 0) {
                free(entry);
                return NULL;
        }
        return entry;
}

static ToolStatus check_options(const ToolOptions *options)
{
        static const ToolOptionId objects[] = {TOOL_PATH, TOOL_NET, TOOL_KERNEL};
        static const ToolOptionId bare[] = {TOOL_NET, TOOL_KERNEL, TOOL_ACCESS};
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS_OF(objects); i++)
                n += TOOL_GIVEN(options, objects[i]) != 0;
        if (n != 1)
                return tool_usage("'test' wants one of --path, --net and --kernel.");
        if (TOOL_GIVEN(options, TOOL_ACCESS) && !TOOL_GIVEN(options, TOOL_PATH))
                return tool_usage("--access goes with --path.");
        for (size_t i = 0; i < ELEMENTS_OF(bare); i++)
                if (TOOL_GIVEN(options, bare[i]) && strpbrk(options->arguments[bare[i]], " \t\n#"))
                        return tool_usage("'test' wants words without blanks: \"%s\".",
                                          options->arguments[bare[i]]);
        return TOOL_FINE;
}

ToolStatus asking_read(Question *question, const ToolOptions *options, const Resolver *resolver)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {0};
        _cleanup_(freep) char *entry = NULL;
        int r;

        if (check_options(options) != TOOL_FINE)
                return TOOL_TROUBLE;
        entry = make_entry(options);
        r = entry ? question_read(question, entry, strlen(entry), resolver, 0, &diagnostics)
                  : -ENOMEM;
        if (r == 0)
                return TOOL_FINE;
        if (r < 0 || diagnostics.n_items == 0)
                return tool_trouble("memory is short.");
        return tool_usage("%s: %s%s%s.", entry, diagnostics.items[0].message,
                          *diagnostics.items[0].hint ? "; " : "", diagnostics.items[0].hint);
}
