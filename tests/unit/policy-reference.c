/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy reference: see policy-reference.h. */
#include "policy-reference.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "policy/parse.h"

/* ---- a machine that a test describes ---- */

static Place place_copy(const Place *place)
{
        return (Place){place->device, place->path ? g_strdup(place->path) : NULL};
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
                if (ret_location->name.path)
                        return 0;
                break;
        }
        ret_location->name.device = 1;
        for (const FakeMount *mount = machine->mounts; mount && mount->prefix; mount++) {
                size_t n = strlen(mount->prefix);

                if (strncmp(path, mount->prefix, n) != 0 || (path[n] != '/' && path[n] != '\0'))
                        continue;
                ret_location->name.device = mount->device;
                path = path[n] ? path + n : "/";
                break;
        }
        ret_location->name.path = g_strdup(path);
        return 0;
}

static int fake_find_cgroup(void *userdata, const char *path, uint64_t *ret_id)
{
        const FakeMachine *machine = userdata;

        if (machine->cgroup_error < 0)
                return machine->cgroup_error;
        for (const FakeCgroup *cgroup = machine->cgroups; cgroup && cgroup->path; cgroup++) {
                if (strcmp(cgroup->path, path) != 0)
                        continue;
                *ret_id = cgroup->id;
                return 0;
        }
        return -ENOENT;
}

Resolver fake_resolver(const FakeMachine *machine)
{
        return (Resolver){fake_locate, fake_find_cgroup, (void *) machine};
}

/* The caller owns what diagnostics hold. */
static PolicyImage *compile_document(const Document *document, const FakeMachine *machine,
                                     Diagnostics *diagnostics)
{
        Resolver resolver = fake_resolver(machine);
        PolicyImage *image = NULL;
        int r;

        *diagnostics = (Diagnostics){};
        r = policy_image_compile(&image, document, 1, &resolver, diagnostics);
        g_assert_cmpint(r, ==, 0);
        image_check(image);
        return image;
}

PolicyImage *compile_text(const char *text, const FakeMachine *machine, Diagnostics *diagnostics)
{
        Document document = {.name = "doc", .text = text, .n_text = strlen(text)};
        PolicyImage *image;
        int r;

        *diagnostics = (Diagnostics){};
        r = policy_parse(&document.policy, text, document.n_text, diagnostics);
        g_assert_cmpint(r, ==, 0);
        diagnostics_deinit(diagnostics);
        image = compile_document(&document, machine, diagnostics);
        policy_unref(document.policy);
        return image;
}

PolicyImage *compile_files(const FakeFileRule *files, size_t n, const FakeMachine *machine)
{
        g_autofree Rule *rules = g_new0(Rule, n + 1);
        Policy policy = {.n_refs = 1, .version = 1, .rules = rules, .n_rules = n};
        Document document = {.name = "doc", .text = "", .policy = &policy};
        Diagnostics diagnostics;
        PolicyImage *image;

        for (size_t i = 0; i < n; i++)
                rules[i] = (Rule){
                        .kind = RULE_DENY_PATH,
                        .section = "by hand",
                        .entry = files[i].path,
                        .file = {.path = files[i].path, .below = files[i].below},
                };
        image = compile_document(&document, machine, &diagnostics);
        g_assert_cmpuint(diagnostics.n_items, ==, 0);
        return image;
}

/* ---- names ---- */

static int compare_trie(const void *key, const void *entry)
{
        return memcmp(key, &((const TrieEntry *) entry)->key, sizeof(struct trie_key));
}

static const struct trie_value *find_chunk(const PolicyImage *image, uint32_t node,
                                           const char *name, unsigned length, unsigned chunk)
{
        struct trie_key key = {
                .node = node, .length = (uint16_t) length, .chunk = (uint16_t) chunk};
        unsigned n = MIN(length - chunk * NAME_CHUNK, NAME_CHUNK);
        const TrieEntry *entry;

        memcpy(key.name, name + chunk * NAME_CHUNK, n);
        entry = image->n_trie
                        ? bsearch(&key, image->trie, image->n_trie, sizeof(*entry), compare_trie)
                        : NULL;
        return entry ? &entry->value : NULL;
}

