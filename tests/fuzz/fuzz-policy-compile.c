/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler against any documents on any machine: the first byte chooses the machine, NUL bytes
 * part the documents. What it makes is in order, and every rule is found where it was put. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "policy/image.h"
#include "policy/parse.h"

#define N_DOCUMENTS_MAX 4

/* ---- a machine ---- */

static uint32_t hash(const char *text, uint8_t seed)
{
        uint32_t h = 2166136261u ^ seed; /* FNV-1a */

        for (; *text; text++)
                h = (h ^ (uint8_t) *text) * 16777619u;
        return h;
}

static int locate(void *userdata, const char *path, Location *ret_location)
{
        uint32_t h = hash(path, *(uint8_t *) userdata);

        *ret_location = (Location){
                .name = {.device = h % 3, .path = strdup(path)},
                .exists = h >> 4 & 1,
                .n_links = h >> 5 & 3,
                .is_directory = h >> 7 & 1,
                .inode = h >> 8 & 3,
                .device = h >> 10 & 1,
                .inode_generation = h >> 11 & 1,
                .generation_known = h >> 12 & 1,
        };
        if (h >> 13 & 1)
                ret_location->target = (Place){.device = h >> 14 & 1, .path = strdup("/t/u")};
        return 0;
}

static int find_cgroup(void *userdata, const char *path, uint64_t *ret_id)
{
        uint32_t h = hash(path, *(uint8_t *) userdata);

        if (h & 1)
                return -ENOENT;
        *ret_id = h >> 1 & 7;
        return 0;
}

/* ---- what holds of an image ---- */

static int compare_keys(const void *key, const void *entry)
{
        return memcmp(key, &((const TrieEntry *) entry)->key, sizeof(struct trie_key));
}

static void check_value(const PolicyImage *image, const struct trie_value *value)
{
        HOLDS(value->ruleset < image->n_rulesets);
        HOLDS(value->node > 0 && value->node <= NODE_OFF);
        HOLDS((value->node == NODE_OFF) == (value->lengths == 0));
}

static void check_image(const PolicyImage *image)
{
        for (size_t i = 1; i < image->n_trie; i++)
                HOLDS(memcmp(&image->trie[i - 1].key, &image->trie[i].key,
                             sizeof(struct trie_key)) < 0);
        for (size_t i = 0; i < image->n_roots; i++)
                check_value(image, &image->roots[i].value);
        for (size_t i = 1; i < image->n_pins; i++)
                HOLDS(memcmp(&image->pins[i - 1].key, &image->pins[i].key, sizeof(struct pin_key)) <
                      0);
        for (size_t i = 1; i < image->n_nets; i++)
                HOLDS(memcmp(&image->nets[i - 1].key, &image->nets[i].key, sizeof(struct net_key)) <
                      0);
        for (size_t i = 1; i < image->n_cgroups; i++)
                HOLDS(image->cgroups[i - 1] < image->cgroups[i]);
        for (size_t i = 0; i < image->n_rulesets; i++)
                HOLDS(image->rulesets[i].own_rule < image->n_rules &&
                      image->rulesets[i].below_rule < image->n_rules);
}

static const struct trie_value *step(const PolicyImage *image, const struct trie_value *value,
                                     const char *name, size_t n)
{
        const TrieEntry *entry = NULL;
        uint32_t node = value->node;

        for (size_t at = 0; at < n; at += NAME_CHUNK) {
                struct trie_key key = {.node = node,
                                       .length = (uint16_t) n,
                                       .chunk = (uint16_t) (at / NAME_CHUNK)};

                memcpy(key.name, name + at, n - at < NAME_CHUNK ? n - at : NAME_CHUNK);
                entry = bsearch(&key, image->trie, image->n_trie, sizeof(*entry), compare_keys);
                HOLDS(entry);
                node = entry->value.node;
        }
        HOLDS(value->lengths & 1u << (n & 15));
        check_value(image, &entry->value);
        return &entry->value;
}

