/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Alike: see alike.h. Rules are sorted first, so that their order makes no difference where it
 * decides nothing; and their numbers, which only name them, are taken out of the images. */
#include "alike.h"

#include <errno.h>

#include "policy/image.h"
#include "policy/meaning.h"
#include "policy/plain.h"

static int compile_sorted(PolicyImage **ret_image, Document *document, Diagnostics *diagnostics)
{
        const Resolver resolver = plain_resolver();
        int r = policy_parse(&document->policy, document->text, document->n_text, diagnostics);

        if (r != 0)
                return r < 0 ? r : ALIKE_E_FAULTS;
        r = policy_sort_rules(document->policy);
        if (r < 0)
                return r;
        r = policy_image_compile(ret_image, document, 1, &resolver, diagnostics);
        return r < 0 && r != -ENOMEM && diagnostics->n_faults > 0 ? ALIKE_E_FAULTS : r;
}

static int compile(PolicyImage **ret_image, const Sheet *sheet)
{
        Document document = {.name = "document", .text = sheet->text, .n_text = sheet->n_text};
        Diagnostics diagnostics = {0};
        int r = compile_sorted(ret_image, &document, &diagnostics);

        policy_unref(document.policy);
        diagnostics_deinit(&diagnostics);
        if (r != 0)
                return r;
        for (size_t i = 0; i < (*ret_image)->n_clauses; i++)
                (*ret_image)->clauses[i].rule = 0;
        return 0;
}

int documents_decide_alike(const Sheet *a, const Sheet *b, int *ret_alike)
{
        _cleanup_(policy_image_freep) PolicyImage *image = NULL, *other = NULL;
        size_t n_rules;
        int r = compile(&image, a);

        if (r == 0)
                r = compile(&other, b);
        if (r != 0)
                return r;
        n_rules = other->n_rules;
        other->n_rules = image->n_rules;
        *ret_alike = policy_image_decides_as(image, other);
        other->n_rules = n_rules;
        return 0;
}
