/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service on its bus, over the twin of the backend, when one of its calls about files fails or
 * is its last: each call of an Apply, of a rotation and of a boot, one after the other, by strace.
 * What it says is in force is then the old policy or the new one, whole, is what the kernel has,
 * and is what its answer says; and so it is after a restart and after a power cut. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend-twin.h"
#include "injection.h"
#include "policy/digest.h"
#include "seen.h"
#include "signer.h"

#define KEPT "/run/lab/kept"   /* what there is before */
#define ASIDE "/run/lab/aside" /* what there was when the service ended */
#define TRUST "/run/lab/trust"
#define CONFIG "/run/lab/aegisd.conf"

#define TRIES 3u

#define OLD "version=1\n[deny_path]\n/srv/one\n"
#define NEW "version=1\n[deny_path]\n/srv/one\n/srv/two\n[deny_port]\n25:tcp\n"

typedef enum Power {
        POWER_STAYS, /* the kernel has what it had */
        POWER_WAS_CUT,
} Power;

typedef struct Scene {
        void (*before)(Lab *lab);
        Power power;
        void (*begin)(void);        /* once the service runs */
        Pending *(*deed)(Lab *lab); /* NULL: it is the start that is tried */
        unsigned n_least;           /* points, where all are tried */
        unsigned step;              /* without -m slow each so-many-th call is tried */
} Scene;

typedef enum HowOften {
        ONCE,
        FROM_THEN_ON, /* each such call */
} HowOften;

typedef struct Stage {
        Lab *lab;
        const Scene *scene;
        Injection *injection;
        Seen old, new;
        HowOften how_often;
        unsigned n_points, n_missed, n_of[ANSWER_NONE + 1];
} Stage;

/* ---- files ---- */

static void run(const char *const *argv)
{
        int status = 1;

        g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   NULL, NULL, &status, NULL));
        g_assert_cmpint(status, ==, 0);
}

static void copy_places(const char *from, const char *to)
{
        static const char *const places[] = {"state",  "runtime",  "pins",
                                             "marker", "policy.d", "trust"};
        const char *remove[G_N_ELEMENTS(places) + 3] = {"rm", "-rf"};
        const char *copy[G_N_ELEMENTS(places) + 4] = {"cp", "-a"};
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

        g_assert_cmpint(g_mkdir_with_parents(to, 0755), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
                remove[2 + i] = g_build_filename(to, places[i], NULL);
                copy[2 + i] = g_build_filename(from, places[i], NULL);
                g_ptr_array_add(paths, (char *) remove[2 + i]);
                g_ptr_array_add(paths, (char *) copy[2 + i]);
        }
        copy[2 + G_N_ELEMENTS(places)] = to;
        run(remove);
        run(copy);
}

static void cut_power(void)
{
        const TwinState nothing = {};

        g_assert_cmpint(twin_state_write(LAB_PINS, &nothing), ==, 0);
}

static void put(const char *path, const char *text)
{
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(chmod(path, 0644), ==, 0);
}

/* ---- one run ---- */

/* What the deed, or the start, was answered, and what was seen after it. */
typedef struct Played {
        Answer answer;
        Seen seen;
} Played;

static void played_clear(Played *played)
{
        seen_clear(&played->seen);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Played, played_clear)

/* What there is before, the kernel's side too. */
static void set_stage_up(const Stage *stage)
{
        copy_places(KEPT, "/run/lab");
        if (stage->scene->power == POWER_WAS_CUT)
                cut_power();
}

static Played try_deed(Stage *stage, const char *fault)
{
        Played played = {};

        lab_start_again(stage->lab);
        if (stage->scene->begin)
                stage->scene->begin();
        injection_attach(stage->injection, stage->lab, fault);
        played.answer = answer_wait(stage->lab, stage->scene->deed(stage->lab));
        played.seen = seen_look(stage->lab);
        if (played.seen.documents)
                injection_detach(stage->injection);
        else
                injection_await_end(stage->injection);
        return played;
}

static Played try_start(Stage *stage, const char *fault)
{
        Played played = {.answer = ANSWER_NONE};

        stage->lab->tracer = injection_tracer(stage->injection, fault);
        if (lab_try_start(stage->lab)) {
                played.answer = ANSWER_DONE;
                played.seen = seen_look(stage->lab);
        }
        g_clear_pointer(&stage->lab->tracer, g_strfreev);
        return played;
}

static Played play(Stage *stage, const char *fault)
{
        Played played;

        set_stage_up(stage);
        played = stage->scene->deed ? try_deed(stage, fault) : try_start(stage, fault);
        if (played.seen.documents)
                lab_kill(stage->lab);
        else
                lab_await_end(stage->lab);
        return played;
}

/* ---- what it came to ---- */

static void complain(const char *point, const char *when, const char *what)
{
        g_test_message("%s: %s: %s", point, when, what);
        g_test_fail();
}