/* One step: the value of a child's name, or NULL. */
static const struct trie_value *find_child(const PolicyImage *image, const struct trie_value *value,
                                           const char *name, unsigned length)
{
        const struct trie_value *found = NULL;
        uint32_t node = value->node;
        unsigned n_chunks = (length + NAME_CHUNK - 1) / NAME_CHUNK;

        if (node == NODE_OFF)
                return NULL;
        for (unsigned chunk = 0; chunk < n_chunks; chunk++) {
                found = find_chunk(image, node, name, length, chunk);
                if (!found)
                        return NULL;
                node = found->node;
        }
        /* The mask spares look-ups; it must not hide a name. */
        g_assert_true(value->lengths & (1u << (length & 15)));
        return found;
}

static const struct trie_value *find_root(const PolicyImage *image, uint32_t device)
{
        for (size_t i = 0; i < image->n_roots; i++)
                if (image->roots[i].device == device)
                        return &image->roots[i].value;
        return NULL;
}

Verdict image_find_path(const PolicyImage *image, uint32_t device, const char *path, int *ret_holds)
{
        const struct trie_value *value = find_root(image, device), *next;
        const struct ruleset *ruleset;
        const char *name = path + strspn(path, "/");

        *ret_holds = 0;
        if (!value)
                return (Verdict){0, 0};
        while (*name) {
                unsigned length = (unsigned) strcspn(name, "/");

                next = find_child(image, value, name, length);
                ruleset = &image->rulesets[value->ruleset];
                if (!next)
                        return (Verdict){ruleset->below_access, ruleset->below_rule};
                value = next;
                name += length;
                name += strspn(name, "/");
        }
        ruleset = &image->rulesets[value->ruleset];
        *ret_holds = value->node != NODE_OFF;
        return (Verdict){ruleset->own_access, ruleset->own_rule};
}

/* ---- files by number ---- */

const PinEntry *image_find_pin(const PolicyImage *image, uint32_t device, uint64_t inode)
{
        for (size_t i = 0; i < image->n_pins; i++)
                if (image->pins[i].key.device == device && image->pins[i].key.inode == inode)
                        return &image->pins[i];
        return NULL;
}

/* ---- addresses ---- */

static int compare_net(const void *key, const void *entry)
{
        return memcmp(key, &((const NetEntry *) entry)->key, sizeof(struct net_key));
}

static uint32_t find_key(const PolicyImage *image, const struct net_key *key,
                         enum net_operation operation)
{
        const NetEntry *entry =
                bsearch(key, image->nets, image->n_nets, sizeof(*entry), compare_net);

        return entry ? entry->value.rule[operation] : 0;
}

uint32_t image_find_net(const PolicyImage *image, const uint8_t address[16], uint16_t port,
                        uint8_t protocol, enum net_operation operation)
{
        uint64_t words[2];

        memcpy(words, address, sizeof(words));
        for (uint32_t i = 0; i < image->n_prefixes; i++) {
                const struct prefix *prefix = &image->prefixes[i];
                const struct {
                        uint32_t shape;
                        uint16_t port;
                        uint8_t protocol;
                } shapes[] = {
                        {SHAPE_PORT_PROTOCOL, port, protocol},
                        {SHAPE_PORT, port, 0},
                        {SHAPE_PROTOCOL, 0, protocol},
                        {SHAPE_ANY, 0, 0},
                };

                for (size_t j = 0; j < G_N_ELEMENTS(shapes); j++) {
                        struct net_key key = {
                                .address = {words[0] & prefix->mask[0], words[1] & prefix->mask[1]},
                                .port = shapes[j].port,
                                .prefix = (uint8_t) prefix->length,
                                .protocol = shapes[j].protocol,
                        };
                        uint32_t rule;

                        if (!(prefix->shapes & shapes[j].shape))
                                continue;
                        rule = find_key(image, &key, operation);
                        if (rule > 0)
                                return rule;
                }
        }
        return 0;
}

