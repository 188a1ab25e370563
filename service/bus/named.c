/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named: see named.h. */
#include "bus/named.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/log.h"

void names_free(char **names)
{
        for (char **name = names; name && *name; name++)
                free(*name);
        free(names);
}

char **named_list(const BusServer *server, const NamedKind *kind)
{
        char **names;
        size_t n = 0;

        while (kind->name(server, n))
                n++;
        names = calloc(n + 1, sizeof(*names));
        for (size_t i = 0; names && i < n; i++) {
                names[i] = strdup(kind->name(server, i));
                if (!names[i]) {
                        names_free(names);
                        return NULL;
                }
        }
        return names;
}

int named_path(const BusServer *server, const NamedKind *kind, size_t i, char **ret_path)
{
        const char *name = kind->name(server, i);
        int r = name ? sd_bus_path_encode(kind->prefix, name, ret_path) : 0;

        return r < 0 ? r : name != NULL;
}

/* Each a path in place of the name. */
static int encode(const char *prefix, char **names)
{
        for (char **name = names; *name; name++) {
                char *path;
                int r = sd_bus_path_encode(prefix, *name, &path);

                if (r < 0)
                        return r;
                free(*name);
                *name = path;
        }
        return 0;
}

int named_enumerate(const BusServer *server, const NamedKind *kind, char ***ret_nodes)
{
        char **nodes = named_list(server, kind);
        int r = nodes ? encode(kind->prefix, nodes) : -ENOMEM;

        if (r < 0)
                names_free(nodes);
        else
                *ret_nodes = nodes;
        return r;
}

void named_tell(BusServer *server, const NamedKind *kind, const char *name, NamedEmit emit)
{
        _cleanup_(freep) char *path = NULL;
        int r = sd_bus_path_encode(kind->prefix, name, &path);

        if (r >= 0 && server->bus)
                r = emit(server->bus, path, kind->interface, NULL);
        if (r < 0 && r != -ENOTCONN)
                log_errno(r, "Cannot tell that %s came or went", path ? path : name);
}
