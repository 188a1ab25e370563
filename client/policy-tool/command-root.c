/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* root: who may sign. new makes one to be signed, show tells what one says, verify whether a chain
 * of them would be believed. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "output.h"
#include "policy/digest.h"
#include "policy/fields.h"
#include "root-new.h"

/* ---- show ---- */

static void roles_format(unsigned roles, char ret_text[32])
{
        size_t n = 0;

        ret_text[0] = '\0';
        for (unsigned role = 0; role < N_ROLES; role++)
                if (roles & 1u << role)
                        n += (size_t) snprintf(ret_text + n, 32 - n, "%s%s", n > 0 ? "," : "",
                                               role_to_string((Role) role));
}

static void print_root(const Root *root)
{
        char issued[FIELD_TIME_SIZE], expires[FIELD_TIME_SIZE], id[KEY_ID_HEX_SIZE], roles[32];

        field_time_format(root->issued, issued);
        field_time_format(root->expires, expires);
        printf("root.%" PRIu64 ", issued %s, expires %s\n", root->seq, issued, expires);
        for (unsigned role = 0; role < N_ROLES; role++)
                printf("%s: %" PRIu64 " must sign\n", role_to_string((Role) role),
                       root->thresholds[role]);
        for (size_t i = 0; i < root->n_keys; i++) {
                key_id_format(root->keys[i].key.id, id);
                roles_format(root->keys[i].roles, roles);
                printf("key %s: %s\n", id, roles);
        }
        for (size_t i = 0; i < root->n_revoked; i++) {
                key_id_format(root->revoked[i].id, id);
                printf("key %s: revoked\n", id);
        }
}

static json_object *keys_of(const Root *root)
{
        json_object *keys = json_object_new_array();

        for (size_t i = 0; i < root->n_keys + root->n_revoked; i++) {
                const int is_revoked = i >= root->n_keys;
                json_object *key = json_object_new_object();
                char id[KEY_ID_HEX_SIZE], roles[32] = "";

                key_id_format(
                        is_revoked ? root->revoked[i - root->n_keys].id : root->keys[i].key.id, id);
                if (!is_revoked)
                        roles_format(root->keys[i].roles, roles);
                json_object_object_add(key, "id", json_object_new_string(id));
                json_object_object_add(key, "roles", json_object_new_string(roles));
                json_object_object_add(key, "revoked", json_object_new_boolean(is_revoked));
                json_object_array_add(keys, key);
        }
        return keys;
}

static void add_time(json_object *object, const char *key, uint64_t seconds)
{
        char text[FIELD_TIME_SIZE];

        field_time_format(seconds, text);
        json_object_object_add(object, key, json_object_new_string(text));
}

static void print_root_json(const Root *root)
{
        json_object *object = json_object_new_object(), *thresholds = json_object_new_object();

        json_object_object_add(object, "seq", json_object_new_int64((int64_t) root->seq));
        add_time(object, "issued", root->issued);
        add_time(object, "expires", root->expires);
        for (unsigned role = 0; role < N_ROLES; role++)
                json_object_object_add(thresholds, role_to_string((Role) role),
                                       json_object_new_int64((int64_t) root->thresholds[role]));
        json_object_object_add(object, "thresholds", thresholds);
        json_object_object_add(object, "keys", keys_of(root));
        output_json(object);
        json_object_put(object);
}

static ToolStatus show(const ToolOptions *options, char **files, size_t n)
{
        Root root;
        ToolStatus status;

        if (n != 1)
                return tool_usage("'root show' takes one file.");
        status = root_read(files[0], &root);
        if (status != TOOL_FINE)
                return status;
        if (TOOL_GIVEN(options, TOOL_JSON))
                print_root_json(&root);
        else
                print_root(&root);
        return TOOL_FINE;
}

/* ---- verify ---- */

/* A root's file and all signatures beside it. */
typedef struct Sealed {
        SourceDocument root, signatures[SIGNATURES_MAX];
        SignatureText items[SIGNATURES_MAX];
        size_t n;
} Sealed;

static void sealed_deinit(Sealed *sealed)
{
        source_document_deinit(&sealed->root);
        for (size_t i = 0; i < SIGNATURES_MAX; i++)
                source_document_deinit(&sealed->signatures[i]);
}

