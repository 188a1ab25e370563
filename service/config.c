/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config: see config.h. A file is lines of Key=value under [Enforcer]; # and ; begin comment lines.
 * A fault ends the start: a service of this kind must not guess what was meant. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "build-config.h"
#include "util/array.h"
#include "util/file.h"
#include "util/log.h"

#define FILE_SIZE_MAX (64u * 1024)
#define DROP_INS_MAX 64u
#define TIMEOUT_SEC_MAX 3600u
#define JOURNAL_RATE_MAX 10000u
#define SECTION "[Enforcer]"

/* Where a setting stands, for messages. */
typedef struct Source {
        const char *file;
        unsigned line; /* 0: the command line */
} Source;

__attribute__((format(printf, 2, 3))) static int fault(const Source *source, const char *format,
                                                       ...)
{
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (source->line > 0)
                log_error("%s:%u: %s", source->file, source->line, text);
        else
                log_error("%s: %s", source->file, text);
        return -EINVAL;
}

/* ---- values ---- */

static int set_path(char **path, const Source *source, const char *value)
{
        char *copy;

        if (value[0] != '/' || strlen(value) >= PATH_MAX)
                return fault(source, "\"%.64s\" is not an absolute path", value);
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*path);
        *path = copy;
        return 0;
}

static int set_state_directory(Config *config, const Source *source, const char *value)
{
        return set_path(&config->state_directory, source, value);
}

static int set_runtime_directory(Config *config, const Source *source, const char *value)
{
        return set_path(&config->runtime_directory, source, value);
}

static int set_pin_directory(Config *config, const Source *source, const char *value)
{
        return set_path(&config->pin_directory, source, value);
}

static int set_marker_directory(Config *config, const Source *source, const char *value)
{
        return set_path(&config->marker_directory, source, value);
}

static int set_policy_directory(Config *config, const Source *source, const char *value)
{
        return set_path(&config->policy_directory, source, value);
}

static int set_baseline_policy(Config *config, const Source *source, const char *value)
{
        return set_path(&config->baseline_policy, source, value);
}

static int set_trust_directory(Config *config, const Source *source, const char *value)
{
        return set_path(&config->trust_directory, source, value);
}

