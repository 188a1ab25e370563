/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain: the Manager's method that tells which rule would decide, and which would not. The
 * question is one entry of the policy language; the answer is read from what the kernel was given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/error.h"
#include "bus/objects.h"
#include "policy/explain.h"
#include "util/cleanup.h"

/* ---- the question ---- */

static int read_entry(Request *request, sd_bus_error *error)
{
        sd_bus_message *m = request->message;
        const char *key;
        int r = sd_bus_message_read(m, "s", &key);

        if (r < 0)
                return r;
        if (strcmp(key, "entry") != 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "the one key of a question is \"entry\"");
        if (request->entry)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "\"entry\" is given twice");
        return sd_bus_message_read(m, "v", "s", &request->entry);
}

int describe_explain(Request *request, sd_bus_error *error)
{
        sd_bus_message *m = request->message;
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(request, error);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (!request->entry || strnlen(request->entry, POLICY_LINE_MAX) == POLICY_LINE_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "a question has an \"entry\", one line of the policy "
                                        "language: file:/etc/shadow access=read uid=33");
        return request_detail(request, "name", "*");
}

/* ---- the answer ---- */

/* The rule as it is told everywhere: as in events. */
static int append_rule(sd_bus_message *m, const char *policy, uint32_t line, const char *section,
                       const char *entry)
{
        _cleanup_(freep) char *text = NULL;
        int r = append_pair(m, "policy", policy);

        if (asprintf(&text, "%s%s%s", section, entry[0] ? " " : "", entry) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "line", "u", line);
        return r < 0 ? r : append_pair(m, "rule", text);
}

static int append_winner(sd_bus_message *m, const ImageRule *rule)
{
        char id[IMAGE_RULE_ID_SIZE];
        const Rule *said = rule->rule;
        int r = append_rule(m, rule->document, said->line, said->section, said->entry);

        if (r >= 0)
                r = append_pair(m, "id", image_rule_id(rule, id));
        return r < 0 || !said->options->why ? r : append_pair(m, "why", said->options->why);
}

static int append_loser(sd_bus_message *m, const Loser *loser)
{
        const Rule *rule = loser->rule;
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r >= 0)
                r = append_rule(m, loser->document->name, rule->line, rule->section, rule->entry);
        if (r >= 0)
                r = append_pair(m, "because", loser->because);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_losers(sd_bus_message *m, const Loser *losers, size_t n)
{
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", "lost");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "aa{sv}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < n && i < LOSERS_MAX; i++)
                r = append_loser(m, &losers[i]);
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        if (r >= 0 && n > LOSERS_MAX)
                r = sd_bus_message_append(m, "{sv}", "lost-more", "u", (uint32_t) (n - LOSERS_MAX));
        return r;
}

const char *verdict_of_answer(const Answer *answer, Mode mode)
{
        const struct clause *clause = answer->clause;

        if (!clause || clause->verdict == CLAUSE_ALLOW)
                return "allowed";
        if (clause->verdict == CLAUSE_AUDIT || (clause->flags & CLAUSE_RECORD) ||
            (mode == MODE_AUDIT && !(clause->flags & CLAUSE_ENFORCE)))
                return "audited";
        return "denied";
}

/* What an answer is made from. */
typedef struct Explanation {
        Question question;
        const PolicyImage *image;
        Mode mode;
        const Resolver *resolver;
        Document *documents;
        size_t n_documents;
        Candidates candidates;
} Explanation;

static void explanation_deinit(Explanation *explanation)
{
        candidates_deinit(&explanation->candidates);
        question_deinit(&explanation->question);
        free(explanation->documents);
}

static int append_answer(sd_bus_message *m, const Explanation *explanation, const Answer *answer)
{
        ImageRule rule;
        const ImageRule *winner = answer_rule(answer, explanation->image, &rule);
        Loser losers[LOSERS_MAX];
        size_t n = 0;
        int r = explain_losers(&explanation->question, answer, winner, &explanation->candidates,
                               explanation->resolver, losers, &n);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_pair(m, "access", answer->access);
        if (r >= 0)
                r = append_pair(m, "verdict", verdict_of_answer(answer, explanation->mode));
        if (r >= 0 && winner)
                r = append_winner(m, winner);
        else if (r >= 0)
                r = append_pair(m, "reason",
                                answer->is_unbound ? "no rule binds a process in this cgroup"
                                                   : "no rule decides it");
        if (r >= 0)
                r = append_losers(m, losers, n);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_answers(sd_bus_message *m, const Explanation *explanation)
{
        Answer answers[ANSWERS_MAX];
        size_t n = question_ask(&explanation->question, explanation->image, answers);
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", "answers");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "aa{sv}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_answer(m, explanation, &answers[i]);
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

/* ---- the whole ---- */

static int ask_question(Explanation *explanation, const Request *request, sd_bus_error *error)
{
        _cleanup_(diagnostics_deinit) Diagnostics diagnostics = {0};
        struct timespec now = {0};
        int r;

        clock_gettime(CLOCK_BOOTTIME, &now);
        r = question_read(&explanation->question, request->entry, strlen(request->entry),
                          explanation->resolver, now.tv_sec, &diagnostics);
        if (r != 0)
                return r > 0 ? error_set_diagnostics(error, &diagnostics, "entry") : r;
        return explain_find(&explanation->question, explanation->documents,
                            explanation->n_documents,
                            enforcement_compilation(request->server->config.enforcement),
                            &explanation->candidates);
}

static int collect(Explanation *explanation, const Request *request, sd_bus_error *error)
{
        static const PolicyImage nothing = {0};
        const Enforcement *enforcement = request->server->config.enforcement;
        size_t n = enforcement_n_documents(enforcement);
        BackendState state;

        backend_state(request->server->config.backend, &state);
        explanation->image = enforcement_image(enforcement);
        if (state.generation == 0 && n == 0)
                explanation->image = &nothing;
        else if (!explanation->image || !kernel_has_documents(request->server))
                return sd_bus_error_set(error, SD_BUS_ERROR_FAILED,
                                        "what the kernel enforces is not what the policies say; "
                                        "PostureReasons tells why");
        explanation->mode = enforcement_mode(enforcement);
        explanation->resolver = backend_resolver(request->server->config.backend);
        explanation->documents = calloc(n + 1, sizeof(*explanation->documents));
        if (!explanation->documents)
                return -ENOMEM;
        for (; explanation->n_documents < n; explanation->n_documents++)
                explanation->documents[explanation->n_documents] =
                        enforcement_document(enforcement, explanation->n_documents)->document;
        return 0;
}

/* What is denied by the rules is recorded at these alone. */
static int append_audited_hooks(sd_bus_message *m, const Backend *backend)
{
        const char *names[N_HOOKS + 1] = {NULL};
        BackendState state;
        size_t n = 0;
        int r;

        backend_state(backend, &state);
        for (enum hook hook = 0; hook < N_HOOKS; hook++)
                if (state.audited & HOOK_BIT(hook))
                        names[n++] = hook_to_string(hook);
        if (n == 0)
                return 0;
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "audited-hooks");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **) names);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int run_explain(Request *request, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(explanation_deinit) Explanation explanation = {0};
        int r = collect(&explanation, request, error);

        if (r >= 0)
                r = ask_question(&explanation, request, error);
        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(
                        reply, "{sv}{sv}", "mode", "s", mode_to_string(explanation.mode),
                        "generation", "t",
                        enforcement_generation(request->server->config.enforcement));
        if (r >= 0)
                r = append_audited_hooks(reply, request->server->config.backend);
        if (r >= 0)
                r = append_answers(reply, &explanation);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
