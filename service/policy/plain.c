/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain: see plain.h. */
#include "policy/plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

static const struct {
        const char *link, *leads_to;
} links[] = {
        {"/bin", "/usr/bin"},     {"/sbin", "/usr/sbin"}, {"/lib", "/usr/lib"},
        {"/lib64", "/usr/lib64"}, {"/var/run", "/run"},   {"/var/lock", "/run/lock"},
};

/* A link is itself when it is the last component. */
static int plain_locate(void *userdata, const char *path, Location *ret_location)
{
        char *place = NULL;

        for (size_t i = 0; !place && i < ELEMENTS_OF(links); i++) {
                size_t n = strlen(links[i].link);

                if (strncmp(path, links[i].link, n) == 0 && path[n] == '/' &&
                    asprintf(&place, "%s%s", links[i].leads_to, path + n) < 0)
                        return -ENOMEM;
        }
        if (!place)
                place = strdup(path);
        if (!place)
                return -ENOMEM;
        *ret_location = (Location){.name = {PLAIN_DEVICE, place}};
        return 0;
}

static int plain_has_cgroup(void *userdata, const char *path)
{
        return 1;
}

Resolver plain_resolver(void)
{
        return (Resolver){.locate = plain_locate, .has_cgroup = plain_has_cgroup};
}
