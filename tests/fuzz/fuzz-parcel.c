/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parcel of a document whose bytes were changed on the way: behind a NUL byte the input says
 * which, three bytes a change. What is opened all the same compiles. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "image-reader.h"
#include "policy/image.h"
#include "policy/parcel.h"
#include "policy/sound.h"
#include "rule-equal.h"

static int locate(void *userdata, const char *path, Location *ret_location)
{
        (void) userdata;
        *ret_location = (Location){.name = {.device = 1, .path = strdup(path)}};
        return 0;
}

static int has_cgroup(void *userdata, const char *path)
{
        (void) userdata;
        (void) path;
        return 1;
}

static void compile(const char *text, size_t n, Policy *policy)
{
        static const Resolver resolver = {.locate = locate, .has_cgroup = has_cgroup};
        Document document = {.name = "doc", .text = text, .n_text = n, .policy = policy};
        Diagnostics diagnostics = {};
        PolicyImage *image = NULL;

        if (policy_image_compile(&image, &document, 1, &resolver, &diagnostics) == 0)
                image_check(image);
        policy_image_free(image);
        diagnostics_deinit(&diagnostics);
}

static void check_same(const Policy *a, const Policy *b)
{
        HOLDS(policy_n_rules(a) == policy_n_rules(b));
        for (size_t i = 0; i < policy_n_rules(a); i++)
                HOLDS(rule_equal(policy_rule(a, i), policy_rule(b, i)));
}

/* changes: the first byte says nothing. */
static void change(uint8_t *room, size_t n_room, const uint8_t *changes, size_t n)
{
        for (; n > 3; changes += 3, n -= 3)
                room[(changes[1] | (size_t) changes[2] << 8) % n_room] = changes[3];
}

static void open_parcel(const void *room, size_t n_room, const char *text, size_t n,
                        const Policy *whole)
{
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r = parcel_open(room, n_room, &policy, &diagnostics);

        HOLDS(r == 0 || r == POLICY_E_SYNTAX || r == -EBADMSG);
        HOLDS((r == 0) == (policy != NULL));
        if (policy && whole)
                check_same(policy, whole);
        if (policy)
                compile(text, n, policy);
        HOLDS(!whole || policy);
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        size_t n = strnlen(text, size), n_room = parcel_size_max(text, n), n_changes = size - n;
        uint8_t *room = calloc(1, n_room);
        Diagnostics diagnostics = {};
        Policy *policy = NULL;
        int r = policy_parse(&policy, text, n, &diagnostics);

        if (r >= 0 && r != POLICY_E_TOO_LARGE) {
                HOLDS(parcel_fill(room, n_room, r, policy, &diagnostics) == 0);
                change(room, n_room, data + n, n_changes);
                open_parcel(room, n_room, text, n, n_changes <= 3 ? policy : NULL);
        }
        policy_unref(policy);
        diagnostics_deinit(&diagnostics);
        free(room);
        return 0;
}