static int set_log_level(Config *config, const Source *source, const char *value)
{
        static const struct {
                const char *name;
                int level;
        } levels[] = {
                {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
                {"info", LOG_INFO}, {"debug", LOG_DEBUG},
        };

        for (size_t i = 0; i < ELEMENTS_OF(levels); i++) {
                if (strcmp(levels[i].name, value) != 0)
                        continue;
                config->log_level = levels[i].level;
                return 0;
        }
        return fault(source, "\"%.64s\" is not one of error, warning, notice, info, debug", value);
}

static int set_polkit_timeout(Config *config, const Source *source, const char *value)
{
        size_t n_digits = strspn(value, "0123456789");
        unsigned long seconds;

        if (n_digits == 0 || n_digits > 4 || value[n_digits] != '\0')
                return fault(source, "\"%.64s\" is not a number of seconds", value);
        seconds = strtoul(value, NULL, 10);
        if (seconds == 0 || seconds > TIMEOUT_SEC_MAX)
                return fault(source, "%lu is not between 1 and %u seconds", seconds,
                             TIMEOUT_SEC_MAX);
        config->polkit_timeout_usec = (uint64_t) seconds * 1000000u;
        return 0;
}

static int set_truth(int *truth, const Source *source, const char *value)
{
        int is_yes = strcmp(value, "yes") == 0;

        if (!is_yes && strcmp(value, "no") != 0)
                return fault(source, "\"%.64s\" is not yes or no", value);
        *truth = is_yes;
        return 0;
}

static int set_protect_self(Config *config, const Source *source, const char *value)
{
        return set_truth(&config->protects_self, source, value);
}

static int set_signature_required(Config *config, const Source *source, const char *value)
{
        return set_truth(&config->requires_signature, source, value);
}

static int set_signal(Config *config, const Source *source, const char *value)
{
        static const struct {
                const char *name;
                uint32_t signal;
        } signals[] = {{"none", SIGNAL_NONE}, {"term", SIGNAL_TERM}, {"kill", SIGNAL_KILL}};

        for (size_t i = 0; i < ELEMENTS_OF(signals); i++) {
                if (strcmp(signals[i].name, value) != 0)
                        continue;
                config->signal = signals[i].signal;
                return 0;
        }
        return fault(source, "\"%.64s\" is not one of none, term, kill", value);
}

static int set_hook_times(Config *config, const Source *source, const char *value)
{
        int is_yes = strcmp(value, "yes") == 0;

        if (!is_yes && strcmp(value, "no") != 0)
                return fault(source, "\"%.64s\" is not yes or no", value);
        config->takes_times = is_yes;
        return 0;
}

static int set_journal_rate(Config *config, const Source *source, const char *value)
{
        size_t n_digits = strspn(value, "0123456789");
        unsigned long rate = strtoul(value, NULL, 10);

        if (n_digits == 0 || n_digits > 6 || value[n_digits] != '\0' || rate > JOURNAL_RATE_MAX)
                return fault(source, "\"%.64s\" is not a number of events from 0 to %u", value,
                             JOURNAL_RATE_MAX);
        config->journal_rate = (unsigned) rate;
        return 0;
}

static int set_log_format(Config *config, const Source *source, const char *value)
{
        int is_json = strcmp(value, "json") == 0;

        if (!is_json && strcmp(value, "text") != 0)
                return fault(source, "\"%.64s\" is not one of text, json", value);
        config->log_format = is_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
        return 0;
}

static const struct setting {
        const char *key, *option;
        int (*set)(Config *config, const Source *source, const char *value);
} settings[] = {
        {"StateDirectory", "state-directory", set_state_directory},
        {"RuntimeDirectory", "runtime-directory", set_runtime_directory},
        {"PinDirectory", "pin-directory", set_pin_directory},
        {"TrustDirectory", "trust-directory", set_trust_directory},
        {"SignatureRequired", "signature-required", set_signature_required},
        {"MarkerDirectory", "marker-directory", set_marker_directory},
        {"PolicyDirectory", "policy-directory", set_policy_directory},
        {"BaselinePolicy", "baseline-policy", set_baseline_policy},
        {"LogLevel", "log-level", set_log_level},
        {"LogFormat", "log-format", set_log_format},
        {"JournalRate", "journal-rate", set_journal_rate},
        {"HookTimes", "hook-times", set_hook_times},
        {"PolkitTimeoutSec", "polkit-timeout", set_polkit_timeout},
        {"ProtectSelf", "protect-self", set_protect_self},
        {"Signal", "signal", set_signal},
};

static int set_value(Config *config, const Source *source, const char *key, const char *value)
{
        for (size_t i = 0; i < ELEMENTS_OF(settings); i++)
                if (strcmp(settings[i].key, key) == 0)
                        return settings[i].set(config, source, value);
        return fault(source, "there is no setting \"%.64s\"", key);
}

/* ---- files ---- */

static int is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *text)
{
        size_t n;

        while (is_blank(*text))
                text++;
        n = strlen(text);
        while (n > 0 && is_blank(text[n - 1]))
                text[--n] = '\0';
        return text;
}

static int read_line(Config *config, const Source *source, char *line, int *in_section)
{
        char *text = trim(line), *equals;

        if (text[0] == '\0' || text[0] == '#' || text[0] == ';')
                return 0;
        if (text[0] == '[') {
                if (strcmp(text, SECTION) != 0)
                        return fault(source, "there is no section %.64s: write " SECTION, text);
                *in_section = 1;
                return 0;
        }
        equals = strchr(text, '=');
        if (!equals)
                return fault(source, "\"%.64s\" is not of the form Key=value", text);
        if (!*in_section)
                return fault(source,
                             "a setting stands before the section: write " SECTION " above it");
        *equals = '\0';
        return set_value(config, source, trim(text), trim(equals + 1));
}

