/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the state keeps of trust, each file by itself: floors, bundles and roots that are not what
 * they should be, and calls that fail. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend-twin.h"
#include "fault.h"
#include "policy/digest.h"
#include "signer.h"
#include "transaction/bundles.h"
#include "transaction/floors.h"
#include "transaction/roots.h"
#include "util/file.h"
#include "util/log.h"

typedef struct State {
        char *path, *pins, *trust;
        int fd;
        Backend *backend;
        Trouble trouble;
} State;

static void set_up(State *state, gconstpointer data)
{
        BackendConfig config = {};

        log_set_max_level(LOG_EMERG);
        g_assert_cmpint(digest_init(), ==, 0);
        state->path = g_dir_make_tmp("aegis-trust-XXXXXX", NULL);
        state->pins = g_build_filename(state->path, "pins", NULL);
        state->trust = g_build_filename(state->path, "trust", NULL);
        state->fd = directory_open(state->path, 0700);
        g_assert_cmpint(state->fd, >=, 0);
        g_assert_cmpint(g_mkdir(state->trust, 0755), ==, 0);
        config.pin_directory = state->pins;
        g_assert_cmpint(backend_new(&state->backend, &config), ==, 0);
}

static void tear_down(State *state, gconstpointer data)
{
        const char *const argv[] = {"rm", "-rf", state->path, NULL};

        backend_free(state->backend);
        close(state->fd);
        g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                   NULL, NULL, NULL, NULL));
        g_free(state->path);
        g_free(state->pins);
        g_free(state->trust);
}

/* ---- floors ---- */

static Floors *floors_of(State *state)
{
        Floors *floors = NULL;

        g_assert_cmpint(floors_new(&floors, state->fd, state->backend, &state->trouble), ==, 0);
        return floors;
}

static void fill(Floors *floors)
{
        for (unsigned i = 0; i < FLOORS_MAX; i++) {
                g_autofree char *name = g_strdup_printf("f%u", i);

                floors_find(floors, name, i + 1, NULL);
        }
}

static void test_there_are_so_many_floors_and_no_more(State *state, gconstpointer data)
{
        _cleanup_(floors_freep) Floors *floors = floors_of(state);

        fill(floors);
        floors_find(floors, "more", 1, NULL);
        g_assert_cmpuint(floors_get(floors, "more").number, ==, 0);
        g_assert_cmpint(floors_raise(floors, "more", 1, NULL), ==, -ENOSPC);
        g_assert_cmpuint(floors_get(floors, "more").number, ==, 0);
        g_assert_cmpint(floors_raise(floors, "f0", 7, NULL), ==, 0);
        g_assert_cmpuint(floors_get(floors, "f0").number, ==, 7);
}

static void test_a_floor_that_is_not_written_is_not_raised(State *state, gconstpointer data)
{
        static const char *const calls[] = {"malloc", "write", "fsync"};
        _cleanup_(floors_freep) Floors *floors = floors_of(state);

        g_assert_cmpint(floors_raise(floors, "old", 3, NULL), ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
                fail(calls[i], ENOSPC);
                g_assert_cmpint(floors_raise(floors, "old", 4, NULL), <, 0);
                assert_met();
                g_assert_cmpuint(floors_get(floors, "old").number, ==, 3);
                fail(calls[i], ENOSPC);
                g_assert_cmpint(floors_raise(floors, "new", 4, NULL), <, 0);
                assert_met();
                g_assert_cmpuint(floors_get(floors, "new").number, ==, 0);
        }
        g_assert_cmpint(floors_raise(floors, "old", 2, NULL), ==, 0);
        g_assert_cmpuint(floors_get(floors, "old").number, ==, 3);
}

