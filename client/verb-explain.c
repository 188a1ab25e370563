/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explain: which rule would decide an access, and which rules about it would not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "reply.h"

/* ---- the question ---- */

/* A word of the shell as a word of the policy language: what stands behind the first separator goes
 * between quotes where blanks would end it. */
static void put_word(FILE *out, const char *word)
{
        size_t n = strcspn(word, ":=");

        if (!strpbrk(word, " \t\"\\#")) {
                fputs(word, out);
                return;
        }
        n = word[n] == '\0' ? 0 : n + 1;
        fprintf(out, "%.*s\"", (int) n, word);
        for (word += n; *word != '\0'; word++) {
                if (*word == '"' || *word == '\\')
                        putc('\\', out);
                putc(*word, out);
        }
        putc('"', out);
}

/* A path alone is a file. Returns a new string, or NULL when memory is short. */
static char *make_entry(char **words)
{
        char *entry = NULL;
        size_t size;
        FILE *out = open_memstream(&entry, &size);

        if (!out)
                return NULL;
        for (size_t i = 0; words[i]; i++) {
                _cleanup_(freep) char *file = NULL;

                if (i == 0 && words[i][0] == '/' && asprintf(&file, "file:%s", words[i]) < 0)
                        file = NULL;
                if (i > 0)
                        putc(' ', out);
                put_word(out, file ? file : words[i]);
        }
        if (fclose(out) != 0) {
                free(entry);
                return NULL;
        }
        return entry;
}

/* ---- the answer ---- */

static Colour colour_of_verdict(const char *verdict)
{
        if (strcmp(verdict, "denied") == 0)
                return COLOUR_BAD;
        return strcmp(verdict, "audited") == 0 ? COLOUR_DOUBTFUL : COLOUR_GOOD;
}

static void print_place(const char *lead, json_object *rule)
{
        fputs(lead, stdout);
        output_text(stdout, json_text(rule, "policy"));
        printf(", line %llu: ", (unsigned long long) json_number(rule, "line"));
        output_text(stdout, json_text(rule, "rule"));
}

static void print_line(const char *lead, const char *text)
{
        fputs(lead, stdout);
        output_text(stdout, text);
        putchar('\n');
}

static void print_rules(json_object *answer)
{
        json_object *lost = NULL;

        if (*json_text(answer, "policy")) {
                print_place("  by ", answer);
                putchar('\n');
        } else {
                print_line("  ", json_text(answer, "reason"));
        }
        if (*json_text(answer, "why"))
                print_line("  why: ", json_text(answer, "why"));
        if (!json_object_object_get_ex(answer, "lost", &lost))
                return;
        for (size_t i = 0; i < json_object_array_length(lost); i++) {
                json_object *rule = json_object_array_get_idx(lost, i);

                print_place("  not by ", rule);
                print_line(" - ", json_text(rule, "because"));
        }
        if (json_number(answer, "lost-more") > 0)
                printf("  nor by %llu rules more\n",
                       (unsigned long long) json_number(answer, "lost-more"));
}

/* Whether two answers differ in the access alone. */
static int is_alike(json_object *answer, json_object *other)
{
        json_object_object_foreach(answer, key, value)
        {
                json_object *same = NULL;

                if (strcmp(key, "access") == 0)
                        continue;
                if (!json_object_object_get_ex(other, key, &same) ||
                    !json_object_equal(value, same))
                        return 0;
        }
        return json_object_object_length(answer) == json_object_object_length(other);
}

static void print_answers(json_object *answers)
{
        size_t n = json_object_array_length(answers);

        for (size_t i = 0, next; i < n; i = next) {
                json_object *answer = json_object_array_get_idx(answers, i);
                const char *verdict = json_text(answer, "verdict");

                printf("%s%s%s: %s", colour_sequence(colour_of_verdict(verdict)), verdict,
                       colour_sequence(COLOUR_NONE), json_text(answer, "access"));
                for (next = i + 1; next < n; next++) {
                        json_object *other = json_object_array_get_idx(answers, next);

                        if (!is_alike(answer, other))
                                break;
                        printf(", %s", json_text(other, "access"));
                }
                putchar('\n');
                print_rules(answer);
        }
}

/* What is denied elsewhere is recorded alone at these. */
static void print_audited_hooks(json_object *explanation)
{
        size_t n = json_count(explanation, "audited-hooks");

        for (size_t i = 0; i < n; i++) {
                fputs(i == 0 ? "denied, but only recorded at the hooks in audit mode: " : ", ",
                      stdout);
                output_text(stdout,
                            json_object_get_string(json_element(explanation, "audited-hooks", i)));
        }
        fputs(n > 0 ? "\n" : "", stdout);
}

static int print_explanation(const Client *client, json_object *explanation)
{
        json_object *answers = NULL;

        if (!json_object_object_get_ex(explanation, "answers", &answers) ||
            !json_object_is_type(answers, json_type_array))
                return -EBADMSG;
        if (OPTION_GIVEN(&client->options, OPTION_JSON)) {
                output_json(explanation);
                return 0;
        }
        print_answers(answers);
        print_audited_hooks(explanation);
        return 0;
}

static int make_message(const Client *client, char **arguments, sd_bus_message **ret_message)
{
        _cleanup_(freep) char *entry = make_entry(arguments);
        int r;

        if (!entry)
                return -ENOMEM;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Explain",
                               ret_message);
        return r < 0 ? r : sd_bus_message_append(*ret_message, "a{sv}", 1, "entry", "s", entry);
}

ExitStatus verb_explain(Client *client, char **arguments)
{
        static const Call call = {.attempt = "explain this"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(json_object_putp) json_object *explanation = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = make_message(client, arguments, &message);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = reply_read_value(reply, &explanation);
        if (r >= 0)
                r = print_explanation(client, explanation);
        return r < 0 ? failure_of_reply(client, &call, r) : STATUS_DONE;
}
