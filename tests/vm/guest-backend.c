/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest backend: see guest-backend.h. */
#include "guest-backend.h"

#include <string.h>

#include "policy/policy.h"

Backend *backend;
uint64_t generation;
GArray *events;

static void on_event(void *userdata, const struct event *event)
{
        g_array_append_val(events, *event);
}

void take_events(void)
{
        g_array_set_size(events, 0);
        while (backend_dispatch_events(backend, 1000) > 0)
                ;
}

const struct event *last_event(void)
{
        g_assert_cmpuint(events->len, >, 0);
        return &g_array_index(events, struct event, events->len - 1);
}

Backend *start_backend(void)
{
        const BackendConfig config = {
                .pin_directory = "/run/aegis-test/bpf",
                .canary_directory = "/run/aegis-test",
                .on_event = on_event,
        };
        Backend *started = NULL;

        if (!events)
                events = g_array_new(FALSE, FALSE, sizeof(struct event));
        g_assert_cmpint(g_mkdir_with_parents("/run/aegis-test", 0755), ==, 0);
        g_assert_cmpint(backend_new(&started, &config), ==, 0);
        return started;
}

PolicyImage *compile(const char *text)
{
        const char *header = g_str_has_prefix(text, "version=") ? "" : "version=1\n";
        g_autofree char *document_text = g_strconcat(header, text, NULL);
        Diagnostics diagnostics = {};
        Document document = {
                .name = "test", .text = document_text, .n_text = strlen(document_text)};
        PolicyImage *image = NULL;

        g_assert_cmpint(
                policy_parse(&document.policy, document.text, document.n_text, &diagnostics), ==,
                0);
        g_assert_cmpint(
                policy_image_compile(&image, &document, 1, backend_resolver(backend), &diagnostics),
                ==, 0);
        policy_unref(document.policy);
        diagnostics_deinit(&diagnostics);
        return image;
}

void apply_in_mode(const char *text, Mode mode)
{
        PolicyImage *image = compile(text);

        g_assert_cmpint(backend_prepare(backend, image, mode, 0, ++generation), ==, 0);
        backend_commit(backend);
        backend_settle(backend);
        policy_image_free(image);
}

void apply(const char *text)
{
        apply_in_mode(text, MODE_ENFORCE);
}