/* The digest of what it has in force. */
static void kernel_has(char ret_digest[DIGEST_HEX_SIZE])
{
        TwinState kernel;

        g_assert_cmpint(twin_state_read(LAB_PINS, &kernel), ==, 0);
        digest_format(kernel.digest, ret_digest);
}

/* What is wanted of it besides being whole. */
typedef enum Wanted {
        WANTED_EITHER,
        WANTED_OLD,
        WANTED_NEW,
} Wanted;

/* Where those that were in force before are signed, what is not is told. */
static void check_signatures(const Stage *stage, const char *point, const char *when,
                             const Seen *seen)
{
        if (stage->old.is_signed && !seen->is_signed && seen->is_in_order)
                complain(point, when, "not signed, and that is not told");
}

static void check(const Stage *stage, const char *point, const char *when, const Seen *seen,
                  Wanted wanted)
{
        int is_old = seen_is_same(seen, &stage->old), is_new = seen_is_same(seen, &stage->new);
        char kernels[DIGEST_HEX_SIZE];

        if (!is_old && !is_new)
                complain(point, when, "neither the old nor the new one");
        if (wanted == WANTED_OLD && !is_old)
                complain(point, when, "not the old one");
        if (wanted == WANTED_NEW && !is_new)
                complain(point, when, "not the new one");
        kernel_has(kernels);
        if (strcmp(kernels, seen->digest) != 0)
                complain(point, when, "not what the kernel has");
}

/* A service that is gone has left the kernel one of the two, or what it began with. */
static void check_kernel(const Stage *stage, const char *point)
{
        char kernels[DIGEST_HEX_SIZE];

        kernel_has(kernels);
        if (strcmp(kernels, stage->old.digest) == 0 || strcmp(kernels, stage->new.digest) == 0)
                return;
        if (stage->scene->power == POWER_STAYS || strspn(kernels, "0") != strlen(kernels))
                complain(point, "when it had ended", "the kernel has neither");
}

/* Starts what lies there, where nothing fails any more. */
static Seen look_again(const Stage *stage)
{
        Seen seen;

        lab_start_again(stage->lab);
        seen = seen_look(stage->lab);
        g_assert_nonnull(seen.documents);
        return seen;
}

/* What is read at a start and could not be is told, and tried again at the next. */
static Wanted wanted_after(const Stage *stage, const Played *played)
{
        switch (played->answer) {
        case ANSWER_DONE:
                return stage->scene->deed || played->seen.is_in_order ? WANTED_NEW : WANTED_EITHER;
        case ANSWER_ERROR:
                return WANTED_OLD;
        case ANSWER_NONE:
                return WANTED_EITHER;
        }
        g_assert_not_reached();
}

static void try_again(Stage *stage, const char *point)
{
        g_auto(Seen) seen = {};

        if (answer_wait(stage->lab, stage->scene->deed(stage->lab)) != ANSWER_DONE)
                complain(point, "tried again", "refused");
        seen = seen_look(stage->lab);
        check_signatures(stage, point, "tried again", &seen);
        check(stage, point, "tried again", &seen, WANTED_NEW);
}

static void judge_restart(Stage *stage, const char *point, Wanted wanted)
{
        g_auto(Seen) seen = look_again(stage);

        check_signatures(stage, point, "after a restart", &seen);
        check(stage, point, "after a restart", &seen, stage->scene->deed ? wanted : WANTED_NEW);
        if (!seen.is_in_order && stage->how_often == ONCE)
                complain(point, "after a restart", "not in order");
        if (stage->scene->deed)
                try_again(stage, point);
        lab_kill(stage->lab);
}

/* Where the record could not get its name the one before comes back: that had been told. */
static void judge_power_cut(Stage *stage, const char *point, const Played *played, Wanted wanted)
{
        g_auto(Seen) seen = {};

        copy_places(ASIDE, "/run/lab");
        cut_power();
        seen = look_again(stage);
        if (played->answer == ANSWER_DONE && !played->seen.is_in_order)
                wanted = WANTED_EITHER;
        check_signatures(stage, point, "after a power cut", &seen);
        check(stage, point, "after a power cut", &seen, wanted);
        lab_kill(stage->lab);
}

static void judge(Stage *stage, const char *point, const Played *played)
{
        Wanted wanted = wanted_after(stage, played);

        stage->n_points++;
        stage->n_of[played->answer]++;
        stage->n_missed += !injection_was_met(stage->injection);
        if (!played->seen.documents)
                check_kernel(stage, point);
        else
                check(stage, point, "at once", &played->seen, wanted);
        if (played->seen.documents && stage->how_often == ONCE)
                check_signatures(stage, point, "at once", &played->seen);
        copy_places("/run/lab", ASIDE);
        judge_restart(stage, point, wanted);
        judge_power_cut(stage, point, played, wanted);
}

