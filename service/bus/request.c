/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Request: see request.h. Strings that are read point into the message. */
#include "bus/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "bus/text.h"
#include "util/array.h"

void request_deinit(Request *request)
{
        for (size_t i = 0; i < request->n_details; i++)
                free(request->details[i].value);
        plan_free(request->plan);
        if (request->folder)
                folder_report_deinit(request->folder);
        free(request->folder);
        event_filter_deinit(&request->filter);
        single_rule_free(request->rule);
        *request = (Request){0};
}

int request_detail(Request *request, const char *key, const char *format, ...)
{
        char text[TEXT_PROMPT_MAX * 4];
        va_list arguments;
        char *value;

        if (request->n_details == REQUEST_DETAILS_MAX)
                return 0;
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        value = text_prompt(text);
        if (!value)
                return -ENOMEM;
        request->details[request->n_details++] = (PolkitDetail){.key = key, .value = value};
        return 0;
}

/* Whoever is asked, be it a person or a rule of polkit's, must not take a part for the whole. */
int request_detail_text(Request *request, const char *key, const char *text)
{
        _cleanup_(freep) char *shown = text_prompt(text);
        _cleanup_(freep) char *part =
                shown ? text_valid(shown, TEXT_PROMPT_MAX - strlen("…")) : NULL;

        if (!part)
                return -ENOMEM;
        if (strcmp(shown, text) == 0)
                return request_detail(request, key, "%s", text);
        return request_detail(request, key, "%s…", part);
}

int request_bind(Request *request, uint64_t generation, const uint8_t digest[DIGEST_SIZE])
{
        char hex[DIGEST_HEX_SIZE];
        int r;

        request->binding.generation = generation;
        memcpy(request->binding.digest, digest, DIGEST_SIZE);
        digest_format(digest, hex);
        r = request_detail(request, "digest", "%s", hex);
        if (r < 0)
                return r;
        return request_detail(request, "generation", "%llu", (unsigned long long) generation);
}

int request_detail_counts(Request *request)
{
        size_t n_added = 0, n_removed = 0;
        int r;

        for (size_t i = 0; i < request->plan->n_changes; i++) {
                n_added += request->plan->changes[i].kind == CHANGE_ADDED;
                n_removed += request->plan->changes[i].kind == CHANGE_REMOVED;
        }
        r = request_detail(request, "added", "%zu", n_added);
        return r < 0 ? r : request_detail(request, "removed", "%zu", n_removed);
}

int request_refuse_on_trial(const Request *request, sd_bus_error *error)
{
        TrialStatus trial;

        if (!request->plan->changed ||
            !enforcement_trial(request->server->config.enforcement, &trial))
                return 0;
        return error_set_transaction(error, TRANSACTION_E_ON_TRIAL, NULL);
}

int request_read_name(Request *request, const char **ret_name, sd_bus_error *error)
{
        const char *name;
        int r = sd_bus_message_read(request->message, "s", &name);

        if (r < 0)
                return r;
        if (!policy_name_is_valid(name))
                return error_set_transaction(error, TRANSACTION_E_INVALID_NAME, NULL);
        *ret_name = name;
        return 0;
}

int request_read_document(Request *request, const char **ret_text, size_t *ret_n,
                          sd_bus_error *error)
{
        const char *text;
        int r = sd_bus_message_read(request->message, "s", &text);
        size_t n;

        if (r < 0)
                return r;
        n = strnlen(text, POLICY_SIZE_MAX + 1u);
        if (n > POLICY_SIZE_MAX)
                return error_set_transaction(error, TRANSACTION_E_TOO_LARGE, NULL);
        *ret_text = text;
        *ret_n = n;
        return 0;
}

int request_read_signatures(Request *request, sd_bus_error *error)
{
        sd_bus_message *m = request->message;
        SignatureTexts *signatures = &request->signatures;
        int r = sd_bus_message_enter_container(m, 'a', "s");

        *signatures = (SignatureTexts){request->signature_texts, 0};
        while (r >= 0 && sd_bus_message_at_end(m, 0) == 0) {
                SignatureText *item = &request->signature_texts[signatures->n];

                if (signatures->n == SIGNATURES_MAX)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                 "at most %u signatures are taken", SIGNATURES_MAX);
                r = sd_bus_message_read(m, "s", &item->text);
                if (r < 0)
                        return r;
                item->n = strnlen(item->text, SIGNATURE_FILE_MAX + 1u);
                signatures->n++;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int request_make_plan(Request *request, const char *name, const SignatureText *document,
                      sd_bus_error *error)
{
        Enforcement *enforcement = request->server->config.enforcement;
        int r = request->signatures.n > 0
                        ? enforcement_plan_signed(enforcement, name, document, &request->signatures,
                                                  &request->plan)
                        : enforcement_plan(enforcement, name, document->text, document->n,
                                           &request->plan);

        return r == 0 ? 0 : error_set_transaction(error, r, request->plan);
}

static int check_expect(const Request *request, sd_bus_error *error)
{
        uint64_t in_force = enforcement_generation(request->server->config.enforcement);

        if (request->expect != EXPECT_ANY && request->expect != in_force)
                return sd_bus_error_setf(
                        error, ERROR_GENERATION_MISMATCH, "generation %llu is in force, not %llu",
                        (unsigned long long) in_force, (unsigned long long) request->expect);
        return 0;
}

int request_read_expect(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "t", &request->expect);

        return r < 0 ? r : check_expect(request, error);
}