static void test_what_is_found_is_written_or_that_is_tried_again(State *state, gconstpointer data)
{
        _cleanup_(floors_freep) Floors *floors = floors_of(state), *again = NULL;

        floors_find(floors, "web", 3, NULL);
        fail("write", ENOSPC);
        floors_keep(floors);
        assert_met();
        g_assert_cmpint(faccessat(state->fd, "floors", F_OK, 0), <, 0);
        floors_keep(floors);
        g_assert_cmpint(faccessat(state->fd, "floors", F_OK, 0), ==, 0);
        fail("openat", EIO);
        floors_keep(floors); /* there is nothing to write */
        fail(NULL, 0);
        again = floors_of(state);
        g_assert_cmpuint(floors_get(again, "web").number, ==, 3);
        g_assert_cmpuint(state->trouble.n_sentences, ==, 0);
}

static void test_floors_that_cannot_be_read_are_told_as_damaged(State *state, gconstpointer data)
{
        _cleanup_(floors_freep) Floors *floors = floors_of(state), *again = NULL;
        Floors *none = NULL;
        unsigned n = 0;

        g_assert_cmpint(floors_raise(floors, "web", 3, NULL), ==, 0);
        do {
                fail_nth(++n, FAULT_MEMORY, ENOMEM);
                none = floors_free(none);
        } while (floors_new(&none, state->fd, state->backend, &state->trouble) == -ENOMEM);
        g_assert_cmpuint(fail_no_more(), <, n);
        g_assert_cmpuint(n, >, 3);
        floors_free(none);
        g_assert_cmpuint(state->trouble.n_sentences, ==, 0);
        fail_twice("read", EIO);
        again = floors_of(state);
        assert_met();
        g_assert_cmpuint(state->trouble.n_sentences, ==, 1);
        g_assert_cmpuint(floors_get(again, "web").number, ==, 3); /* the kernel's */
}

/* n floors, each with the name that is given, sealed. */
static GByteArray *floors_file(unsigned n, const char name[FLOOR_NAME_SIZE])
{
        GByteArray *bytes = g_byte_array_new();
        const uint32_t head[] = {htole32(1), htole32(n)};
        uint8_t rest[8 + DIGEST_SIZE] = {1}, digest[DIGEST_SIZE];

        g_byte_array_append(bytes, (const uint8_t *) "AEGFLOOR", 8);
        g_byte_array_append(bytes, (const uint8_t *) head, sizeof(head));
        for (unsigned i = 0; i < n; i++) {
                g_byte_array_append(bytes, (const uint8_t *) name, FLOOR_NAME_SIZE);
                g_byte_array_append(bytes, rest, sizeof(rest));
        }
        digest_bytes(bytes->data, bytes->len, digest);
        g_byte_array_append(bytes, digest, sizeof(digest));
        return bytes;
}

static int decode_floors(unsigned n, const char name[FLOOR_NAME_SIZE])
{
        g_autoptr(GByteArray) bytes = floors_file(n, name);
        g_autofree Floor *items = g_new0(Floor, FLOORS_MAX);

        return floors_decode(bytes->data, bytes->len, items);
}

static void test_a_sealed_file_of_floors_may_make_no_sense(State *state, gconstpointer data)
{
        char full[FLOOR_NAME_SIZE];

        memset(full, 'x', sizeof(full));
        g_assert_cmpint(decode_floors(2, "web\0"
                                         "                                                        "
                                         "            "),
                        ==, -EBADMSG);
        g_assert_cmpint(decode_floors(1, (char[FLOOR_NAME_SIZE]){"web"}), ==, 1);
        g_assert_cmpint(decode_floors(FLOORS_MAX, (char[FLOOR_NAME_SIZE]){"web"}), ==, FLOORS_MAX);
        g_assert_cmpint(decode_floors(FLOORS_MAX + 1, (char[FLOOR_NAME_SIZE]){"web"}), ==,
                        -EBADMSG);
        g_assert_cmpint(decode_floors(1, (char[FLOOR_NAME_SIZE]){""}), ==, -EBADMSG);
        g_assert_cmpint(decode_floors(1, full), ==, -EBADMSG);
}

/* ---- bundles ---- */

static Bundles *bundles_of(State *state)
{
        Bundles *bundles = NULL;

        g_assert_cmpint(bundles_new(&bundles, state->fd), ==, 0);
        return bundles;
}

