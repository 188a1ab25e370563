/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trouble: sentences for the administrator about what is not as it should be. Room is set aside
 * beforehand, so that trouble can be told when memory is short. */
#pragma once

#include <stddef.h>

#define TROUBLE_MAX 32u
#define TROUBLE_ROOM 512u

/* Who ends it: each kind is cleared by the step that puts it right. */
typedef enum TroubleKind {
        TROUBLE_START,  /* what was found at start: until the documents are changed by someone */
        TROUBLE_STORE,  /* what is on disk: until the next record is written */
        TROUBLE_KERNEL, /* what is in force: until the kernel has what it should */
        TROUBLE_POLICY, /* what the documents ask for: until another set is in force */
        TROUBLE_RECORD, /* what the record says: until it says what is in force */
        TROUBLE_TRIAL,  /* what should have gone: until it has */
        TROUBLE_TRUST,  /* who signed what: until it is told anew */
        TROUBLE_FOLDER, /* what the files say: until they are what is in force */
        TROUBLE_PATHS,  /* where paths lead: until what is in force goes by it */
} TroubleKind;

typedef struct Trouble {
        char texts[TROUBLE_MAX][TROUBLE_ROOM];
        TroubleKind kinds[TROUBLE_MAX];
        const char *sentences[TROUBLE_MAX + 1];
        size_t n_sentences;
} Trouble;

/* Logs the sentence, and adds it while there is room. A sentence that is there already is neither
 * logged nor added. */
void trouble_add(Trouble *trouble, TroubleKind kind, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

void trouble_clear(Trouble *trouble, TroubleKind kind);

/* NULL-terminated. */
const char *const *trouble_sentences(const Trouble *trouble);