/* ---- all points ---- */

static void try_point(Stage *stage, const Call *call, const char *fault, HowOften how_often)
{
        g_autofree char *point = g_strdup_printf("%s:%s:when=%u%s", call->name, fault, call->n,
                                                 how_often == ONCE ? "" : "+");
        g_auto(Played) played = play(stage, point);

        /* On a slow machine a second may begin in between, and with it a call more or less. */
        for (unsigned i = 1; i < TRIES && !injection_was_met(stage->injection); i++) {
                played_clear(&played);
                played = play(stage, point);
        }
        stage->how_often = how_often;
        judge(stage, point, &played);
}

/* What only reads, or ends, is not short of room. */
static int needs_room(const Call *call)
{
        return strstr(" fsync fdatasync write linkat mkdir mkdirat renameat ", call->name) ||
               strstr(call->line, "O_CREAT");
}

static int opens(const Call *call)
{
        return g_str_has_prefix(call->name, "open");
}

static void try_call(Stage *stage, const Call *call)
{
        try_point(stage, call, "error=EIO", ONCE);
        if (needs_room(call))
                try_point(stage, call, "error=ENOSPC", ONCE);
        if (opens(call))
                try_point(stage, call, "error=EMFILE", ONCE);
        /* What cannot be read at a start, however often, is as what is damaged: see test-recovery.
         */
        if (g_test_slow() && stage->scene->deed)
                try_point(stage, call, "error=EIO", FROM_THEN_ON);
        if (g_test_slow() && stage->scene->deed && opens(call))
                try_point(stage, call, "error=EMFILE", FROM_THEN_ON);
        try_point(stage, call, "signal=KILL", ONCE);
}

/* Which files it is about is learned first, and then how often each is. */
static GPtrArray *find_calls(Stage *stage)
{
        const char *beginning = stage->scene->deed ? NULL : "\"" CONFIG "\"";
        g_auto(Played) first = play(stage, NULL), second = {};

        injection_learn(stage->injection, beginning);
        second = play(stage, NULL);
        g_assert_cmpint(first.answer, ==, ANSWER_DONE);
        g_assert_cmpint(second.answer, ==, ANSWER_DONE);
        g_assert_true(second.seen.is_in_order);
        g_assert_true(seen_is_same(&first.seen, &second.seen));
        stage->new = second.seen;
        second.seen = (Seen){};
        return injection_calls(stage->injection, beginning);
}

static void set_up(Stage *stage)
{
        run((const char *const[]){"rm", "-rf", TRUST, NULL});
        g_assert_cmpint(g_mkdir_with_parents(TRUST, 0755), ==, 0);
        stage->injection = injection_new();
        stage->scene->before(stage->lab);
        stage->old = seen_look(stage->lab);
        lab_stop(stage->lab);
        copy_places("/run/lab", KEPT);
}

static void tear_down(Stage *stage)
{
        seen_clear(&stage->old);
        seen_clear(&stage->new);
        injection_free(stage->injection);
        put(CONFIG, "");
        lab_start_again(stage->lab);
}

static void try_all(Lab *lab, const Scene *scene)
{
        const guint step = g_test_slow() ? 1 : scene->step;
        Stage stage = {.lab = lab, .scene = scene};
        g_autoptr(GPtrArray) calls = NULL;

        set_up(&stage);
        calls = find_calls(&stage);
        for (guint i = 0; i < calls->len; i += step)
                try_call(&stage, g_ptr_array_index(calls, i));
        g_test_message("%u calls, %u points: %u done, %u refused, %u ended; %u not met", calls->len,
                       stage.n_points, stage.n_of[ANSWER_DONE], stage.n_of[ANSWER_ERROR],
                       stage.n_of[ANSWER_NONE], stage.n_missed);
        g_assert_cmpuint(stage.n_points * step, >=, scene->n_least);
        g_assert_cmpuint(stage.n_missed, ==, 0);
        tear_down(&stage);
}

static void test_there_is_strace(Lab *lab)
{
        g_test_skip(injection_why_not());
}

/* ---- deeds ---- */

static void before_two(Lab *lab)
{
        lab_must_apply(lab, "web", NEW);
        lab_must_apply(lab, "web", OLD);
}

/* As many generations as are kept: with the next one the first goes. */
static void before_rotation(Lab *lab)
{
        for (unsigned i = 0; i < 16; i++)
                lab_must_apply(lab, "web", i % 2 == 0 ? NEW : OLD);
}

static Pending *apply_db(Lab *lab)
{
        return lab_apply(lab->root, "db", NEW, SILENT);
}