/* ---- any image ---- */

static void check_value(const PolicyImage *image, const struct trie_value *value)
{
        g_assert_cmpuint(value->ruleset, <, image->n_rulesets);
        g_assert_cmpuint(value->lengths, <=, 0xffff);
        g_assert_true((value->node == NODE_OFF) == (value->lengths == 0));
        g_assert_cmpuint(value->node, !=, 0);
}

static void check_trie(const PolicyImage *image)
{
        for (size_t i = 0; i < image->n_trie; i++) {
                const struct trie_key *key = &image->trie[i].key;

                if (i > 0)
                        g_assert_cmpint(memcmp(&image->trie[i - 1].key, key, sizeof(*key)), <, 0);
                if ((key->chunk + 1u) * NAME_CHUNK >= key->length)
                        check_value(image, &image->trie[i].value);
                else
                        g_assert_cmpuint(image->trie[i].value.node, !=, NODE_OFF);
        }
        for (size_t i = 0; i < image->n_roots; i++) {
                check_value(image, &image->roots[i].value);
                if (i > 0)
                        g_assert_cmpuint(image->roots[i - 1].device, <, image->roots[i].device);
        }
}

static void check_rulesets(const PolicyImage *image)
{
        static const struct ruleset none;

        g_assert_cmpuint(image->n_rulesets, >, 0);
        g_assert_cmpmem(&image->rulesets[0], sizeof(none), &none, sizeof(none));
        for (size_t i = 0; i < image->n_rulesets; i++) {
                const struct ruleset *ruleset = &image->rulesets[i];

                g_assert_cmpuint(ruleset->own_rule, <, image->n_rules);
                g_assert_cmpuint(ruleset->below_rule, <, image->n_rules);
                g_assert_true((ruleset->own_rule == 0) == (ruleset->own_access == 0));
                g_assert_true((ruleset->below_rule == 0) == (ruleset->below_access == 0));
                for (size_t j = 0; j < i && image->n_rulesets < 100; j++)
                        g_assert_cmpint(memcmp(ruleset, &image->rulesets[j], sizeof(*ruleset)), !=,
                                        0);
        }
}

static void check_nets(const PolicyImage *image)
{
        for (size_t i = 1; i < image->n_nets; i++)
                g_assert_cmpint(memcmp(&image->nets[i - 1].key, &image->nets[i].key,
                                       sizeof(struct net_key)),
                                <, 0);
        for (uint32_t i = 1; i < image->n_prefixes; i++)
                g_assert_cmpuint(image->prefixes[i - 1].length, >, image->prefixes[i].length);
        g_assert_true((image->n_nets > 0) == (image->n_prefixes > 0));
}

void image_check(const PolicyImage *image)
{
        check_trie(image);
        check_rulesets(image);
        check_nets(image);
        for (size_t i = 1; i < image->n_pins; i++)
                g_assert_cmpint(memcmp(&image->pins[i - 1].key, &image->pins[i].key,
                                       sizeof(struct pin_key)),
                                <, 0);
        for (size_t i = 1; i < image->n_cgroups; i++)
                g_assert_cmpuint(image->cgroups[i - 1], <, image->cgroups[i]);
        g_assert_true(!(image->flags & IMAGE_FILES) == (image->n_roots == 0));
        g_assert_true(!(image->flags & IMAGE_NET) == (image->n_nets == 0));
        g_assert_true(!(image->flags & IMAGE_CGROUPS) == (image->n_cgroups == 0));
        g_assert_true(!(image->flags & (IMAGE_PIN_LINKS | IMAGE_PIN_ALL)) == (image->n_pins == 0));
        g_assert_cmpuint(image->n_rules, >, 0);
}
