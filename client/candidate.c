/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidate: see candidate.h. */
#include "candidate.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json.h"
#include "remark.h"
#include "util/array.h"

void candidate_deinit(Candidate *candidate)
{
        source_document_deinit(&candidate->document);
        for (size_t i = 0; i < SIGNATURES_MAX; i++)
                source_document_deinit(&candidate->signatures[i]);
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

/* What is no text is no signature, and D-Bus would not carry it. */
static ExitStatus read_signature(const Client *client, const char *path, Candidate *candidate)
{
        SourceDocument *signature = &candidate->signatures[candidate->n_signatures];
        uint32_t line, column;
        int r = candidate->n_signatures < SIGNATURES_MAX ? source_document_read(path, signature)
                                                         : -E2BIG;

        if (r < 0)
                return failure_say(client, STATUS_FAILED,
                                   "Cannot read the signature %s: %s; give a file that can be "
                                   "read.",
                                   path, strerror(-r));
        candidate->n_signatures++;
        if (source_document_check(signature, &line, &column) == 0)
                return STATUS_DONE;
        return failure_say(client, STATUS_INVALID,
                           "%s is no signature: it is not text; sign the policy anew.", path);
}

static ExitStatus read_matching(const Client *client, const char *pattern, Candidate *candidate)
{
        ExitStatus status = STATUS_DONE;
        glob_t found = {};

        if (glob(pattern, 0, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc && status == STATUS_DONE; i++)
                        status = read_signature(client, found.gl_pathv[i], candidate);
        globfree(&found);
        return status;
}

/* Characters of a file's name are not a pattern's. Returns a new string or NULL. */
static char *escape(const char *path)
{
        char *escaped = malloc(2 * strlen(path) + 1), *at = escaped;

        for (; escaped && *path; *at++ = *path++)
                if (strchr("\\*?[", *path))
                        *at++ = '\\';
        if (escaped)
                *at = '\0';
        return escaped;
}

/* FILE.minisig, and FILE.ANYTHING.minisig of others who signed. */
static ExitStatus read_beside(const Client *client, const char *path, Candidate *candidate)
{
        static const char *const suffixes[] = {".minisig", ".*.minisig"};
        _cleanup_(freep) char *escaped = escape(path);
        ExitStatus status = STATUS_DONE;

        for (size_t i = 0; i < ELEMENTS_OF(suffixes) && status == STATUS_DONE; i++) {
                _cleanup_(freep) char *pattern = NULL;

                if (!escaped || asprintf(&pattern, "%s%s", escaped, suffixes[i]) < 0)
                        return failure_say(client, STATUS_FAILED, "Memory is short; try again.");
                status = read_matching(client, pattern, candidate);
        }
        return status;
}

static ExitStatus read_signatures(const Client *client, const char *path, Candidate *candidate)
{
        const Options *options = &client->options;
        ExitStatus status = STATUS_DONE;

        for (size_t i = 0; i < options->n_signatures && status == STATUS_DONE; i++)
                status = read_signature(client, options->signatures[i], candidate);
        if (options->n_signatures > 0 || strcmp(path, "-") == 0 ||
            strncmp(candidate->document.text, "bundle=1\n", strlen("bundle=1\n")) != 0)
                return status;
        return read_beside(client, path, candidate);
}

ExitStatus candidate_load(const Client *client, const char *path, const Doing *doing,
                          Candidate *candidate)
{
        const char *given = client->options.name;
        ExitStatus status;
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
        status = read_signatures(client, path, candidate);
        return status == STATUS_DONE ? check_document(client, candidate) : status;
}

int candidate_append_signatures(const Candidate *candidate, sd_bus_message *message)
{
        int r = sd_bus_message_open_container(message, 'a', "s");

        for (size_t i = 0; i < candidate->n_signatures && r >= 0; i++)
                r = sd_bus_message_append(message, "s", candidate->signatures[i].text);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Says why the service does not take it, with the lines at fault. */
static ExitStatus say_refused(const Client *client, const Candidate *candidate,
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

ExitStatus candidate_send(Client *client, const Candidate *candidate, CandidateFill fill,
                          const char *member, sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = fill(client, candidate, member, &message);
        if (r < 0)
                return failure_of_message(client, &candidate->call, r);
        r = connection_call(client->connection, &candidate->call, message, &error, ret_reply);
        if (r < 0)
                status = say_refused(client, candidate, &error);
        sd_bus_error_free(&error);
        return status;
}
