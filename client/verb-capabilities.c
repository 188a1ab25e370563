/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capabilities, can: what this machine offers to enforce with, and what polkit would let the caller
 * do. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "failure.h"
#include "output.h"
#include "reply.h"

/* An array's elements as "a, b"; all else as JSON has it. */
static char *value_format(json_object *value)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        if (!json_object_is_type(value, json_type_array))
                fputs(json_object_get_string(value), out);
        for (size_t i = 0;
             json_object_is_type(value, json_type_array) && i < json_object_array_length(value);
             i++) {
                const char *element = json_object_get_string(json_object_array_get_idx(value, i));

                fprintf(out, "%s%s", i > 0 ? ", " : "", element ? element : "-");
        }
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

static int print_capabilities(json_object *capabilities)
{
        static const char *const headings[] = {"", ""};
        _cleanup_(table_freep) Table *table = table_new(headings, ELEMENTS_OF(headings));

        if (!table)
                return -ENOMEM;
        json_object_object_foreach(capabilities, key, value)
        {
                _cleanup_(freep) char *text = value ? value_format(value) : strdup("-");

                if (!text)
                        return -ENOMEM;
                table_add(table, COLOUR_NONE, key);
                table_add(table, COLOUR_NONE, text);
        }
        return table_print(table);
}

ExitStatus verb_capabilities(Client *client, char **arguments)
{
        static const Call call = {.attempt = "show what this machine offers"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(json_object_putp) json_object *capabilities = NULL;
        ExitStatus status = client_connect(client);
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE,
                               "GetCapabilities", &message);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = reply_read_value(reply, &capabilities);
        if (r >= 0 && !json_object_is_type(capabilities, json_type_object))
                r = -EBADMSG;
        if (r >= 0 && OPTION_GIVEN(&client->options, OPTION_JSON))
                output_json(capabilities);
        else if (r >= 0)
                r = print_capabilities(capabilities);
        return r < 0 ? failure_of_reply(client, &call, r) : STATUS_DONE;
}

static ExitStatus print_answer(Client *client, const char *action, const char *answer)
{
        _cleanup_(json_object_putp) json_object *object = NULL;

        if (!OPTION_GIVEN(&client->options, OPTION_JSON)) {
                output_text(stdout, answer);
                putchar('\n');
        } else {
                object = json_object_new_object();
                if (!object || json_add_text(object, "action", action) < 0 ||
                    json_add_text(object, "answer", answer) < 0)
                        return failure_say(client, STATUS_FAILED, "Memory is short; try again.");
                output_json(object);
        }
        if (strcmp(answer, "yes") == 0)
                return STATUS_DONE;
        if (strcmp(answer, "challenge") == 0 &&
            !OPTION_GIVEN(&client->options, OPTION_NO_ASK_PASSWORD))
                return STATUS_DONE;
        return STATUS_REFUSED;
}

ExitStatus verb_can(Client *client, char **arguments)
{
        static const Call call = {.attempt = "ask what is authorized"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        const char *action = arguments[0], *answer;
        int r;

        if (status != STATUS_DONE)
                return status;
        if (strncmp(action, ACTION_PREFIX, strlen(ACTION_PREFIX)) == 0)
                action += strlen(ACTION_PREFIX);
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "Can",
                               &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "s", action);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "s", &answer);
        return r < 0 ? failure_of_reply(client, &call, r) : print_answer(client, action, answer);
}
