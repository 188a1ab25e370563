/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager, single rules: adding one, removing one, and listing those of the documents in force. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "bus/text.h"
#include "util/cleanup.h"
#include "util/fiber.h"

#define RULES_AT_ONCE 1000u

/* ---- AddRule, RemoveRule ---- */

static int read_rule(Request *request, sd_bus_error *error)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {};
        const char *section, *entry;
        int r = sd_bus_message_read(request->message, "ss", &section, &entry);

        if (r >= 0)
                r = request_read_rule_options(request, request->kind, error);
        if (r < 0)
                return r;
        r = enforcement_read_rule(request->server->config.enforcement, request->kind, section,
                                  entry, request->ttl_usec, &diagnostics, &request->rule);
        if (r == TRANSACTION_E_INVALID_POLICY)
                return error_set_diagnostics(error, &diagnostics, "entry");
        return r;
}

/* That there is no such rule is told after the question: it says what the others are not. */
static int plan_rule(Request *request, sd_bus_error *error)
{
        int r = enforcement_plan_rule(request->server->config.enforcement, request->rule,
                                      request->kind, &request->plan);

        if (r == TRANSACTION_E_NO_SUCH_RULE)
                return 0;
        if (r == TRANSACTION_E_INVALID_POLICY)
                return error_set_diagnostics(error, &request->plan->diagnostics, "entry");
        if (r != 0)
                return error_set_transaction(error, r, NULL);
        return request->is_check ? 0 : request_refuse_on_trial(request, error);
}

static Action choose_action(const Request *request)
{
        if (request->is_check)
                return ACTION_PLAN;
        return single_rule_loosens(request->rule, request->kind) ? ACTION_WEAKEN
                                                                 : ACTION_MANAGE_RULES;
}

static int detail_rule(Request *request)
{
        const char *section = single_rule_section(request->rule);
        const char *entry = single_rule_text(request->rule);
        char sign = request->kind == CHANGE_ADDED ? '+' : '-';
        _cleanup_(freep) char *change = NULL;
        int r;

        if (asprintf(&change, "%c [%s] %s", sign, section, entry) < 0) {
                change = NULL;
                return -ENOMEM;
        }
        r = request_detail(request, "name", "%s", RUNTIME_NAME);
        if (r >= 0)
                r = request_detail(request, "section", "%s", section);
        if (r >= 0)
                r = request_detail_text(request, "entry", entry);
        return r < 0 ? r : request_detail_text(request, "change", change);
}

static int bind_rule(Request *request)
{
        const Enforcement *enforcement = request->server->config.enforcement;

        return request_bind(request, enforcement_generation(enforcement),
                            request->plan ? request->plan->bound : enforcement_digest(enforcement));
}

static int describe_rule(Request *request, ChangeKind kind, sd_bus_error *error)
{
        int r;

        request->kind = kind;
        r = read_rule(request, error);
        if (r >= 0)
                r = plan_rule(request, error);
        if (r < 0)
                return r;
        request->action = choose_action(request);
        r = detail_rule(request);
        return r < 0 ? r : bind_rule(request);
}

int describe_add_rule(Request *request, sd_bus_error *error)
{
        return describe_rule(request, CHANGE_ADDED, error);
}

int describe_remove_rule(Request *request, sd_bus_error *error)
{
        return describe_rule(request, CHANGE_REMOVED, error);
}

int run_rule(Request *request, sd_bus_error *error)
{
        uint64_t generation = enforcement_generation(request->server->config.enforcement);
        int r = 0;

        if (!request->plan)
                return error_set_transaction(error, TRANSACTION_E_NO_SUCH_RULE, NULL);
        if (!request->is_check)
                r = manager_commit(request, &generation, error);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(request->message, "bt", request->plan->changed,
                                          generation);
}

/* ---- ListRules ---- */

/* What is asked for, and how far the list is. */
typedef struct Listing {
        sd_bus_message *reply;
        const Backend *backend; /* NULL: it counts for other documents */
        uint32_t skip, left;    /* entries */
        const PolicyImage *image;
        size_t at; /* of the rule among all that are written */
} Listing;

