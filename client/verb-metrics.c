/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics: what the service counts, for programs that collect it. */
#include <errno.h>

#include "client.h"
#include "failure.h"
#include "output.h"

static ExitStatus print_json(const Client *client, const Call *call, const char *text)
{
        _cleanup_(json_object_putp) json_object *object = json_object_new_object();

        if (!object || json_add_text(object, "metrics", text) < 0)
                return failure_of_reply(client, call, -ENOMEM);
        output_json(object);
        return STATUS_DONE;
}

ExitStatus verb_metrics(Client *client, char **arguments)
{
        static const Call call = {.attempt = "read the metrics"};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        ExitStatus status = client_connect(client);
        const char *text;
        int r;

        if (status != STATUS_DONE)
                return status;
        r = connection_message(client->connection, SERVICE_PATH, MANAGER_INTERFACE, "GetMetrics",
                               &message);
        if (r < 0)
                return failure_of_message(client, &call, r);
        status = client_call(client, &call, message, &reply);
        if (status != STATUS_DONE)
                return status;
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return failure_of_reply(client, &call, r);
        if (OPTION_GIVEN(&client->options, OPTION_JSON))
                return print_json(client, &call, text);
        output_document(text);
        return STATUS_DONE;
}