static SignedText *text_of(const char *text)
{
        const SignatureText items[] = {{"one", 3}, {"four", 4}};
        const SignatureTexts signatures = {(SignatureText *) items, 2};
        SignedText *copy = NULL;

        g_assert_cmpint(signed_text_new(&copy, text, strlen(text), &signatures), ==, 0);
        return copy;
}

static int write_next(Bundles *bundles, const char *text)
{
        _cleanup_(signed_text_freep) SignedText *copy = text_of(text);

        return bundles_write_next(bundles, "web", copy);
}

static void publish(Bundles *bundles, const char *text)
{
        g_assert_cmpint(write_next(bundles, text), ==, 0);
        g_assert_cmpint(bundles_publish(bundles, "web"), ==, 0);
}

static void assert_stored(Bundles *bundles, const char *text)
{
        _cleanup_(signed_text_freep) SignedText *stored = NULL;

        g_assert_cmpint(bundles_read(bundles, "web", &stored), ==, 0);
        g_assert_cmpstr(stored->text, ==, text);
        g_assert_cmpuint(stored->signatures.n, ==, 2);
        g_assert_cmpmem(stored->items[1].text, stored->items[1].n, "four", 4);
}

static void test_what_is_too_large_is_no_bundle(State *state, gconstpointer data)
{
        SignatureText items[SIGNATURES_MAX + 1] = {};
        SignatureTexts signatures = {items, SIGNATURES_MAX + 1};
        SignedText *text = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(items); i++)
                items[i].text = "";
        g_assert_cmpint(signed_text_new(&text, "", 0, &signatures), ==, -E2BIG);
        signatures.n = 1;
        g_assert_cmpint(signed_text_new(&text, "", POLICY_SIZE_MAX + 1, &signatures), ==, -E2BIG);
        items[0].n = SIGNATURE_FILE_MAX + 1;
        g_assert_cmpint(signed_text_new(&text, "", 0, &signatures), ==, -E2BIG);
        g_assert_null(text);
        g_assert_null(signed_text_free(NULL));
}

/* A head, and n bytes of zeros behind it. */
static int decode_bundle(uint32_t n_signatures, uint32_t first_length, size_t n)
{
        g_autofree char *bytes = g_malloc0(16 + n);
        SignedText *text = NULL;
        uint32_t version = htole32(1);
        int r;

        memcpy(bytes, "AEGBUNDL", 8);
        memcpy(bytes + 8, &version, sizeof(version));
        n_signatures = htole32(n_signatures);
        memcpy(bytes + 12, &n_signatures, sizeof(n_signatures));
        first_length = htole32(first_length);
        if (n >= sizeof(first_length))
                memcpy(bytes + 16, &first_length, sizeof(first_length));
        r = signed_text_decode(bytes, 16 + n, &text);
        signed_text_free(text);
        return r;
}

static void test_what_is_stored_may_be_no_bundle(State *state, gconstpointer data)
{
        SignedText *text = NULL;

        g_assert_cmpint(decode_bundle(0, 0, 4), ==, 0);
        g_assert_cmpint(decode_bundle(0, 7, 4 + 7), ==, 0);
        g_assert_cmpint(decode_bundle(0, 7, 4 + 8), ==, BUNDLES_E_DAMAGED);
        g_assert_cmpint(decode_bundle(1, 0, 8), ==, 0);
        g_assert_cmpint(decode_bundle(1, 1, 8), ==, BUNDLES_E_DAMAGED);
        g_assert_cmpint(decode_bundle(1, 0, 4), ==, BUNDLES_E_DAMAGED);
        g_assert_cmpint(decode_bundle(SIGNATURES_MAX + 1, 0, 4 * (SIGNATURES_MAX + 2)), ==,
                        BUNDLES_E_DAMAGED);
        g_assert_cmpint(decode_bundle(1, SIGNATURE_FILE_MAX + 1, 8 + SIGNATURE_FILE_MAX + 1), ==,
                        BUNDLES_E_DAMAGED);
        g_assert_cmpint(signed_text_decode("AEGBUNDL", 8, &text), ==, BUNDLES_E_DAMAGED);
        fail("calloc", ENOMEM);
        g_assert_cmpint(decode_bundle(1, 0, 8), ==, -ENOMEM);
        assert_met();
        fail("malloc", ENOMEM);
        g_assert_cmpint(decode_bundle(1, 0, 8), ==, -ENOMEM);
        assert_met();
}