static int read_listing(Request *request, const Loaded **ret_loaded, Listing *listing,
                        sd_bus_error *error)
{
        const Enforcement *enforcement = request->server->config.enforcement;
        const char *name;
        int r = sd_bus_message_read(request->message, "suu", &name, &listing->skip, &listing->left);

        if (r < 0)
                return r;
        if (listing->left > RULES_AT_ONCE)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "the limit is at most %u; 0 is the same", RULES_AT_ONCE);
        if (listing->left == 0)
                listing->left = RULES_AT_ONCE;
        *ret_loaded = NULL;
        if (name[0] == '\0')
                return 0;
        if (!policy_name_is_valid(name))
                return error_set_transaction(error, TRANSACTION_E_INVALID_NAME, NULL);
        *ret_loaded = enforcement_find(enforcement, name);
        return *ret_loaded ? 0 : error_set_transaction(error, TRANSACTION_E_NO_SUCH_POLICY, NULL);
}

int describe_list_rules(Request *request, sd_bus_error *error)
{
        const Loaded *loaded;
        Listing listing;
        int r = read_listing(request, &loaded, &listing, error);

        return r < 0 ? r
                     : request_detail(request, "name", "%s", loaded ? loaded->document.name : "*");
}

/* An entry may have given several rules. */
static uint64_t hits_of(const Listing *listing, size_t n_rules)
{
        const PolicyImage *image = listing->image;
        uint64_t hits = 0;

        for (size_t i = 0; listing->backend && image && i < n_rules; i++)
                if (listing->at + i < image->n_numbers)
                        hits += backend_rule_hits(listing->backend,
                                                  image->numbers[listing->at + i]);
        return hits;
}

static int append_id(sd_bus_message *m, const Document *document, const Rule *rule)
{
        char id[POLICY_NAME_MAX + 16];

        if (rule->options->id)
                return append_text(m, rule->options->id);
        snprintf(id, sizeof(id), "%s:%u", document->name, rule->line);
        return append_text(m, id);
}

static int append_rule(const Listing *listing, const Document *document, size_t i, size_t n_rules)
{
        const Rule *rule = policy_rule(document->policy, i);
        sd_bus_message *m = listing->reply;
        int r = sd_bus_message_open_container(m, 'r', "ssst");

        if (r >= 0)
                r = append_text(m, rule->section);
        if (r >= 0)
                r = append_text(m, rule->entry);
        if (r >= 0)
                r = append_id(m, document, rule);
        if (r >= 0)
                r = sd_bus_message_append(m, "t", hits_of(listing, n_rules));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

size_t entry_n_rules(const Policy *policy, size_t i)
{
        size_t n = 1;

        while (i + n < policy_n_rules(policy) &&
               policy_rule(policy, i + n)->line == policy_rule(policy, i)->line)
                n++;
        return n;
}

static int list_document(Listing *listing, const Document *document, int is_listed)
{
        size_t n_rules = policy_n_rules(document->policy), n;
        int r = 0;

        if (!is_listed) {
                listing->at += n_rules;
                return 0;
        }
        for (size_t i = 0; r >= 0 && i < n_rules && listing->left > 0; i += n) {
                fiber_pace();
                n = entry_n_rules(document->policy, i);
                if (listing->skip > 0) {
                        listing->skip--;
                } else {
                        r = append_rule(listing, document, i, n);
                        listing->left--;
                }
                listing->at += n;
        }
        return r;
}

static int list_documents(Listing *listing, const Enforcement *enforcement, const Loaded *only)
{
        size_t n = enforcement_n_documents(enforcement);
        int r = sd_bus_message_open_container(listing->reply, 'a', "(ssst)");

        listing->image = enforcement_image(enforcement);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const Loaded *loaded = enforcement_document(enforcement, i);

                r = list_document(listing, &loaded->document, !only || loaded == only);
        }
        return r < 0 ? r : sd_bus_message_close_container(listing->reply);
}

int run_list_rules(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Listing listing = {.backend = kernel_has_documents(request->server)
                                              ? request->server->config.backend
                                              : NULL};
        const Loaded *loaded;
        int r = sd_bus_message_rewind(request->message, 1);

        if (r >= 0)
                r = read_listing(request, &loaded, &listing, error);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &reply);
        if (r < 0)
                return r;
        listing.reply = reply;
        r = list_documents(&listing, request->server->config.enforcement, loaded);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
