/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Agent: somebody who answers polkit's questions for the test's own callers. It is root's, so that
 * it needs no password, and it writes down what it was shown. */
#pragma once

#include "lab.h"

typedef enum AgentAnswer {
        AGENT_YES,
        AGENT_NO,
        AGENT_HOLD, /* until agent_release() */
} AgentAnswer;

typedef struct Agent Agent;

Agent *agent_new(Lab *lab, AgentAnswer answer);
Agent *agent_new_speaking(Lab *lab, AgentAnswer answer, const char *locale);
void agent_free(Agent *agent);

void agent_wait(Agent *agent, unsigned n_questions); /* that have been asked so far */
void agent_wait_cancelled(Agent *agent, unsigned n_cancelled);
void agent_release(Agent *agent, AgentAnswer answer); /* to all that are held */

unsigned agent_n_questions(const Agent *agent);
/* Of the last question. polkit keeps our details to itself: they are in the message only. */
const char *agent_action(const Agent *agent);
const char *agent_message(const Agent *agent);