static void test_a_bundle_that_is_not_published_leaves_the_one_before(State *state,
                                                                      gconstpointer data)
{
        static const char *const to_write[] = {"malloc", "write", "renameat"};
        _cleanup_(bundles_freep) Bundles *bundles = bundles_of(state);

        g_assert_cmpint(bundles_publish(bundles, "web"), ==, 0); /* nothing is there */
        publish(bundles, "first");
        publish(bundles, "second");
        for (size_t i = 0; i < G_N_ELEMENTS(to_write); i++) {
                _cleanup_(signed_text_freep) SignedText *copy = text_of("third");

                fail(to_write[i], ENOSPC);
                g_assert_cmpint(bundles_write_next(bundles, "web", copy), <, 0);
                assert_met();
                assert_stored(bundles, "second");
        }
        g_assert_cmpint(write_next(bundles, "third"), ==, 0);
        fail("renameat", EIO);
        g_assert_cmpint(bundles_publish(bundles, "web"), ==, -EIO);
        assert_stored(bundles, "second");
        fail_after(1, "renameat", EIO);
        g_assert_cmpint(bundles_publish(bundles, "web"), ==, -EIO);
        g_assert_cmpint(bundles_publish(bundles, "web"), ==, 0);
        assert_stored(bundles, "third");
        g_assert_cmpint(bundles_go_back(bundles, "web"), ==, 0);
        assert_stored(bundles, "second");
}

static void test_a_bundle_that_stays_is_told(State *state, gconstpointer data)
{
        _cleanup_(bundles_freep) Bundles *bundles = bundles_of(state);
        _cleanup_(signed_text_freep) SignedText *stored = NULL;

        publish(bundles, "first");
        fail("unlinkat", EIO);
        g_assert_cmpint(bundles_discard(bundles, "web"), ==, -EIO);
        fail("renameat", EIO);
        g_assert_cmpint(bundles_go_back(bundles, "web"), ==, -EIO);
        assert_stored(bundles, "first");
        fail("openat2", EMFILE);
        g_assert_cmpint(bundles_read(bundles, "web", &stored), ==, -EMFILE);
        fail("openat2", ELOOP);
        g_assert_cmpint(bundles_read(bundles, "web", &stored), ==, BUNDLES_E_DAMAGED);
        g_assert_cmpint(bundles_go_back(bundles, "web"), ==, 0);
        g_assert_cmpint(bundles_read(bundles, "web", &stored), ==, -ENOENT);
        g_assert_cmpint(bundles_discard(bundles, "web"), ==, 0);
}

static void test_the_folder_of_bundles_may_not_be_had(State *state, gconstpointer data)
{
        static const struct {
                const char *call;
                int error;
        } faults[] = {{"mkdirat", ENOSPC}, {"openat", EMFILE}, {"malloc", ENOMEM}};
        Bundles *bundles = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                fail(faults[i].call, faults[i].error);
                g_assert_cmpint(bundles_new(&bundles, state->fd), ==, -faults[i].error);
                assert_met();
        }
        g_assert_null(bundles);
        g_assert_null(bundles_free(NULL));
}

static void put(const char *folder, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_assert_cmpint(g_chmod(path, 0644), ==, 0);
}

