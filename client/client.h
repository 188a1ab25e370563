/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Client: what every room of aegis-client shares: the options, the verbs, the exit statuses. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "event-format.h"
#include "util/array.h"
#include "util/cleanup.h"

/* What the shell is told. docs/man/aegis-client.1 explains each; exit_statuses[] is the list. */
typedef enum ExitStatus {
        STATUS_DONE = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_REFUSED = 3,
        STATUS_INVALID = 4,
        STATUS_NO_SERVICE = 5,
        STATUS_STALE = 6,
        STATUS_NO_SUCH_POLICY = 7,
        STATUS_NOT_ENFORCEABLE = 8,
        STATUS_TRY_AGAIN = 9,
        STATUS_WOULD_CHANGE = 10,
        STATUS_TO_MEND = 11,
        STATUS_DIFFERENT = 1, /* of diff, which fails with STATUS_USAGE instead of 1 */
} ExitStatus;

typedef struct ExitStatusText {
        ExitStatus status;
        const char *text;
} ExitStatusText;
extern const ExitStatusText exit_statuses[];
extern const size_t n_exit_statuses;

typedef enum OptionId {
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_JSON,
        OPTION_NO_ASK_PASSWORD,
        OPTION_HOST,
        OPTION_MACHINE,
        OPTION_NAME,
        OPTION_EXPECT,
        OPTION_CHECK,
        OPTION_DIFF,
        OPTION_QUIET,
        OPTION_TTL,
        OPTION_CONFIRM_TIMEOUT,
        OPTION_REASON,
        OPTION_FOLLOW,
        OPTION_SINCE,
        OPTION_POLICY,
        OPTION_HOOK,
        OPTION_VERDICT,
        OPTION_RULE,
        OPTION_COMM,
        OPTION_PATH,
        OPTION_UID,
        OPTION_FOR,
        OPTION_SIGNATURE,
        OPTION_FORMAT,
        N_OPTIONS,
} OptionId;

#define OPTION_BIT(id) (1u << (id))
/* Taken before any verb. */
#define OPTIONS_COMMON                                                                             \
        (OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION) | OPTION_BIT(OPTION_JSON) |          \
         OPTION_BIT(OPTION_NO_ASK_PASSWORD) | OPTION_BIT(OPTION_HOST) |                            \
         OPTION_BIT(OPTION_MACHINE))

typedef struct Option {
        const char *name;     /* without the dashes */
        char letter;          /* 0: none */
        const char *argument; /* NULL: takes none */
} Option;
extern const Option option_table[N_OPTIONS];

/* The command line, read. Strings are argv's. */
#define SIGNATURES_MAX 16u /* as the service takes */

typedef struct Options {
        uint32_t given;   /* OPTION_BIT of each that was there */
        const char *host; /* of -H or -M */
        const char *name, *policy, *hook, *verdict, *rule, *comm, *path;
        uint64_t expect; /* UINT64_MAX: any generation */
        uint64_t since;
        uint64_t uid;
        uint64_t ttl_usec, for_usec;
        uint64_t confirm_usec; /* 0: for good */
        const char *reason;
        const char *signatures[SIGNATURES_MAX]; /* files */
        size_t n_signatures;
        EventFormat format;
} Options;

#define OPTION_GIVEN(options, id) (!!((options)->given & OPTION_BIT(id)))

typedef struct Client {
        Options options;
        Connection *connection; /* NULL until client_connect() */
        int is_diff;            /* STATUS_FAILED is STATUS_USAGE, as diff(1) has it */
} Client;

/* A verb's room: says itself what went wrong. */
typedef ExitStatus (*VerbFunc)(Client *client, char **arguments);

typedef struct Verb {
        const char *name;      /* one word or two */
        const char *arguments; /* as --help shows them; "" if none */
        const char *help;      /* one line; NULL: another name of a verb shown already */
        unsigned n_min, n_max; /* arguments beyond the name */
        uint32_t options;      /* OPTION_BIT of those it takes beyond OPTIONS_COMMON */
        VerbFunc run;
} Verb;
extern const Verb verb_table[];
extern const size_t n_verbs;

/* Reads options and leaves the other words, in order, at the end of argv from *ret_first on.
 * Returns STATUS_DONE, or STATUS_USAGE having said what is wrong. */
ExitStatus options_read(Options *options, int argc, char **argv, int *ret_first);

/* Returns 0, or -EINVAL if text is anything but a number. */
int options_read_number(const char *text, uint64_t *ret_number);

/* The verb that the words name; *ret_n_words is how many of them are its name. NULL if there is
 * none. */
const Verb *verb_find(char **words, size_t n_words, size_t *ret_n_words);

/* All that --help prints; at most 40 lines of 80 columns. Returns a new string or NULL. */
char *help_format(void);

/* Runs what the command line says. */
ExitStatus client_run(int argc, char **argv);

/* Opens the way to the bus that the options ask for, once. Returns 0 or a negative errno. */
int client_open(Client *client);

/* The same; says itself what went wrong. */
ExitStatus client_connect(Client *client);

/* Sends message, which belongs to the call, and waits. Says itself what went wrong. */
ExitStatus client_call(Client *client, const Call *call, sd_bus_message *message,
                       sd_bus_message **ret_reply);

ExitStatus verb_status(Client *client, char **arguments);
ExitStatus verb_hooks(Client *client, char **arguments);
ExitStatus verb_policies(Client *client, char **arguments);
ExitStatus verb_policy_show(Client *client, char **arguments);
ExitStatus verb_apply(Client *client, char **arguments);
ExitStatus verb_plan(Client *client, char **arguments);
ExitStatus verb_diff(Client *client, char **arguments);
ExitStatus verb_remove(Client *client, char **arguments);
ExitStatus verb_confirm(Client *client, char **arguments);
ExitStatus verb_emergency_start(Client *client, char **arguments);
ExitStatus verb_emergency_stop(Client *client, char **arguments);
ExitStatus verb_release(Client *client, char **arguments);
ExitStatus verb_reload(Client *client, char **arguments);
ExitStatus verb_rollback(Client *client, char **arguments);
ExitStatus verb_rule_add(Client *client, char **arguments);
ExitStatus verb_rule_remove(Client *client, char **arguments);
ExitStatus verb_rule_list(Client *client, char **arguments);
ExitStatus verb_mode(Client *client, char **arguments);
ExitStatus verb_allow(Client *client, char **arguments);
ExitStatus verb_exceptions(Client *client, char **arguments);
ExitStatus verb_exceptions_revoke(Client *client, char **arguments);
ExitStatus verb_events(Client *client, char **arguments);
ExitStatus verb_capabilities(Client *client, char **arguments);
ExitStatus verb_explain(Client *client, char **arguments);
ExitStatus verb_simulate(Client *client, char **arguments);
ExitStatus verb_history(Client *client, char **arguments);
ExitStatus verb_metrics(Client *client, char **arguments);
ExitStatus verb_doctor(Client *client, char **arguments);
ExitStatus verb_can(Client *client, char **arguments);