static int refuse_key(const char *kind, const char *key, sd_bus_error *error)
{
        _cleanup_(freep) char *shown = text_prompt(key);

        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s \"%s\"", kind,
                                 shown ? shown : "?");
}

/* ---- arguments by name ---- */

typedef struct KeyRow {
        const char *key;
        int (*read)(Request *request, sd_bus_error *error); /* reads the variant */
} KeyRow;

typedef struct Keys {
        const char *kind; /* "option" */
        const KeyRow *rows;
        size_t n_rows; /* at most 32 */
} Keys;

/* seen: a bit for each key that was given before. */
static int read_key(Request *request, const Keys *keys, uint32_t *seen, sd_bus_error *error)
{
        char kind[32];
        const char *key;
        int r = sd_bus_message_read(request->message, "s", &key);

        if (r < 0)
                return r;
        for (size_t i = 0; i < keys->n_rows; i++) {
                if (strcmp(keys->rows[i].key, key) != 0)
                        continue;
                if (*seen & 1u << i)
                        return refuse_key("given twice:", key, error);
                *seen |= 1u << i;
                r = keys->rows[i].read(request, error);
                return r == -ENXIO ? refuse_key("of another type:", key, error) : r;
        }
        snprintf(kind, sizeof(kind), "unknown %s", keys->kind);
        return refuse_key(kind, key, error);
}

static int read_keys(Request *request, const Keys *keys, sd_bus_error *error)
{
        sd_bus_message *m = request->message;
        uint32_t seen = 0;
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_key(request, keys, &seen, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int request_read_options(Request *request, sd_bus_error *error)
{
        return read_keys(request, &(Keys){.kind = "option"}, error);
}

/* ---- a mode ---- */

static Action action_of_mode(Mode mode)
{
        switch (mode) {
        case MODE_ENFORCE:
                return ACTION_STRENGTHEN;
        case MODE_AUDIT:
                return ACTION_WEAKEN;
        }
        return ACTION_WEAKEN;
}

int request_read_mode(Request *request, sd_bus_error *error)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        const char *mode;
        int r = sd_bus_message_read(request->message, "s", &mode);

        if (r < 0)
                return r;
        if (mode_from_string(mode, &request->mode) < 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "a mode is enforce or audit");
        r = request_read_options(request, error);
        if (r < 0)
                return r;
        request->action = action_of_mode(request->mode);
        r = request_detail(request, "mode", "%s", mode_to_string(request->mode));
        return r < 0 ? r
                     : request_bind(request, enforcement_generation(enforcement),
                                    enforcement_digest(enforcement));
}

/* ---- the options of a rule ---- */

static int option_ttl(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "t", &request->ttl_usec);

        if (r < 0)
                return r;
        if (request->ttl_usec == 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "ttl-usec is not 0; a rule that stays has none");
        return 0;
}

static int option_expect(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "t", &request->expect);

        return r < 0 ? r : check_expect(request, error);
}

static int option_check(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "b", &request->is_check);

        return r < 0 ? r : 0;
}

int request_read_rule_options(Request *request, ChangeKind kind, sd_bus_error *error)
{
        static const KeyRow rows[] = {
                {"expect", option_expect},
                {"check", option_check},
                {"ttl-usec", option_ttl}, /* of what is added */
        };
        Keys keys = {"option", rows, ELEMENTS_OF(rows) - (kind == CHANGE_REMOVED)};

        request->expect = EXPECT_ANY;
        return read_keys(request, &keys, error);
}

/* ---- what is asked for of events ---- */

static int take_string(sd_bus_message *m, char **ret_string)
{
        const char *text;
        char *copy;
        int r = sd_bus_message_read(m, "v", "s", &text);

        if (r < 0)
                return r;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        *ret_string = copy;
        return 0;
}