static void test_names_of_bundles_are_all_or_none(State *state, gconstpointer data)
{
        static const char *const strange[] = {".bundle", "-x.bundle", "x.bundles", "x"};
        _cleanup_(bundles_freep) Bundles *bundles = bundles_of(state);
        g_autofree char *folder = g_build_filename(state->path, "bundles", NULL);
        unsigned n = 0, n_failed = 0;
        char **names = NULL;
        int r;

        for (size_t i = 0; i < G_N_ELEMENTS(strange); i++)
                put(folder, strange[i], "");
        put(folder, "web.bundle", "");
        put(folder, "db.bundle", "");
        do {
                fail_nth(++n, FAULT_MEMORY | FAULT_FILE, ENOMEM);
                r = bundles_names(bundles, BUNDLE_STORED, &names);
                n_failed += r < 0;
        } while (fail_no_more() >= n);
        g_assert_cmpuint(n_failed, ==, n - 1);
        g_assert_cmpstr(names[0], ==, "db");
        g_assert_cmpstr(names[1], ==, "web");
        g_assert_cmpstr(names[2], ==, NULL);
        bundles_names_free(names);
        bundles_names_free(NULL);
}

/* ---- roots ---- */

static const char *const usual[] = {"key=0 root", "key=1 policy", NULL};

static void put_root(State *state, unsigned number, unsigned seq)
{
        g_autofree char *text = root_text(seq, "110", usual);
        g_autofree char *signature = signer_sign(0, text, strlen(text));
        g_autofree char *name = g_strdup_printf("root.%u", number);
        g_autofree char *beside = g_strconcat(name, ".minisig", NULL);

        put(state->trust, name, text);
        put(state->trust, beside, signature);
}

static Roots *roots_of(State *state, Floors *floors)
{
        Roots *roots = NULL;

        g_assert_cmpint(roots_new(&roots, state->trust, state->fd, floors), ==, 0);
        return roots;
}

static uint64_t seq_of(const Roots *roots)
{
        const Root *root = roots_current(roots);

        return root ? root->seq : 0;
}

static void refresh(Roots *roots, const char *told)
{
        roots_refresh(roots);
        if (!strstr(roots_trouble(roots), told))
                g_error("\"%s\" is not in: %s", told, roots_trouble(roots));
}

static void test_other_files_beside_a_root_are_no_signatures(State *state, gconstpointer data)
{
        static const char *const names[] = {
                "root.1x.minisig", "root.1.minisigs",    "root.01",       "root.x", "other",
                "root.",           "root.1-x.y.minisig", "root.2.minisig"};
        _cleanup_(floors_freep) Floors *floors = floors_of(state);
        _cleanup_(roots_freep) Roots *roots = NULL;

        put_root(state, 1, 1);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                put(state->trust, names[i], "not a signature");
        roots = roots_of(state, floors);
        g_assert_cmpuint(seq_of(roots), ==, 1);
        g_assert_cmpstr(roots_trouble(roots), ==, "");
}

static void test_a_root_with_too_many_signatures_is_not_read(State *state, gconstpointer data)
{
        _cleanup_(floors_freep) Floors *floors = floors_of(state);
        _cleanup_(roots_freep) Roots *roots = roots_of(state, floors);

        put_root(state, 1, 1);
        for (unsigned i = 0; i < SIGNATURES_MAX; i++) {
                g_autofree char *name = g_strdup_printf("root.1.%u.minisig", i);

                put(state->trust, name, "");
        }
        refresh(roots, "root.1 cannot be read: Argument list too long");
        g_assert_cmpuint(seq_of(roots), ==, 0);
}

static void test_a_root_in_the_file_of_another_is_not_believed(State *state, gconstpointer data)
{
        _cleanup_(floors_freep) Floors *floors = floors_of(state);
        _cleanup_(roots_freep) Roots *roots = roots_of(state, floors);

        put_root(state, 2, 1);
        refresh(roots, "root.2 is not believed: ");
        g_assert_cmpuint(seq_of(roots), ==, 0);
        put_root(state, 1, 1);
        refresh(roots, "root.2 is not believed: ");
        g_assert_cmpuint(seq_of(roots), ==, 1);
}

