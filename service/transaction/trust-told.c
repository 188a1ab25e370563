/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust, as it is told: who signed what is in force, and what should be otherwise. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fields.h"
#include "transaction/internal.h"
#include "transaction/trust-private.h"

void enforcement_signed(const Enforcement *enforcement, const Loaded *loaded,
                        SignedStatus *ret_status)
{
        *ret_status = (SignedStatus){};
        trust_status(enforcement->trust, loaded, ret_status);
}

void enforcement_trust(const Enforcement *enforcement, TrustStatus *ret_status)
{
        const Trust *trust = enforcement->trust;
        const Root *root = roots_current(trust->roots);

        *ret_status = (TrustStatus){.requires_signature = trust_requires(trust) != 0,
                                    .root_seq = root ? root->seq : 0,
                                    .root_expires = root ? root->expires : 0,
                                    .now = trust_now(trust)};
}

uint64_t enforcement_floor(const Enforcement *enforcement, const char *name)
{
        return floors_get(enforcement->trust->floors, name).number;
}

/* ---- trouble ---- */

__attribute__((format(printf, 2, 3))) static void say(FILE *out, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vfprintf(out, format, arguments);
        va_end(arguments);
        fputc('\n', out);
}

static void say_root(const Trust *trust, FILE *out)
{
        const Root *root = roots_current(trust->roots);
        char expired[FIELD_TIME_SIZE];

        if (roots_trouble(trust->roots)[0])
                say(out, "%s", roots_trouble(trust->roots));
        else if (!root && trust->config.requires_signature)
                say(out, "Documents must be signed, and no root says whose signatures count: put "
                         "root.1 and its signatures into TrustDirectory");
        if (!root || root->expires > trust_now(trust))
                return;
        field_time_format(root->expires, expired);
        say(out,
            "root.%" PRIu64 " expired on %s: no signed document is taken until the next one "
            "is put in place",
            root->seq, expired);
}

static void say_document(Trust *trust, const Loaded *loaded, FILE *out)
{
        char expired[FIELD_TIME_SIZE];
        const char *name = loaded->document.name;
        SignedStatus status = {};

        if (trust_status(trust, loaded, &status) < 0)
                return;
        if (!status.is_signed) {
                if (trust->config.requires_signature)
                        say(out,
                            "The policy %s is in force and not signed by keys that count: "
                            "apply it signed, or remove it",
                            name);
                return;
        }
        if (status.expires > trust_now(trust))
                return;
        field_time_format(status.expires, expired);
        say(out, "The policy %s expired on %s: it stays in force until a newer one is applied",
            name, expired);
}

static char *say_all(Trust *trust, const DocumentSet *documents)
{
        char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);

        if (!out)
                return NULL;
        say_root(trust, out);
        for (size_t i = 0; i < document_set_size(documents); i++)
                say_document(trust, document_set_get(documents, i), out);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

/* What was told already is not logged again. */
static void tell(Trust *trust, char *text)
{
        if (trust->told && strcmp(trust->told, text) == 0) {
                free(text);
                return;
        }
        free(trust->told);
        trust->told = text;
        trouble_clear(trust->trouble, TROUBLE_TRUST);
        for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
                trouble_add(trust->trouble, TROUBLE_TRUST, "%.*s", (int) (end - line), line);
}

void trust_review(Trust *trust, const DocumentSet *documents)
{
        char *text;

        roots_refresh(trust->roots);
        text = say_all(trust, documents);
        if (text)
                tell(trust, text);
}
