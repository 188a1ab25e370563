/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agent: see agent.h; the interface is polkit's org.freedesktop.PolicyKit1.AuthenticationAgent. */
#include "agent.h"

#include <string.h>
#include <unistd.h>

#define POLKIT "org.freedesktop.PolicyKit1"
#define AUTHORITY_PATH "/org/freedesktop/PolicyKit1/Authority"
#define AUTHORITY "org.freedesktop.PolicyKit1.Authority"
#define AGENT_PATH "/lab/agent"

typedef struct Question {
        Agent *agent;
        sd_bus_message *message; /* is answered when the question is over */
        char *cookie;
} Question;

struct Agent {
        Lab *lab;
        sd_bus *bus;
        AgentAnswer answer;
        GPtrArray *held;
        unsigned n_questions, n_cancelled, wanted_questions, wanted_cancelled;
        int enough;
        char *action, *text;
};

static void question_free(gpointer data)
{
        Question *question = data;

        sd_bus_message_unref(question->message);
        g_free(question->cookie);
        g_free(question);
}

static int on_responded(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Question *question = userdata;

        g_assert_cmpstr(lab_error(reply), ==, "");
        g_assert_cmpint(sd_bus_reply_method_return(question->message, ""), >=, 0);
        question_free(question);
        return 0;
}

static void answer(Question *question, AgentAnswer how)
{
        if (how == AGENT_HOLD) {
                g_ptr_array_add(question->agent->held, question);
        } else if (how == AGENT_YES) {
                g_assert_cmpint(sd_bus_call_method_async(
                                        question->agent->bus, NULL, POLKIT, AUTHORITY_PATH,
                                        AUTHORITY, "AuthenticationAgentResponse2", on_responded,
                                        question, "us(sa{sv})", (uint32_t) 0, question->cookie,
                                        "unix-user", 1, "uid", "u", (uint32_t) 0),
                                >=, 0);
        } else {
                g_assert_cmpint(sd_bus_reply_method_errorf(question->message,
                                                           POLKIT ".Error.Failed", "No."),
                                >=, 0);
                question_free(question);
        }
}

static void check_enough(Agent *agent)
{
        agent->enough = agent->n_questions >= agent->wanted_questions &&
                        agent->n_cancelled >= agent->wanted_cancelled;
}

static int on_begin(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Agent *agent = userdata;
        Question *question = g_new0(Question, 1);
        const char *action, *text, *icon, *cookie;

        g_assert_cmpint(sd_bus_message_read(m, "sss", &action, &text, &icon), >=, 0);
        g_free(agent->action);
        g_free(agent->text);
        agent->action = g_strdup(action);
        agent->text = g_strdup(text);
        g_assert_cmpint(sd_bus_message_skip(m, "a{ss}"), >=, 0);
        g_assert_cmpint(sd_bus_message_read(m, "s", &cookie), >=, 0);
        question->agent = agent;
        question->cookie = g_strdup(cookie);
        question->message = sd_bus_message_ref(m);
        agent->n_questions++;
        check_enough(agent);
        answer(question, agent->answer);
        return 1;
}

static int on_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Agent *agent = userdata;
        const char *cookie;

        g_assert_cmpint(sd_bus_message_read(m, "s", &cookie), >=, 0);
        for (guint i = 0; i < agent->held->len; i++) {
                Question *question = agent->held->pdata[i];

                if (strcmp(question->cookie, cookie) == 0) {
                        g_ptr_array_remove_index(agent->held, i);
                        question_free(question);
                        break;
                }
        }
        agent->n_cancelled++;
        check_enough(agent);
        return sd_bus_reply_method_return(m, "");
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BeginAuthentication", "sssa{ss}sa(sa{sv})", "", on_begin,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelAuthentication", "s", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static uint64_t start_time(void)
{
        char *text, **fields;
        uint64_t start;

        g_assert_true(g_file_get_contents("/proc/self/stat", &text, NULL, NULL));
        fields = g_strsplit(strrchr(text, ')') + 2, " ", -1);
        start = g_ascii_strtoull(fields[19], NULL, 10);
        g_strfreev(fields);
        g_free(text);
        return start;
}

Agent *agent_new(Lab *lab, AgentAnswer how)
{
        return agent_new_speaking(lab, how, "C");
}

Agent *agent_new_speaking(Lab *lab, AgentAnswer how, const char *locale)
{
        Agent *agent = g_new0(Agent, 1);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        agent->lab = lab;
        agent->answer = how;
        agent->held = g_ptr_array_new_with_free_func(NULL);
        agent->bus = lab_connect(lab, 0);
        g_assert_cmpint(sd_bus_add_object_vtable(agent->bus, NULL, AGENT_PATH,
                                                 POLKIT ".AuthenticationAgent", vtable, agent),
                        >=, 0);
        r = sd_bus_call_method(agent->bus, POLKIT, AUTHORITY_PATH, AUTHORITY,
                               "RegisterAuthenticationAgent", &error, NULL, "(sa{sv})ss",
                               "unix-process", 3, "pid", "u", (uint32_t) getpid(), "start-time",
                               "t", start_time(), "uid", "i", (int32_t) LAB_USER, locale,
                               AGENT_PATH);
        g_assert_cmpstr(error.message, ==, NULL);
        g_assert_cmpint(r, >=, 0);
        return agent;
}

void agent_free(Agent *agent)
{
        lab_disconnect(agent->bus);
        for (guint i = 0; i < agent->held->len; i++)
                question_free(agent->held->pdata[i]);
        g_ptr_array_free(agent->held, TRUE);
        g_free(agent->action);
        g_free(agent->text);
        g_free(agent);
}

static void wait_for(Agent *agent, unsigned n_questions, unsigned n_cancelled)
{
        agent->wanted_questions = n_questions;
        agent->wanted_cancelled = n_cancelled;
        check_enough(agent);
        lab_until(agent->lab, &agent->enough);
}

void agent_wait(Agent *agent, unsigned n_questions)
{
        wait_for(agent, n_questions, 0);
}

void agent_wait_cancelled(Agent *agent, unsigned n_cancelled)
{
        wait_for(agent, 0, n_cancelled);
}

void agent_release(Agent *agent, AgentAnswer how)
{
        while (agent->held->len > 0)
                answer(g_ptr_array_steal_index(agent->held, 0), how);
}

unsigned agent_n_questions(const Agent *agent)
{
        return agent->n_questions;
}

const char *agent_action(const Agent *agent)
{
        return agent->action;
}

const char *agent_message(const Agent *agent)
{
        return agent->text;
}
