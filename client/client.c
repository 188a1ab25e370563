/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Client: from the command line to the verb's room, and back to the shell. */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "failure.h"

int client_open(Client *client)
{
        Transport transport = OPTION_GIVEN(&client->options, OPTION_HOST)      ? TRANSPORT_HOST
                              : OPTION_GIVEN(&client->options, OPTION_MACHINE) ? TRANSPORT_MACHINE
                                                                               : TRANSPORT_LOCAL;

        if (client->connection)
                return 0;
        return connection_open(&client->connection, transport, client->options.host,
                               OPTION_GIVEN(&client->options, OPTION_NO_ASK_PASSWORD)
                                       ? ASKING_FORBIDDEN
                                       : ASKING_ALLOWED);
}

ExitStatus client_connect(Client *client)
{
        int r = client_open(client);

        if (r < 0)
                return failure_say(client, STATUS_NO_SERVICE,
                                   "Cannot reach the system bus%s%s: %s; see that dbus runs there.",
                                   client->options.host ? " of " : "",
                                   client->options.host ? client->options.host : "", strerror(-r));
        return STATUS_DONE;
}

ExitStatus client_call(Client *client, const Call *call, sd_bus_message *message,
                       sd_bus_message **ret_reply)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ExitStatus status = STATUS_DONE;

        if (connection_call(client->connection, call, message, &error, ret_reply) < 0)
                status = failure_of_call(client, call, &error);
        sd_bus_error_free(&error);
        return status;
}

static ExitStatus check_options(const Options *options, const Verb *verb)
{
        for (int i = 0; i < N_OPTIONS; i++)
                if (OPTION_GIVEN(options, i) && !((verb->options | OPTIONS_COMMON) & OPTION_BIT(i)))
                        return failure_of_usage("'%s' takes no option --%s.", verb->name,
                                                option_table[i].name);
        return STATUS_DONE;
}

static ExitStatus run_verb(Client *client, char **words, size_t n_words)
{
        size_t n_name = 0;
        const Verb *verb = n_words > 0 ? verb_find(words, n_words, &n_name) : NULL;

        if (n_words == 0)
                return failure_of_usage("No verb was given.");
        if (!verb)
                return failure_of_usage("There is no verb '%s%s%s'.", words[0],
                                        n_words > 1 ? " " : "", n_words > 1 ? words[1] : "");
        if (n_words - n_name < verb->n_min || n_words - n_name > verb->n_max)
                return failure_of_usage("'%s' takes %s%s.", verb->name,
                                        !*verb->arguments              ? "no argument"
                                        : strchr(verb->arguments, ' ') ? "arguments: "
                                                                       : "one argument: ",
                                        verb->arguments);
        if (check_options(&client->options, verb) != STATUS_DONE)
                return STATUS_USAGE;
        return verb->run(client, words + n_name);
}

static ExitStatus show_help(void)
{
        _cleanup_(freep) char *help = help_format();

        if (!help)
                return STATUS_FAILED;
        fputs(help, stdout);
        return STATUS_DONE;
}

/* What was written may still be on its way to a full disk. */
static ExitStatus finish_output(ExitStatus status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        fprintf(stderr, "Cannot write to standard output: %s; make room and try again.\n",
                strerror(errno));
        return status == STATUS_DONE ? STATUS_FAILED : status;
}

ExitStatus client_run(int argc, char **argv)
{
        Client client = {.connection = NULL};
        ExitStatus status;
        int first;

        status = options_read(&client.options, argc, argv, &first);
        if (status != STATUS_DONE)
                return status;
        if (OPTION_GIVEN(&client.options, OPTION_HELP))
                status = show_help();
        else if (OPTION_GIVEN(&client.options, OPTION_VERSION))
                puts("aegis-client " AEGIS_VERSION);
        else
                status = run_verb(&client, argv + first, (size_t) (argc - first));
        connection_close(client.connection);
        return finish_output(status);
}