/* The place has a rule of its own, no later than this one. */
static void check_place(const PolicyImage *image, const Place *place, uint32_t number,
                        uint32_t below)
{
        const struct trie_value *value = NULL;
        const struct ruleset *ruleset;
        const char *name = place->path;

        for (size_t i = 0; i < image->n_roots; i++)
                if (image->roots[i].device == place->device)
                        value = &image->roots[i].value;
        HOLDS(value);
        while (name[0] == '/' && name[1] != '\0') {
                size_t n = strcspn(name + 1, "/");

                value = step(image, value, name + 1, n);
                name += n + 1;
        }
        ruleset = &image->rulesets[value->ruleset];
        HOLDS(ruleset->own_rule > 0 && ruleset->own_rule <= number);
        HOLDS(!below || (ruleset->below_rule > 0 && ruleset->below_rule <= number));
}

static void check_rule(const PolicyImage *image, const Rule *rule, uint32_t number,
                       uint8_t *machine)
{
        Location location;

        HOLDS(strcmp(image->rules[number].entry, rule->entry) == 0);
        HOLDS(image->rules[number].line == rule->line);
        if (rule->kind != RULE_DENY_PATH)
                return;
        locate(machine, rule->file.path, &location);
        check_place(image, &location.name, number, rule->file.below);
        if (location.target.path)
                check_place(image, &location.target, number, rule->file.below);
        location_deinit(&location);
}

/* ---- documents ---- */

typedef struct Input {
        Document documents[N_DOCUMENTS_MAX];
        Diagnostics diagnostics[N_DOCUMENTS_MAX];
        size_t n;
} Input;

/* The compiler takes rules about a name alone, which no document of version 1 can say. */
static void narrow_rules(Policy *policy, uint8_t machine)
{
        for (size_t i = 0; i < policy->n_rules; i++)
                if (policy->rules[i].kind == RULE_DENY_PATH)
                        policy->rules[i].file.below =
                                hash(policy->rules[i].entry, machine) >> 16 & 1;
}

/* What cannot be parsed is left out. */
static void parse_documents(Input *input, const char *text, size_t n)
{
        static const char *const names[N_DOCUMENTS_MAX] = {"a", "b", "c", "d"};
        const char *end = text + n, *cut;

        for (; text <= end && input->n < N_DOCUMENTS_MAX; text = cut + 1) {
                Document *document = &input->documents[input->n];

                cut = memchr(text, '\0', (size_t) (end - text));
                if (!cut)
                        cut = end;
                *document = (Document){
                        .name = names[input->n], .text = text, .n_text = (size_t) (cut - text)};
                if (policy_parse(&document->policy, text, document->n_text,
                                 &input->diagnostics[input->n]) == 0)
                        input->n++;
                else
                        diagnostics_deinit(&input->diagnostics[input->n]);
        }
}

static void check_rules(const PolicyImage *image, const Input *input, uint8_t *machine)
{
        uint32_t number = 0;

        for (size_t i = 0; i < input->n; i++)
                for (size_t j = 0; j < policy_n_rules(input->documents[i].policy); j++)
                        check_rule(image, policy_rule(input->documents[i].policy, j), ++number,
                                   machine);
        HOLDS(image->n_rules == (size_t) number + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t machine = size > 0 ? data[0] : 0;
        const Resolver resolver = {locate, find_cgroup, &machine};
        PolicyImage *image = NULL;
        Input input = {};

        if (size == 0)
                return 0;
        parse_documents(&input, (const char *) data + 1, size - 1);
        for (size_t i = 0; i < input.n; i++)
                narrow_rules(input.documents[i].policy, machine);
        HOLDS(policy_image_compile(&image, input.documents, input.n, &resolver,
                                   input.diagnostics) == 0);
        check_image(image);
        check_rules(image, &input, &machine);
        policy_image_free(image);
        for (size_t i = 0; i < input.n; i++) {
                policy_unref(input.documents[i].policy);
                diagnostics_deinit(&input.diagnostics[i]);
        }
        return 0;
}
