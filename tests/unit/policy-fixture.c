/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy fixture: see policy-fixture.h. */
#include "policy-fixture.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "image-reader.h"
#include "policy/parse.h"

/* ---- a machine ---- */

static Place place_copy(const Place *place)
{
        return (Place){place->device, place->path ? strdup(place->path) : NULL};
}

static Place place_by_mount(const FakeMachine *machine, const char *path)
{
        Place place = {.device = 1};

        for (const FakeMount *mount = machine->mounts; mount && mount->prefix; mount++) {
                size_t n = strlen(mount->prefix);

                if (strncmp(path, mount->prefix, n) != 0 || (path[n] != '/' && path[n] != '\0'))
                        continue;
                place.device = mount->device;
                path = path[n] ? path + n : "/";
                break;
        }
        place.path = strdup(path);
        return place;
}

static int fake_locate(void *userdata, const char *path, Location *ret_location)
{
        const FakeMachine *machine = userdata;

        if (machine->locate_error < 0)
                return machine->locate_error;
        *ret_location = (Location){};
        for (const FakeFile *file = machine->files; file && file->path; file++) {
                if (strcmp(file->path, path) != 0)
                        continue;
                *ret_location = file->location;
                ret_location->name = place_copy(&file->location.name);
                ret_location->target = place_copy(&file->location.target);
                break;
        }
        if (!ret_location->name.path)
                ret_location->name = place_by_mount(machine, path);
        return 0;
}

static int fake_has_cgroup(void *userdata, const char *path)
{
        const FakeMachine *machine = userdata;

        if (machine->cgroup_error < 0)
                return machine->cgroup_error;
        for (const char *const *cgroup = machine->cgroups; cgroup && *cgroup; cgroup++)
                if (strcmp(*cgroup, path) == 0)
                        return 1;
        return !machine->cgroups;
}

Resolver fake_resolver(const FakeMachine *machine)
{
        return (Resolver){
                .locate = fake_locate, .has_cgroup = fake_has_cgroup, .userdata = (void *) machine};
}

/* ---- images ---- */

Document document_of_rules(const char *name, Rule *rules, size_t n)
{
        Policy *policy = calloc(1, sizeof(*policy));

        policy->n_refs = 1;
        policy->version = POLICY_VERSION_MAX;
        policy->rules = calloc(n + 1, sizeof(Rule));
        policy->n_rules = n;
        for (size_t i = 0; i < n; i++) {
                rules[i].section = rules[i].section ? rules[i].section : "by hand";
                rules[i].entry = rules[i].entry ? rules[i].entry : "a rule";
                rules[i].line = rules[i].line ? rules[i].line : (uint32_t) i + 1;
                rules[i].options = rules[i].options ? rules[i].options : &rule_options_none;
                policy->rules[i] = rules[i];
        }
        return (Document){.name = name, .text = "", .policy = policy};
}

PolicyImage *compile_rules_to(int expected, Rule *rules, size_t n, const FakeMachine *machine,
                              Diagnostics *diagnostics)
{
        Document document = document_of_rules("doc", rules, n);
        Resolver resolver = fake_resolver(machine);
        PolicyImage *image = NULL;

        *diagnostics = (Diagnostics){};
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, diagnostics), ==,
                        expected);
        policy_unref(document.policy);
        if (image)
                image_check(image);
        return image;
}

PolicyImage *compile_rules(Rule *rules, size_t n, const FakeMachine *machine)
{
        Diagnostics diagnostics;
        PolicyImage *image = compile_rules_to(0, rules, n, machine, &diagnostics);

        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        return image;
}

PolicyImage *compile_text(const char *text, const FakeMachine *machine, Diagnostics *diagnostics)
{
        Document document = {.name = "doc", .text = text, .n_text = strlen(text)};
        Resolver resolver = fake_resolver(machine);
        PolicyImage *image = NULL;

        *diagnostics = (Diagnostics){};
        g_assert_cmpint(policy_parse(&document.policy, text, document.n_text, diagnostics), ==, 0);
        diagnostics_deinit(diagnostics);
        g_assert_cmpint(policy_image_compile(&image, &document, 1, &resolver, diagnostics), ==, 0);
        policy_unref(document.policy);
        image_check(image);
        return image;
}
