/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: the table of options and how the command line is read. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "failure.h"

const Option option_table[N_OPTIONS] = {
        [OPTION_HELP] = {"help", 'h', NULL},
        [OPTION_VERSION] = {"version", 0, NULL},
        [OPTION_JSON] = {"json", 'j', NULL},
        [OPTION_NO_ASK_PASSWORD] = {"no-ask-password", 0, NULL},
        [OPTION_HOST] = {"host", 'H', "HOST"},
        [OPTION_MACHINE] = {"machine", 'M', "CONTAINER"},
        [OPTION_NAME] = {"name", 'n', "NAME"},
        [OPTION_EXPECT] = {"expect", 0, "GENERATION"},
        [OPTION_CHECK] = {"check", 0, NULL},
        [OPTION_DIFF] = {"diff", 0, NULL},
        [OPTION_QUIET] = {"quiet", 'q', NULL},
        [OPTION_TTL] = {"ttl", 0, "TIME"},
        [OPTION_CONFIRM_TIMEOUT] = {"confirm-timeout", 0, "TIME"},
        [OPTION_REASON] = {"reason", 0, "TEXT"},
        [OPTION_FOLLOW] = {"follow", 'f', NULL},
        [OPTION_SINCE] = {"since", 0, "SEQ"},
        [OPTION_POLICY] = {"policy", 0, "NAME"},
        [OPTION_HOOK] = {"hook", 0, "HOOK"},
        [OPTION_VERDICT] = {"verdict", 0, "VERDICT"},
        [OPTION_RULE] = {"rule", 0, "ID"},
        [OPTION_COMM] = {"comm", 0, "NAME"},
        [OPTION_PATH] = {"path", 0, "PATH"},
        [OPTION_UID] = {"uid", 0, "UID"},
        [OPTION_FOR] = {"for", 0, "TIME"},
        [OPTION_SIGNATURE] = {"signature", 0, "FILE"},
        [OPTION_FORMAT] = {"format", 0, "FORMAT"},
};

#define LONG_BASE 256 /* getopt_long()'s value of option i is LONG_BASE + i */

int options_read_number(const char *text, uint64_t *ret_number)
{
        unsigned long long number;
        char *end;

        if (!isdigit((unsigned char) text[0]))
                return -EINVAL;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0 || *end)
                return -EINVAL;
        *ret_number = number;
        return 0;
}

static ExitStatus take_number(OptionId id, const char *text, uint64_t *ret_number)
{
        if (options_read_number(text, ret_number) < 0)
                return failure_of_usage("--%s wants a number, not \"%s\".", option_table[id].name,
                                        text);
        return STATUS_DONE;
}

/* A number and a unit, as the language has it: 30s, 30m, 2h, 1d. */
static int read_time(const char *text, uint64_t *ret_usec)
{
        static const struct {
                char unit;
                uint64_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
        size_t n = strspn(text, "0123456789");
        unsigned long long number;

        errno = 0;
        number = strtoull(text, NULL, 10);
        if (n == 0 || errno != 0 || text[n] == '\0' || text[n + 1] != '\0')
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTS_OF(units); i++)
                if (units[i].unit == text[n])
                        return __builtin_mul_overflow(number, units[i].seconds * 1000000u, ret_usec)
                                       ? -EINVAL
                                       : 0;
        return -EINVAL;
}

static ExitStatus take_time(OptionId id, const char *text, uint64_t *ret_usec)
{
        if (read_time(text, ret_usec) < 0)
                return failure_of_usage("--%s wants a number and a unit (30s, 30m, 2h, 1d), not "
                                        "\"%s\".",
                                        option_table[id].name, text);
        return STATUS_DONE;
}

static ExitStatus take_argument(Options *options, OptionId id, const char *argument)
{
        switch (id) {
        case OPTION_HOST:
        case OPTION_MACHINE:
                options->host = argument;
                return STATUS_DONE;
        case OPTION_NAME:
                options->name = argument;
                return STATUS_DONE;
        case OPTION_POLICY:
                options->policy = argument;
                return STATUS_DONE;
        case OPTION_HOOK:
                options->hook = argument;
                return STATUS_DONE;
        case OPTION_VERDICT:
                options->verdict = argument;
                return STATUS_DONE;
        case OPTION_RULE:
                options->rule = argument;
                return STATUS_DONE;
        case OPTION_COMM:
                options->comm = argument;
                return STATUS_DONE;
        case OPTION_PATH:
                options->path = argument;
                return STATUS_DONE;
        case OPTION_UID:
                return take_number(id, argument, &options->uid);
        case OPTION_EXPECT:
                return take_number(id, argument, &options->expect);
        case OPTION_SINCE:
                return take_number(id, argument, &options->since);
        case OPTION_CONFIRM_TIMEOUT:
                return take_time(id, argument, &options->confirm_usec);
        case OPTION_FOR:
                return take_time(id, argument, &options->for_usec);
        case OPTION_SIGNATURE:
                if (options->n_signatures == SIGNATURES_MAX)
                        return failure_of_usage("At most %u signatures are taken.", SIGNATURES_MAX);
                options->signatures[options->n_signatures++] = argument;
                return STATUS_DONE;
        case OPTION_FORMAT:
                if (event_format_from_string(argument, &options->format) < 0)
                        return failure_of_usage("--format is one of text, json, ocsf, ecs, cef, "
                                                "not \"%s\".",
                                                argument);
                return STATUS_DONE;
        case OPTION_REASON:
                options->reason = argument;
                return STATUS_DONE;
        case OPTION_TTL:
                return take_time(id, argument, &options->ttl_usec);
        case OPTION_HELP:
        case OPTION_VERSION:
        case OPTION_JSON:
        case OPTION_NO_ASK_PASSWORD:
        case OPTION_CHECK:
        case OPTION_DIFF:
        case OPTION_QUIET:
        case OPTION_FOLLOW:
        case N_OPTIONS:
                break;
        }
        return STATUS_DONE;
}

static void fill_getopt(struct option *longs, char *letters)
{
        for (int i = 0; i < N_OPTIONS; i++) {
                const Option *option = &option_table[i];

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
        longs[N_OPTIONS] = (struct option){0};
        *letters = '\0';
}

static int id_of_letter(int letter)
{
        for (int i = 0; i < N_OPTIONS; i++)
                if (option_table[i].letter && option_table[i].letter == letter)
                        return i;
        return -1;
}

ExitStatus options_read(Options *options, int argc, char **argv, int *ret_first)
{
        struct option longs[N_OPTIONS + 1];
        char letters[2 * N_OPTIONS + 1];
        int value;

        *options = (Options){.expect = UINT64_MAX};
        fill_getopt(longs, letters);
        optind = 0; /* begin anew, whoever read a command line before */
        while ((value = getopt_long(argc, argv, letters, longs, NULL)) >= 0) {
                int id = value >= LONG_BASE ? value - LONG_BASE : id_of_letter(value);
                ExitStatus status;

                if (id < 0 || id >= N_OPTIONS) /* getopt_long() has said which */
                        return failure_of_usage("That option is not known, or wants an argument.");
                status = take_argument(options, (OptionId) id, optarg);
                if (status != STATUS_DONE)
                        return status;
                options->given |= OPTION_BIT(id);
        }
        if (OPTION_GIVEN(options, OPTION_HOST) && OPTION_GIVEN(options, OPTION_MACHINE))
                return failure_of_usage("--host and --machine cannot be used together.");
        *ret_first = optind;
        return STATUS_DONE;
}
