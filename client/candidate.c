/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidate: see candidate.h. */
#include "candidate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json.h"
#include "remark.h"

void candidate_deinit(Candidate *candidate)
{
        source_document_deinit(&candidate->document);
        free(candidate->name);
}

static ExitStatus say_unreadable(const Client *client, const char *path, int error)
{
        if (error == -EFBIG)
                return failure_say(client, STATUS_INVALID,
                                   "%s is larger than 8 MiB; split it into several policies.",
                                   path);
        return failure_say(client, STATUS_FAILED,
                           "Cannot read %s: %s; give a file that can be read, or - for standard "
                           "input.",
                           path, strerror(-error));
}

static ExitStatus check_document(const Client *client, const Candidate *candidate)
{
        Remark remark = {.message = "not UTF-8", .hint = "save it as UTF-8 text"};

        if (source_document_check(&candidate->document, &remark.line, &remark.column) == 0)
                return STATUS_DONE;
        source_document_point(&candidate->document, &remark, stderr);
        return failure_say(client, STATUS_INVALID,
                           "Cannot %s: it is not UTF-8 text (line %u, column %u); correct it and "
                           "try again.",
                           candidate->call.attempt, remark.line, remark.column);
}

ExitStatus candidate_load(const Client *client, const char *path, const Doing *doing,
                          Candidate *candidate)
{
        const char *given = client->options.name;
        int r;

        if (!given && strcmp(path, "-") == 0)
                return failure_of_usage("Standard input has no name; give one with --name.");
        candidate->name = given ? strdup(given) : source_document_name(path);
        if (!candidate->name)
                return failure_say(client, STATUS_FAILED, "Memory is short; try again.");
        snprintf(candidate->attempt, sizeof(candidate->attempt), "%s the policy %s", doing->verb,
                 candidate->name);
        candidate->call = (Call){.attempt = candidate->attempt, .action = doing->action};
        r = source_document_read(path, &candidate->document);
        if (r < 0)
                return say_unreadable(client, path, r);
        return check_document(client, candidate);
}

ExitStatus candidate_refused(const Client *client, const Candidate *candidate,
                             const sd_bus_error *error)
{
        _cleanup_(json_object_putp) json_object *remarks = NULL;

        if (!sd_bus_error_has_name(error, ERROR_PREFIX "InvalidPolicy") || !error->message ||
            remarks_read(error->message, candidate->name, &remarks) < 0)
                return failure_of_call(client, &candidate->call, error);
        if (!OPTION_GIVEN(&client->options, OPTION_JSON))
                remarks_print(remarks, &candidate->document, stderr);
        return failure_of_policy(client, &candidate->call, error, remarks);
}
