/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor: what is missing on this machine, why it matters, and the command that mends it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "failure.h"
#include "output.h"

static const char *const severities[] = {
        [SEVERITY_OK] = "ok",
        [SEVERITY_NOTE] = "note",
        [SEVERITY_PROBLEM] = "problem",
};

void diagnosis_add(Diagnosis *diagnosis, const Finding *finding)
{
        json_object *object = json_object_new_object();

        if (finding->severity > diagnosis->worst)
                diagnosis->worst = finding->severity;
        if (!object || json_add_text(object, "check", finding->check) < 0 ||
            json_add_text(object, "severity", severities[finding->severity]) < 0 ||
            json_add_text(object, "what", finding->what) < 0 ||
            json_add_text(object, "why", finding->why) < 0 ||
            json_add_text(object, "mend", finding->mend) < 0) {
                json_object_put(object);
                diagnosis->failed = 1;
                return;
        }
        if (json_add(diagnosis->findings, NULL, object) < 0)
                diagnosis->failed = 1;
}

static Colour colour_of(const char *severity)
{
        if (strcmp(severity, severities[SEVERITY_PROBLEM]) == 0)
                return COLOUR_BAD;
        return strcmp(severity, severities[SEVERITY_NOTE]) == 0 ? COLOUR_DOUBTFUL : COLOUR_GOOD;
}

static void print_more(const char *lead, const char *text)
{
        if (!*text)
                return;
        printf("         %s", lead);
        output_text(stdout, text);
        putchar('\n');
}

static void print_finding(json_object *finding)
{
        const char *severity = json_text(finding, "severity");

        printf("%s%-8s%s ", colour_sequence(colour_of(severity)), severity,
               colour_sequence(COLOUR_NONE));
        output_text(stdout, json_text(finding, "what"));
        putchar('\n');
        print_more("", json_text(finding, "why"));
        print_more("mend: ", json_text(finding, "mend"));
}

static int print_diagnosis(const Client *client, const Diagnosis *diagnosis)
{
        _cleanup_(json_object_putp) json_object *object = NULL;

        if (diagnosis->failed)
                return -ENOMEM;
        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                for (size_t i = 0; i < json_object_array_length(diagnosis->findings); i++)
                        print_finding(json_object_array_get_idx(diagnosis->findings, i));
                return 0;
        }
        object = json_object_new_object();
        if (!object || json_add_truth(object, "healthy", diagnosis->worst < SEVERITY_PROBLEM) < 0 ||
            json_add(object, "findings", json_object_get(diagnosis->findings)) < 0)
                return -ENOMEM;
        output_json(object);
        return 0;
}

static void look(Client *client, Diagnosis *diagnosis)
{
        int r = client_open(client);

        if (!client->options.host)
                doctor_look_at_machine(diagnosis);
        if (r < 0)
                diagnosis_add(diagnosis, &(Finding){
                                                 .check = "bus",
                                                 .severity = SEVERITY_PROBLEM,
                                                 .what = "the system bus cannot be reached",
                                                 .why = "the service cannot be asked anything",
                                                 .mend = "sudo systemctl start dbus",
                                         });
        else
                doctor_ask_bus(diagnosis, client->connection);
}

ExitStatus verb_doctor(Client *client, char **arguments)
{
        static const Call call = {.attempt = "look at this machine"};
        Diagnosis diagnosis = {.findings = json_object_new_array()};
        int r = -ENOMEM;

        if (diagnosis.findings) {
                look(client, &diagnosis);
                r = print_diagnosis(client, &diagnosis);
        }
        json_object_put(diagnosis.findings);
        if (r < 0)
                return failure_of_reply(client, &call, r);
        return diagnosis.worst < SEVERITY_PROBLEM ? STATUS_DONE : STATUS_TO_MEND;
}