static int filter_policy(Request *request, sd_bus_error *error)
{
        int r = take_string(request->message, &request->filter.policy);

        if (r < 0)
                return r;
        if (!policy_name_is_valid(request->filter.policy))
                return error_set_transaction(error, TRANSACTION_E_INVALID_NAME, NULL);
        return 0;
}

static int filter_hook(Request *request, sd_bus_error *error)
{
        int r = take_string(request->message, &request->filter.hook);

        if (r < 0)
                return r;
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (strcmp(hook_to_string(hook), request->filter.hook) == 0)
                        return 0;
        return refuse_key("unknown hook", request->filter.hook, error);
}

static int filter_verdict(Request *request, sd_bus_error *error)
{
        _cleanup_(freep) char *verdict = NULL;
        int r = take_string(request->message, &verdict);

        if (r < 0)
                return r;
        if (strcmp(verdict, "denied") == 0)
                request->filter.verdict = VERDICT_DENIED;
        else if (strcmp(verdict, "audited") == 0)
                request->filter.verdict = VERDICT_AUDITED;
        else
                return refuse_key("a verdict is denied or audited, not", verdict, error);
        return 0;
}

static int filter_rule(Request *request, sd_bus_error *error)
{
        return take_string(request->message, &request->filter.rule);
}

static int filter_comm(Request *request, sd_bus_error *error)
{
        int r = take_string(request->message, &request->filter.comm);

        if (r < 0)
                return r;
        if (strlen(request->filter.comm) >= EVENT_COMM_SIZE)
                return refuse_key("a comm has at most 15 bytes, not as", request->filter.comm,
                                  error);
        return 0;
}

static int filter_path(Request *request, sd_bus_error *error)
{
        char *path;
        size_t n;
        int r = take_string(request->message, &request->filter.path);

        if (r < 0)
                return r;
        path = request->filter.path;
        if (path[0] != '/')
                return refuse_key("a path begins with /, not as", path, error);
        n = strlen(path);
        if (n > 1 && path[n - 1] == '/')
                path[n - 1] = '\0';
        return 0;
}

static int filter_pid(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "u", &request->filter.pid);

        return r < 0 ? r : 0;
}

static int filter_uid(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "u", &request->filter.uid);

        return r < 0 ? r : 0;
}

static int filter_since(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "t", &request->filter.since_seq);

        return r < 0 ? r : 0;
}

int request_read_filter(Request *request, sd_bus_error *error)
{
        static const KeyRow rows[] = {
                {"policy", filter_policy},   {"rule", filter_rule}, {"hook", filter_hook},
                {"verdict", filter_verdict}, {"uid", filter_uid},   {"pid", filter_pid},
                {"comm", filter_comm},       {"path", filter_path}, {"since", filter_since},
        };
        Keys keys = {"filter", rows, ELEMENTS_OF(rows)};

        request->filter.uid = UINT32_MAX;
        request->filter.since_seq = UINT64_MAX;
        return read_keys(request, &keys, error);
}

/* ---- the options of Apply ---- */

static int option_confirm_timeout(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_read(request->message, "v", "t", &request->confirm_usec);

        if (r < 0)
                return r;
        if (request->confirm_usec < CONFIRM_USEC_MIN || request->confirm_usec > CONFIRM_USEC_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "confirm-timeout-usec is from 10 seconds to a day");
        return 0;
}

int request_read_apply_options(Request *request, sd_bus_error *error)
{
        static const KeyRow rows[] = {{"confirm-timeout-usec", option_confirm_timeout}};
        Keys keys = {"option", rows, ELEMENTS_OF(rows)};

        return read_keys(request, &keys, error);
}

/* ---- the options of Simulate ---- */

static int option_signatures(Request *request, sd_bus_error *error)
{
        int r = sd_bus_message_enter_container(request->message, 'v', "as");

        if (r >= 0)
                r = request_read_signatures(request, error);
        return r < 0 ? r : sd_bus_message_exit_container(request->message);
}

int request_read_simulate_options(Request *request, sd_bus_error *error)
{
        static const KeyRow rows[] = {{"signatures", option_signatures}};
        Keys keys = {"option", rows, ELEMENTS_OF(rows)};

        return read_keys(request, &keys, error);
}

/* ---- the options of Reload ---- */

int request_read_reload_options(Request *request, sd_bus_error *error)
{
        static const KeyRow rows[] = {{"check", option_check}};
        Keys keys = {"option", rows, ELEMENTS_OF(rows)};

        return read_keys(request, &keys, error);
}