static void put_root(unsigned seq, const char *const *lines)
{
        g_autofree char *root = root_text(seq, "110", lines);
        g_autofree char *signature = signer_sign(0, root, strlen(root));
        g_autofree char *path = g_strdup_printf(TRUST "/root.%u", seq);
        g_autofree char *beside = g_strconcat(path, ".minisig", NULL);

        put(path, root);
        put(beside, signature);
}

static Pending *apply_signed(Lab *lab, unsigned seq, const char *document, unsigned signer)
{
        g_autofree char *text = g_strdup_printf("bundle=1\nname=web\nseq=%u\n"
                                                "issued=2026-01-01T00:00:00Z\n"
                                                "expires=2099-01-01T00:00:00Z\n%s",
                                                seq, document);
        g_autofree char *signature = signer_sign(signer, text, strlen(text));
        sd_bus_message *m = lab_message(lab->root, LAB_ROOT, LAB_MANAGER, "Apply");

        g_assert_cmpint(
                sd_bus_message_append(m, "ssasta{sv}", "web", text, 1, signature, LAB_ANY, 0), >=,
                0);
        return lab_send(m, SILENT);
}

static void before_signed(Lab *lab)
{
        static const char *const lines[] = {"key=0 root", "key=1 policy", NULL};

        put_root(1, lines);
        put(CONFIG, "[Enforcer]\nTrustDirectory=" TRUST "\nSignatureRequired=yes\n");
        lab_stop(lab);
        lab_start_again(lab);
        g_free(lab_expect(lab, apply_signed(lab, 7, OLD, 1), NULL));
        g_usleep(G_USEC_PER_SEC); /* the floor under time rises with the next one, too */
}

/* The key that the next document is signed with counts from here on, the other one still. */
static void put_next_root(void)
{
        static const char *const lines[] = {"key=0 root", "key=1 policy", "key=2 policy", NULL};

        put_root(2, lines);
}

static void before_signed_boot(Lab *lab)
{
        before_signed(lab);
        put_next_root();
}

static Pending *apply_next_signed(Lab *lab)
{
        return apply_signed(lab, 8, NEW, 2);
}

/* ---- scenes ---- */

static void test_an_apply_is_done_or_was_never(Lab *lab)
{
        static const Scene scene = {
                .before = before_two, .deed = apply_db, .n_least = 80, .step = 1};

        try_all(lab, &scene);
}

static void test_a_rotation_is_done_or_was_never(Lab *lab)
{
        static const Scene scene = {
                .before = before_rotation, .deed = apply_db, .n_least = 80, .step = 1};

        try_all(lab, &scene);
}

static void test_a_signed_apply_by_a_new_root_is_done_or_was_never(Lab *lab)
{
        static const Scene scene = {.before = before_signed,
                                    .begin = put_next_root,
                                    .deed = apply_next_signed,
                                    .n_least = 220,
                                    .step = 1};

        try_all(lab, &scene);
}

static void test_a_boot_puts_the_record_in_force_or_ends(Lab *lab)
{
        static const Scene scene = {
                .before = before_two, .power = POWER_WAS_CUT, .n_least = 120, .step = 1};

        try_all(lab, &scene);
}

static void test_a_signed_boot_puts_the_record_in_force_or_ends(Lab *lab)
{
        static const Scene scene = {
                .before = before_signed_boot, .power = POWER_WAS_CUT, .n_least = 220, .step = 1};

        try_all(lab, &scene);
}

static void test_a_restart_goes_on_or_ends(Lab *lab)
{
        static const Scene scene = {.before = before_two, .n_least = 120, .step = 4};

        try_all(lab, &scene);
}

/* A file that nobody has loaded yet. */
static void before_files(Lab *lab)
{
        before_two(lab);
        put("/run/lab/policy.d/db.policy", NEW);
}

static void test_a_boot_that_loads_files_has_them_or_tells_or_ends(Lab *lab)
{
        static const Scene scene = {
                .before = before_files, .power = POWER_WAS_CUT, .n_least = 200, .step = 4};

        try_all(lab, &scene);
}

#define TEST(name)                                                                                 \
        {                                                                                          \
#name, test_##name                                                                 \
        }

int main(int argc, char **argv)
{
        static const LabTest skipped[] = {TEST(there_is_strace)};
        static const LabTest tests[] = {
                TEST(an_apply_is_done_or_was_never),
                TEST(a_rotation_is_done_or_was_never),
                TEST(a_signed_apply_by_a_new_root_is_done_or_was_never),
                TEST(a_boot_puts_the_record_in_force_or_ends),
                TEST(a_signed_boot_puts_the_record_in_force_or_ends),
                TEST(a_restart_goes_on_or_ends),
                TEST(a_boot_that_loads_files_has_them_or_tells_or_ends),
        };

        g_assert_cmpint(digest_init(), ==, 0);
        if (injection_why_not())
                return lab_main(argc, argv, skipped, G_N_ELEMENTS(skipped));
        return lab_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