static ToolStatus read_signature(Sealed *sealed, const char *file)
{
        SourceDocument *signature = &sealed->signatures[sealed->n];
        int r = sealed->n < SIGNATURES_MAX ? source_document_read(file, signature) : -E2BIG;

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        sealed->items[sealed->n++] = (SignatureText){signature->text, signature->n_text};
        return TOOL_FINE;
}

static ToolStatus read_matching(Sealed *sealed, const char *pattern)
{
        glob_t found = {};
        ToolStatus status = TOOL_FINE;

        if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc && status == TOOL_FINE; i++)
                        status = read_signature(sealed, found.gl_pathv[i]);
        globfree(&found);
        return status;
}

/* FILE.minisig and FILE.ANYTHING.minisig, as the service looks for them. */
static ToolStatus read_sealed(const char *file, Sealed *sealed)
{
        static const char *const suffixes[] = {SIGNATURE_SUFFIX, ".*" SIGNATURE_SUFFIX};
        ToolStatus status = TOOL_FINE;
        int r = source_document_read(file, &sealed->root);

        if (r < 0)
                return tool_trouble("cannot read %s: %s.", file, strerror(-r));
        for (size_t i = 0; i < ELEMENTS_OF(suffixes) && status == TOOL_FINE; i++) {
                _cleanup_(freep) char *pattern = NULL;

                if (asprintf(&pattern, "%s%s", file, suffixes[i]) < 0)
                        return tool_trouble("memory is short.");
                status = read_matching(sealed, pattern);
        }
        return status;
}

/* root: the one before, or of seq 0; becomes this one. Returns TOOL_FOUND if it is not believed. */
static ToolStatus verify_one(const char *file, Root *root, json_object *json)
{
        _cleanup_(sealed_deinit) Sealed sealed = {};
        SignatureTexts signatures = {sealed.items, 0};
        ToolStatus status = read_sealed(file, &sealed);
        int r;

        if (status != TOOL_FINE)
                return status;
        signatures.n = sealed.n;
        r = root_accept(root->seq ? root : NULL, sealed.root.text, sealed.root.n_text, &signatures,
                        root);
        if (json) {
                json_object *object = json_object_new_object();

                json_object_object_add(object, "file", json_object_new_string(file));
                json_object_object_add(object, "verified", json_object_new_boolean(r == 0));
                json_object_object_add(object, "reason",
                                       json_object_new_string(root_told((RootError) r)));
                json_object_array_add(json, object);
        } else {
                output_text(stdout, file);
                printf(": %s\n", root_told((RootError) r));
        }
        return r == 0 ? TOOL_FINE : TOOL_FOUND;
}

static ToolStatus verify(const ToolOptions *options, char **files, size_t n)
{
        json_object *json = TOOL_GIVEN(options, TOOL_JSON) ? json_object_new_array() : NULL;
        ToolStatus status = TOOL_FINE;
        Root root = {};

        if (digest_init() < 0)
                return tool_trouble("libsodium refuses to work.");
        for (size_t i = 0; i < n && status == TOOL_FINE; i++)
                status = verify_one(files[i], &root, json);
        if (json) {
                printf("{\"files\":%s}\n",
                       json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
                json_object_put(json);
        }
        return status;
}

ToolStatus command_root(const ToolOptions *options, char **files, size_t n)
{
        static const ToolOptionId of_new[] = {TOOL_OUTPUT, TOOL_EXPIRES, TOOL_THRESHOLDS,
                                              TOOL_AFTER};
        const int is_new = strcmp(files[0], "new") == 0;

        for (size_t i = 0; !is_new && i < ELEMENTS_OF(of_new); i++)
                if (TOOL_GIVEN(options, of_new[i]))
                        return tool_usage("--%s is for 'root new'.", tool_options[of_new[i]].name);
        if (is_new)
                return root_new(options, files + 1, n - 1);
        if (strcmp(files[0], "show") == 0)
                return show(options, files + 1, n - 1);
        if (strcmp(files[0], "verify") == 0)
                return verify(options, files + 1, n - 1);
        return tool_usage("There is no 'root %s': it is new, show or verify.", files[0]);
}