static int read_text(Config *config, const char *file, char *text, size_t n_text)
{
        Source source = {.file = file};
        int in_section = 0, r;

        if (strlen(text) != n_text)
                return fault(&source, "it contains a NUL byte");
        for (char *line; (line = strsep(&text, "\n"));) {
                source.line++;
                r = read_line(config, &source, line, &in_section);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Returns -ENOENT, unlogged, if there is no such file. */
static int read_file(Config *config, const char *file)
{
        _cleanup_(freep) char *text = NULL;
        size_t n_text = 0;
        int r;

        r = file_read(AT_FDCWD, file, FILE_SIZE_MAX, &text, &n_text);
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return log_errno(r, "%s cannot be read", file);
        return read_text(config, file, text, n_text);
}

static int is_drop_in(const struct dirent *entry)
{
        size_t n = strlen(entry->d_name);

        return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

/* The order must not depend on the locale, as alphasort()'s does. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_drop_in(Config *config, const char *directory, const char *name)
{
        _cleanup_(freep) char *file = NULL;
        int r;

        if (asprintf(&file, "%s/%s", directory, name) < 0) {
                file = NULL;
                return -ENOMEM;
        }
        r = read_file(config, file);
        return r == -ENOENT ? log_errno(r, "%s cannot be read", file) : r;
}

static int read_drop_ins(Config *config, const char *directory)
{
        struct dirent **entries = NULL;
        int n, r = 0;

        n = scandir(directory, &entries, is_drop_in, compare_names);
        if (n < 0)
                return errno == ENOENT ? 0 : log_errno(-errno, "%s cannot be read", directory);
        if (n > (int) DROP_INS_MAX)
                r = fault(&(Source){.file = directory}, "there are more than %u drop-ins",
                          DROP_INS_MAX);
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = read_drop_in(config, directory, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return r;
}

/* Only a file that somebody named must be there. */
static int read_files(Config *config, const char *named)
{
        const char *file = named ? named : AEGIS_CONFDIR "/aegisd.conf";
        _cleanup_(freep) char *directory = NULL;
        int r;

        r = read_file(config, file);
        if (r == -ENOENT && named)
                return log_errno(r, "%s cannot be read", file);
        if (r < 0 && r != -ENOENT)
                return r;
        if (asprintf(&directory, "%s.d", file) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        return read_drop_ins(config, directory);
}

/* ---- the command line ---- */

#define N_OPTIONS 4
#define OPTION_SETTING 256 /* and one more for each following setting */

static void print_help(void)
{
        puts("aegisd [OPTION…]\n"
             "\n"
             "Holds a security policy in the kernel and serves org.aegis.Enforcer on the system\n"
             "bus. Started by systemd; see aegisd(8).\n"
             "\n"
             "  -c, --config=FILE             read FILE and FILE.d/*.conf instead of\n"
             "                                " AEGIS_CONFDIR "/aegisd.conf\n"
             "      --state-directory=DIR     where what is in force is recorded\n"
             "      --runtime-directory=DIR   for the files of the self-test\n"
             "      --pin-directory=DIR       a bpffs, where what is enforced outlives the "
             "service\n"
             "      --trust-directory=DIR     with the roots that say whose signatures count\n"
             "      --signature-required=yes|no  refuse documents that are not signed\n"
             "      --marker-directory=DIR    where it is noted that there is a record\n"
             "      --policy-directory=DIR    policies that are loaded by name\n"
             "      --baseline-policy=FILE    what stands in for policies that were lost\n"
             "      --log-level=LEVEL         error, warning, notice, info or debug\n"
             "      --log-format=text|json    what lines on standard error look like\n"
             "      --journal-rate=NUMBER     events written into the journal in a second\n"
             "      --hook-times=yes|no       the metrics tell how long hooks take\n"
             "      --polkit-timeout=SECONDS  how long a question may stay open\n"
             "      --protect-self=yes|no     against root, while a policy is in force\n"
             "      --signal=none|term|kill   to who is denied, where a rule names none\n"
             "      --hand-over=USER          as root, before the service: give USER what is "
             "pinned,\n"
             "                                and systemd what only root may open, and end\n"
             "  -h, --help                    show this\n"
             "  -V, --version                 show the version");
}

/* The values of options are kept until the files have been read: the command line wins. */
typedef struct Arguments {
        const char *config_file, *hand_over;
        const char *values[ELEMENTS_OF(settings)];
        int done;
} Arguments;

static int use_option(int option, Arguments *arguments)
{
        if (option == 'c') {
                arguments->config_file = optarg;
        } else if (option == 'o') {
                arguments->hand_over = optarg;
        } else if (option == 'h') {
                print_help();
                arguments->done = 1;
        } else if (option == 'V') {
                puts("aegisd " AEGIS_VERSION);
                arguments->done = 1;
        } else if (option >= OPTION_SETTING) {
                arguments->values[option - OPTION_SETTING] = optarg;
        } else {
                return -EINVAL; /* getopt has said why */
        }
        return 0;
}

static int read_arguments(int argc, char **argv, Arguments *arguments)
{
        struct option options[ELEMENTS_OF(settings) + N_OPTIONS + 1] = {
                {"config", required_argument, NULL, 'c'},
                {"hand-over", required_argument, NULL, 'o'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
        };
        int option, r;

        for (size_t i = 0; i < ELEMENTS_OF(settings); i++)
                options[N_OPTIONS + i] = (struct option){settings[i].option, required_argument,
                                                         NULL, OPTION_SETTING + (int) i};
        optind = 0; /* getopt keeps state: begin anew */
        while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) >= 0) {
                r = use_option(option, arguments);
                if (r < 0)
                        return r;
        }
        if (optind < argc)
                return fault(&(Source){.file = argv[0]}, "there is no argument \"%.64s\"",
                             argv[optind]);
        return 0;
}

static int use_arguments(Config *config, const Arguments *arguments)
{
        for (size_t i = 0; i < ELEMENTS_OF(settings); i++) {
                char name[64];
                int r;

                if (!arguments->values[i])
                        continue;
                snprintf(name, sizeof(name), "--%s", settings[i].option);
                r = settings[i].set(config, &(Source){.file = name}, arguments->values[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- all together ---- */

static Config *config_default(void)
{
        Config *config = calloc(1, sizeof(*config));

        if (!config)
                return NULL;
        config->state_directory = strdup(AEGIS_STATEDIR);
        config->runtime_directory = strdup("/run/aegis");
        config->pin_directory = strdup("/run/aegis/bpf");
        config->trust_directory = strdup(AEGIS_CONFDIR "/trust");
        config->marker_directory = strdup(AEGIS_STATEDIR "-marker");
        config->policy_directory = strdup(AEGIS_CONFDIR "/policy.d");
        config->baseline_policy = strdup(AEGIS_DATADIR "/baseline.policy");
        config->log_level = LOG_INFO;
        config->log_format = LOG_FORMAT_TEXT;
        config->journal_rate = 100;
        config->polkit_timeout_usec = 120u * 1000000u;
        config->protects_self = 1;
        config->signal = SIGNAL_NONE;
        if (!config->state_directory || !config->runtime_directory || !config->pin_directory ||
            !config->trust_directory || !config->marker_directory || !config->policy_directory ||
            !config->baseline_policy)
                return config_free(config);
        return config;
}

int config_new(Config **ret_config, int argc, char **argv)
{
        _cleanup_(config_freep) Config *config = config_default();
        Arguments arguments = {};
        int r;

        if (!config)
                return log_errno(-ENOMEM, "The configuration cannot be read");
        r = read_arguments(argc, argv, &arguments);
        if (r < 0)
                return r;
        if (arguments.done)
                return CONFIG_DONE;
        r = read_files(config, arguments.config_file);
        if (r < 0)
                return r;
        r = use_arguments(config, &arguments);
        if (r < 0)
                return r;
        if (arguments.hand_over && !(config->hand_over = strdup(arguments.hand_over)))
                return log_errno(-ENOMEM, "The configuration cannot be read");
        *ret_config = TAKE_PTR(config);
        return 0;
}

Config *config_free(Config *config)
{
        if (!config)
                return NULL;
        free(config->state_directory);
        free(config->runtime_directory);
        free(config->pin_directory);
        free(config->trust_directory);
        free(config->marker_directory);
        free(config->policy_directory);
        free(config->baseline_policy);
        free(config->hand_over);
        free(config);
        return NULL;
}