/* Each is tried once more with the next look. */
static void test_a_root_that_a_fault_meets_is_believed_later(State *state, gconstpointer data)
{
        unsigned n = 0, n_told = 0;
        int reached = 1;

        put_root(state, 1, 1);
        put_root(state, 3, 3);
        while (reached) {
                _cleanup_(floors_freep) Floors *floors = NULL;
                _cleanup_(roots_freep) Roots *roots = NULL;

                unlinkat(state->fd, "root", 0);
                unlinkat(state->fd, "floors", 0);
                g_assert_cmpint(twin_state_write(state->pins, &(TwinState){}), ==, 0);
                floors = floors_of(state);
                g_assert_cmpint(roots_new(&roots, NULL, state->fd, floors), ==, 0);
                roots = roots_free(roots);
                fail_nth(++n, FAULT_FILE | FAULT_MEMORY, EIO);
                if (roots_new(&roots, state->trust, state->fd, floors) < 0) {
                        reached = fail_no_more() >= n;
                        continue;
                }
                reached = fail_no_more() >= n;
                n_told += roots_trouble(roots)[0] != '\0';
                g_assert_true(seq_of(roots) == 1 || roots_trouble(roots)[0] || reached);
                roots_refresh(roots);
                g_assert_cmpuint(seq_of(roots), ==, 1);
                g_assert_cmpstr(roots_trouble(roots), ==, "");
                g_assert_cmpuint(floors_get(floors, FLOOR_ROOT).number, ==, 1);
                g_assert_cmpuint(floors_get(floors, FLOOR_TIME).number, >, 0);
        }
        g_assert_cmpuint(n_told, >, 5);
}

static void test_a_pinned_root_that_cannot_be_had_is_found_anew(State *state, gconstpointer data)
{
        _cleanup_(floors_freep) Floors *floors = floors_of(state);
        _cleanup_(roots_freep) Roots *roots = NULL;

        put_root(state, 1, 1);
        roots = roots_free(roots_of(state, floors));
        fail("strdup", ENOMEM);
        g_assert_cmpint(roots_new(&roots, state->trust, state->fd, floors), ==, -ENOMEM);
        fail("malloc", ENOMEM); /* of the file's text */
        g_assert_cmpint(roots_new(&roots, state->trust, state->fd, floors), ==, -ENOMEM);
        fail("calloc", ENOMEM);
        g_assert_cmpint(roots_new(&roots, state->trust, state->fd, floors), ==, -ENOMEM);
        assert_met();
        g_assert_null(roots);
        g_assert_cmpint(file_replace(state->fd, "root", "x", 1), ==, 0);
        roots = roots_of(state, floors);
        g_assert_cmpuint(seq_of(roots), ==, 1);
        roots = roots_free(roots);
        /* Another of the same number */
        {
                static const char *const own[] = {"key=3 root,policy", NULL};
                g_autofree char *text = root_text(1, "110", own);

                g_assert_cmpint(file_replace(state->fd, "root", text, strlen(text)), ==, 0);
        }
        roots = roots_of(state, floors);
        g_assert_cmpuint(seq_of(roots), ==, 1);
        g_assert_cmpuint(roots_current(roots)->n_keys, ==, 2);
        g_assert_null(roots_free(NULL));
}

#define ADD(function)                                                                              \
        g_test_add("/trust-faults/" #function, State, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
        g_test_init(&argc, &argv, NULL);
        ADD(test_there_are_so_many_floors_and_no_more);
        ADD(test_a_floor_that_is_not_written_is_not_raised);
        ADD(test_what_is_found_is_written_or_that_is_tried_again);
        ADD(test_floors_that_cannot_be_read_are_told_as_damaged);
        ADD(test_a_sealed_file_of_floors_may_make_no_sense);
        ADD(test_what_is_too_large_is_no_bundle);
        ADD(test_what_is_stored_may_be_no_bundle);
        ADD(test_a_bundle_that_is_not_published_leaves_the_one_before);
        ADD(test_a_bundle_that_stays_is_told);
        ADD(test_the_folder_of_bundles_may_not_be_had);
        ADD(test_names_of_bundles_are_all_or_none);
        ADD(test_other_files_beside_a_root_are_no_signatures);
        ADD(test_a_root_with_too_many_signatures_is_not_read);
        ADD(test_a_root_in_the_file_of_another_is_not_believed);
        ADD(test_a_root_that_a_fault_meets_is_believed_later);
        ADD(test_a_pinned_root_that_cannot_be_had_is_found_anew);
        return g_test_run();
}
