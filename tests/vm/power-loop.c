/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* power-loop DIRECTORY: changes what is in force, over the real store in DIRECTORY and the twin of
 * the backend, until the machine dies. First it says what it found, "found N", then after each
 * change "committed N", with the generation. It ends, with a line that says why, if what it found
 * is not whole or not in order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend-twin.h"
#include "transaction/transaction.h"
#include "util/log.h"

#define TEXT_SIZE (256u * 1024)
#define N_NAMES 5u /* one document after the other has its turn */

static int fail(const char *what)
{
        printf("bad: %s\n", what);
        exit(1);
}

/* As many lines as the number says, each with the number in it. */
static size_t write_text(char text[TEXT_SIZE], unsigned number)
{
        size_t n = (size_t) snprintf(text, TEXT_SIZE, "version=1\n[deny_path]\n");

        for (unsigned i = 0; i < 1 + number % 1999; i++)
                n += (size_t) snprintf(text + n, TEXT_SIZE - n, "/number/%u/%u\n", number, i);
        return n;
}

static void check_document(const Loaded *loaded)
{
        static char text[TEXT_SIZE];
        unsigned number = 0;

        if (sscanf(loaded->document.text, "version=1\n[deny_path]\n/number/%u/0", &number) != 1)
                fail("a document is not one of ours");
        if (write_text(text, number) != loaded->document.n_text ||
            memcmp(text, loaded->document.text, loaded->document.n_text) != 0)
                fail("a document is not whole");
}

/* Each was applied as the generation that its number says. */
static void check(Enforcement *enforcement)
{
        uint64_t newest = 0;

        for (const char *const *t = enforcement_trouble(enforcement); *t; t++)
                fail(*t);
        for (size_t i = 0; i < enforcement_n_documents(enforcement); i++) {
                const Loaded *loaded = enforcement_document(enforcement, i);

                check_document(loaded);
                newest = loaded->generation > newest ? loaded->generation : newest;
        }
        if (newest != enforcement_generation(enforcement))
                fail("the newest document is not of the generation in force");
        if (newest > 0 && enforcement_n_kept(enforcement) == 0)
                fail("no generation is kept");
        printf("found %" PRIu64 "\n", enforcement_generation(enforcement));
}

static void change(Enforcement *enforcement)
{
        static char text[TEXT_SIZE];
        uint64_t generation = enforcement_generation(enforcement) + 1;
        size_t n = write_text(text, (unsigned) generation * 37);
        Plan *plan = NULL;
        char name[32];

        snprintf(name, sizeof(name), "part-%u", (unsigned) (generation % N_NAMES));
        if (enforcement_plan(enforcement, name, text, n, &plan) != 0)
                fail("a change cannot be planned");
        plan->confirm_usec = generation % 7 == 0 ? 3600ul * 1000000ul : 0;
        if (enforcement_commit(enforcement, plan, EXPECT_ANY, &generation) != 0)
                fail("a change cannot be made");
        enforcement_confirm(enforcement, EXPECT_ANY);
        plan_free(plan);
        printf("committed %" PRIu64 "\n", generation);
}

int main(int argc, char **argv)
{
        BackendConfig backend = {.pin_directory = "/run/twin"};
        char state[256], marker[256];
        EnforcementConfig config = {.state_directory = state, .marker_directory = marker};
        Enforcement *enforcement = NULL;

        if (argc != 2)
                return 64;
        setlinebuf(stdout);
        log_set_max_level(LOG_ERR);
        snprintf(state, sizeof(state), "%s/state", argv[1]);
        snprintf(marker, sizeof(marker), "%s/marker", argv[1]);
        if (backend_new(&config.backend, &backend) < 0 ||
            enforcement_new(&enforcement, &config) < 0)
                fail("the start failed");
        check(enforcement);
        enforcement_confirm(enforcement, EXPECT_ANY); /* what the machine died over is on trial */
        for (;;)
                change(enforcement);
}
