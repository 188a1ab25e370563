/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy: one object for each named document in force. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/error.h"
#include "bus/named.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PREFIX ROOT_PATH "/policy"
#define USEC_PER_SEC 1000000u

static int find_by_path(BusServer *server, const char *path, const Loaded **ret_loaded)
{
        _cleanup_(freep) char *name = NULL;
        int r = sd_bus_path_decode(path, PREFIX, &name);

        if (r <= 0)
                return r;
        *ret_loaded = enforcement_find(server->config.enforcement, name);
        return *ret_loaded ? 1 : 0;
}

/* ---- GetDocument ---- */

static int request_policy(Request *request, const Loaded **ret_loaded, sd_bus_error *error)
{
        int r = find_by_path(request->server, sd_bus_message_get_path(request->message),
                             ret_loaded);

        if (r == 0)
                return error_set_transaction(error, TRANSACTION_E_NO_SUCH_POLICY, NULL);
        return r;
}

static int describe_get_document(Request *request, sd_bus_error *error)
{
        const Loaded *loaded;
        int r = request_policy(request, &loaded, error);

        return r < 0 ? r : request_detail(request, "name", "%s", loaded->document.name);
}

static int run_get_document(Request *request, sd_bus_error *error)
{
        _cleanup_(freep) char *text = NULL;
        const Loaded *loaded;
        int r = request_policy(request, &loaded, error);

        if (r < 0)
                return r;
        text = strndup(loaded->document.text, loaded->document.n_text);
        if (!text)
                return -ENOMEM;
        return sd_bus_reply_method_return(request->message, "s", text);
}

/* ---- properties ---- */

/* What is looked at. */
typedef struct Shown {
        const Loaded *loaded;
        SignedStatus status;
} Shown;

static int append_name(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "s", shown->loaded->document.name);
}

static int append_language_version(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "u", policy_version(shown->loaded->document.policy));
}

static int append_document_digest(const Shown *shown, sd_bus_message *reply)
{
        return append_digest(reply, shown->loaded->digest);
}

static int append_generation(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", shown->loaded->generation);
}

static int append_changed(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", shown->loaded->changed_usec);
}

static int append_rules(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "u",
                                     (uint32_t) policy_n_rules(shown->loaded->document.policy));
}

static int append_signed(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "b", shown->status.is_signed);
}

static int append_signers(const Shown *shown, sd_bus_message *reply)
{
        const Signers *signers = &shown->status.signers;
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (size_t i = 0; i < signers->n_ids && r >= 0; i++) {
                char id[KEY_ID_HEX_SIZE];

                key_id_format(signers->ids[i], id);
                r = sd_bus_message_append(reply, "s", id);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_seq(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", shown->status.seq);
}

static int append_root_seq(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", shown->status.root_seq);
}

static int append_issued(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", shown->status.issued * USEC_PER_SEC);
}

static int append_expires(const Shown *shown, sd_bus_message *reply)
{
        return sd_bus_message_append(reply, "t", shown->status.expires * USEC_PER_SEC);
}

static const struct {
        const char *name;
        int (*append)(const Shown *shown, sd_bus_message *reply);
} properties[] = {
        {"Name", append_name},
        {"LanguageVersion", append_language_version},
        {"Digest", append_document_digest},
        {"Generation", append_generation},
        {"ChangedUSec", append_changed},
        {"Rules", append_rules},
        {"Signed", append_signed},
        {"Signers", append_signers},
        {"Seq", append_seq},
        {"RootSeq", append_root_seq},
        {"IssuedUSec", append_issued},
        {"ExpiresUSec", append_expires},
};

static int get(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        BusServer *server = userdata;
        Shown shown = {};
        int r = find_by_path(server, path, &shown.loaded);

        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        enforcement_signed(server->config.enforcement, shown.loaded, &shown.status);
        for (size_t i = 0; i < ELEMENTS_OF(properties); i++)
                if (strcmp(properties[i].name, property) == 0)
                        return properties[i].append(&shown, reply);
        return -ENOENT;
}

/* ---- objects ---- */

#define METHODS(ROW)                                                                               \
        ROW(GetDocument, READ_POLICY, (NULL), ("s", document), describe_get_document,              \
            run_get_document)

METHODS(GATE_ENTRY)

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHODS(GATE_ROW)
        SD_BUS_PROPERTY("Name", "s", get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LanguageVersion", "u", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Digest", "s", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Generation", "t", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ChangedUSec", "t", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Rules", "u", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Signed", "b", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Signers", "as", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Seq", "t", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RootSeq", "t", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("IssuedUSec", "t", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ExpiresUSec", "t", get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

static int find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                void **ret_found, sd_bus_error *error)
{
        const Loaded *loaded;
        int r = find_by_path(userdata, path, &loaded);

        if (r > 0)
                *ret_found = userdata;
        return r;
}

static const char *name_at(const BusServer *server, size_t i)
{
        const Enforcement *enforcement = server->config.enforcement;

        return i < enforcement_n_documents(enforcement)
                       ? enforcement_document(enforcement, i)->document.name
                       : NULL;
}

const NamedKind policy_kind = {PREFIX, POLICY_INTERFACE, name_at};

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error)
{
        return named_enumerate(userdata, &policy_kind, ret_nodes);
}

static int path_at(const BusServer *server, size_t i, char **ret_path)
{
        return named_path(server, &policy_kind, i, ret_path);
}

const ManagedKind managed_policies = {POLICY_INTERFACE, vtable, path_at};

int policy_objects_add(BusServer *server)
{
        int r = sd_bus_add_fallback_vtable(server->bus, NULL, PREFIX, POLICY_INTERFACE, vtable,
                                           find, server);

        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(server->bus, NULL, PREFIX, enumerate, server);
}
