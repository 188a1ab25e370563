/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager: see manager.h. */
#include "manager.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

#include "backend/backend.h"
#include "bus/server.h"
#include "event/event.h"
#include "handover.h"
#include "transaction/transaction.h"
#include "util/array.h"
#include "util/file.h"
#include "util/log.h"

/* More events than this wait for the next turn of the loop, so that callers are heard in between.
 */
#define EVENTS_PER_TURN 512u

/* Being woken for each event of many costs more than the event: they wait so long for others. */
#define RING_PAUSE_USEC 1000u

/* What is to end by itself looks again so soon when a method is under way. */
#define BUSY_PAUSE_USEC (100u * 1000u)

/* Between two self-tests when systemd asks for no watchdog; half of what it asks for otherwise. */
#define SELF_TEST_USEC (10u * 1000000u)

struct Manager {
        const Config *config;
        int directory; /* held so that no second service begins */
        sd_event *loop;
        sd_event_source *ring, *sweep, *mounts, *self_test, *rest, *ends, *reload, *term,
                *interrupt, *hangup;
        uint64_t self_test_usec;
        Backend *backend;
        char machine[SD_ID128_STRING_MAX]; /* machine-id; "" */
        Enforcement *enforcement;
        Journal *journal; /* or NULL */
        EventHub *hub;
        BusServer *bus;
        HandoverKept kept;
        int is_ready;
};

/* ---- wires ---- */

static void on_event(void *userdata, const struct event *event)
{
        Manager *manager = userdata;

        event_hub_take(manager->hub, event);
}

static const ImageRule *name_rule(void *userdata, uint64_t generation, uint32_t rule)
{
        Manager *manager = userdata;

        return enforcement_name_rule(manager->enforcement, generation, rule);
}

static char *visible_path(void *userdata, uint32_t device, const char *path)
{
        Manager *manager = userdata;

        return backend_visible_path(manager->backend, device, path);
}

static void note_lost(Manager *manager)
{
        EventCounters counters;

        backend_event_counters(manager->backend, &counters);
        event_hub_note_lost(manager->hub, counters.lost);
}

static void say_status(Manager *manager)
{
        sd_notifyf(0, "STATUS=%s, generation %llu, mode %s",
                   enforcement_trouble(manager->enforcement)[0] ? "In trouble" : "In order",
                   (unsigned long long) enforcement_generation(manager->enforcement),
                   mode_to_string(enforcement_mode(manager->enforcement)));
}

/* Compiling and loading take more memory for a moment than the service needs afterwards. */
static int on_rest(sd_event_source *source, void *userdata)
{
        malloc_trim(0);
        return 0;
}

/* Once nothing else is to be done. */
static void give_back_memory(Manager *manager)
{
        int r = sd_event_source_set_enabled(manager->rest, SD_EVENT_ONESHOT);

        if (r < 0)
                log_errno(r, "Memory cannot be given back");
}

/* What is to end by itself may be another by now. While a method is under way it waits. */
static void await_ends(Manager *manager)
{
        uint64_t usec = enforcement_next_end(manager->enforcement);
        int r;

        if (!manager->ends)
                return;
        r = sd_event_source_set_time(manager->ends, usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(manager->ends, usec < UINT64_MAX ? SD_EVENT_ONESHOT
                                                                                 : SD_EVENT_OFF);
        if (r < 0)
                log_errno(r, "What is to end by itself cannot be waited for");
}

static int on_end(sd_event_source *source, uint64_t now, void *userdata)
{
        Manager *manager = userdata;
        int r;

        if (!bus_server_is_busy(manager->bus)) {
                enforcement_end_what_is_over(manager->enforcement);
                await_ends(manager);
                return 0;
        }
        r = sd_event_source_set_time_relative(source, BUSY_PAUSE_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Only what has been replaced: in trouble it is better to be denied twice. */
static void release_others(Manager *manager)
{
        if (!enforcement_trouble(manager->enforcement)[0])
                backend_release_others(manager->backend);
}

/* Likewise of what an earlier service had put in the store. Nothing is, before something is in
 * force. */
static void keep_links(Manager *manager)
{
        HandoverKeep keep = enforcement_trouble(manager->enforcement)[0] ? HANDOVER_KEEP_ALL
                                                                         : HANDOVER_KEEP_OURS;
        BackendState state;

        backend_state(manager->backend, &state);
        if (state.generation > 0)
                handover_keep(&manager->kept, manager->backend, keep);
}

static void on_change(void *userdata, EnforcementChange change)
{
        Manager *manager = userdata;

        bus_server_changed(manager->bus, change);
        keep_links(manager);
        await_ends(manager);
        say_status(manager);
        give_back_memory(manager);
}

static void become_ready(Manager *manager)
{
        if (manager->is_ready)
                return;
        manager->is_ready = 1;
        say_status(manager);
        sd_notify(0, "READY=1");
}

static void on_name(void *userdata, int result)
{
        Manager *manager = userdata;

        if (result < 0) {
                log_errno(result, "The name org.aegis.Enforcer is not to be had");
                sd_event_exit(manager->loop, result);
                return;
        }
        log_info("org.aegis.Enforcer is ours");
        become_ready(manager);
}

/* Others wait for what is enforced, and the bus waits for them. */
static void on_absent(void *userdata)
{
        become_ready(userdata);
}

/* Repetitions of an event are told when it is a second old. */
static void await_sweep(Manager *manager)
{
        int is_on = SD_EVENT_OFF, r = sd_event_source_get_enabled(manager->sweep, &is_on);

        if (r < 0 || is_on != SD_EVENT_OFF)
                return;
        r = sd_event_source_set_time_relative(manager->sweep, FOLD_NS / 1000);
        if (r >= 0)
                r = sd_event_source_set_enabled(manager->sweep, SD_EVENT_ONESHOT);
        if (r < 0)
                log_errno(r, "Repeated events cannot be waited for");
}

static int on_sweep(sd_event_source *source, uint64_t now, void *userdata)
{
        Manager *manager = userdata;

        if (backend_sweep_events(manager->backend) > 0)
                await_sweep(manager);
        return 0;
}

static int on_ring(sd_event_source *source, int fd, uint32_t ready, void *userdata)
{
        Manager *manager = userdata;
        int r;

        r = backend_dispatch_events(manager->backend, EVENTS_PER_TURN);
        note_lost(manager);
        await_sweep(manager);
        /* The next of us finds what is enforced as it is, and a ring that can be read. */
        return r < 0 ? sd_event_exit(manager->loop, r) : 0;
}

/* While a method is under way it is left to the next self-test. */
static int on_mounts(sd_event_source *source, int fd, uint32_t ready, void *userdata)
{
        Manager *manager = userdata;

        if (!bus_server_is_busy(manager->bus))
                enforcement_follow_paths(manager->enforcement);
        return 0;
}

/* A watchdog that is fed by a loop that merely turns would prove nothing. */
static int on_self_test(sd_event_source *source, uint64_t now, void *userdata)
{
        Manager *manager = userdata;
        int r;

        note_lost(manager);
        /* A method that is under way is a proof too, and must find things as it left them. */
        r = bus_server_is_busy(manager->bus) ? 0 : enforcement_check(manager->enforcement);
        if (r < 0)
                log_errno(r, "The self-test failed");
        else
                sd_notify(0, "WATCHDOG=1");
        if (r == 0 && !bus_server_is_busy(manager->bus))
                release_others(manager);
        keep_links(manager);
        say_status(manager);
        bus_server_refresh(manager->bus);
        await_sweep(manager); /* whatever kept the last from telling all */
        give_back_memory(manager);
        r = sd_event_source_set_time_relative(source, manager->self_test_usec);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ---- bringing up ---- */

/* A second service would take the kernel's side away from the first: it must not get that far. */
static int claim_directory(Manager *manager)
{
        const char *path = manager->config->runtime_directory;
        int r;

        manager->directory = directory_open(path, 0755);
        if (manager->directory < 0)
                return log_errno(manager->directory, "%s cannot be opened", path);
        r = directory_lock(manager->directory);
        return r < 0 ? log_errno(r, "%s is in use by another aegisd", path) : 0;
}

static void say_hooks(const Backend *backend)
{
        HookStatus hooks[N_HOOKS];
        unsigned n_attached = 0;

        backend_hooks(backend, hooks);
        for (unsigned i = 0; i < N_HOOKS; i++) {
                n_attached += hooks[i].attached != 0;
                if (hooks[i].attached)
                        log_debug("Hook %s is attached to %s and has denied", hooks[i].name,
                                  hooks[i].symbol);
                else
                        log_debug("Hook %s is not attached: %s", hooks[i].name, hooks[i].reason);
        }
        log_info("%u of %u hooks are attached and have been seen to deny", n_attached,
                 (unsigned) N_HOOKS);
}

static void say_backend(const Backend *backend)
{
        BackendFacts facts;

        backend_facts(backend, &facts);
        if (backend_tier(backend) == TIER_NONE)
                log_warning("Kernel %s offers no way to enforce%s%s%s%s", facts.kernel,
                            facts.missing[0] ? ": " : "", facts.missing,
                            facts.remedy[0] ? "; " : "", facts.remedy);
        else
                log_info("Kernel %s enforces by tier %s", facts.kernel,
                         tier_to_string(backend_tier(backend)));
}

static int bring_up_backend(Manager *manager)
{
        BackendConfig config = {.pin_directory = manager->config->pin_directory,
                                .canary_directory = manager->config->runtime_directory,
                                .on_event = on_event,
                                .userdata = manager,
                                .is_unguarded = !manager->config->protects_self,
                                .takes_times = manager->config->takes_times,
                                .signal = manager->config->signal};
        int r;

        r = handover_take(&config.handed, &manager->kept);
        if (r < 0)
                return r;
        r = backend_new(&manager->backend, &config);
        if (r < 0)
                return r;
        say_backend(manager->backend);
        return 0;
}

static int bring_up_enforcement(Manager *manager)
{
        EnforcementConfig config = {
                .state_directory = manager->config->state_directory,
                .trust = {.directory = manager->config->trust_directory,
                          .machine = manager->machine,
                          .requires_signature = manager->config->requires_signature},
                .marker_directory = manager->config->marker_directory,
                .baseline_file = manager->config->baseline_policy,
                .policy_directory = manager->config->policy_directory,
                .backend = manager->backend,
                .on_change = on_change,
                .userdata = manager};
        sd_id128_t machine;
        int r;

        /* Without it no document is for this machine alone. */
        if (sd_id128_get_machine(&machine) >= 0)
                sd_id128_to_string(machine, manager->machine);
        r = enforcement_new(&manager->enforcement, &config);
        if (r < 0)
                return r;
        release_others(manager);
        keep_links(manager);
        say_hooks(manager->backend);
        return 0;
}

/* With a rate of 0 nothing is written by its protocol, and lines go to standard error alone. */
static int bring_up_journal(Manager *manager)
{
        int r;

        if (manager->config->journal_rate == 0)
                return 0;
        r = journal_new(&manager->journal, JOURNAL_SOCKET);
        if (r < 0)
                return log_errno(r, "The journal cannot be written");
        log_set_journal(manager->journal);
        return 0;
}

static int bring_up_hub(Manager *manager)
{
        EventCounters before;
        EventHubConfig config = {.loop = manager->loop,
                                 .name_rule = name_rule,
                                 .visible_path = visible_path,
                                 .userdata = manager,
                                 .tallies = backend_tallies(manager->backend),
                                 .journal = manager->journal,
                                 .journal_rate = manager->config->journal_rate};
        int fd = backend_event_fd(manager->backend), r;

        backend_event_counters(manager->backend, &before);
        config.delivered = before.delivered;
        config.suppressed = before.suppressed;
        r = event_hub_new(&manager->hub, &config);
        if (r < 0)
                return r;
        note_lost(manager);
        if (fd < 0)
                return 0;
        r = sd_event_add_io(manager->loop, &manager->ring, fd, EPOLLIN, on_ring, manager);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(manager->ring, RING_PAUSE_USEC, 1);
        /* What was repeated while no service was there is told now. */
        if (r >= 0)
                r = sd_event_add_time_relative(manager->loop, &manager->sweep, CLOCK_BOOTTIME, 0, 0,
                                               on_sweep, manager);
        return r < 0 ? log_errno(r, "Events cannot be waited for") : 0;
}

static int bring_up_bus(Manager *manager)
{
        BusServerConfig config = {.loop = manager->loop,
                                  .enforcement = manager->enforcement,
                                  .backend = manager->backend,
                                  .hub = manager->hub,
                                  .polkit_timeout_usec = manager->config->polkit_timeout_usec,
                                  .on_name = on_name,
                                  .on_absent = on_absent,
                                  .userdata = manager};

        return bus_server_new(&manager->bus, &config);
}

static int bring_up_mounts(Manager *manager)
{
        int fd = backend_mounts_fd(manager->backend), r;

        if (fd < 0)
                return 0;
        r = sd_event_add_io(manager->loop, &manager->mounts, fd, EPOLLPRI, on_mounts, manager);
        return r < 0 ? log_errno(r, "Mounts cannot be watched") : 0;
}

static int bring_up_self_test(Manager *manager)
{
        uint64_t usec = 0;
        int r;

        r = sd_watchdog_enabled(0, &usec);
        if (r < 0)
                return log_errno(r, "What the watchdog expects is not to be understood");
        manager->self_test_usec = r > 0 && usec / 2 < SELF_TEST_USEC ? usec / 2 : SELF_TEST_USEC;
        r = sd_event_add_time_relative(manager->loop, &manager->self_test, CLOCK_MONOTONIC,
                                       manager->self_test_usec, 0, on_self_test, manager);
        return r < 0 ? log_errno(r, "The self-test cannot be set up") : 0;
}

static int bring_up_ends(Manager *manager)
{
        int r = sd_event_add_time(manager->loop, &manager->ends, CLOCK_BOOTTIME, 0, 0, on_end,
                                  manager);

        return r < 0 ? log_errno(r, "What is to end by itself cannot be waited for") : 0;
}

/* While a method is under way it waits. */
static int on_reload(sd_event_source *source, uint64_t now, void *userdata)
{
        Manager *manager = userdata;
        int r;

        if (bus_server_is_busy(manager->bus)) {
                r = sd_event_source_set_time_relative(source, BUSY_PAUSE_USEC);
                return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        log_notice("The policies of %s are loaded anew", manager->config->policy_directory);
        enforcement_load_folder(manager->enforcement, NULL);
        bus_server_refresh(manager->bus);
        say_status(manager);
        return 0;
}

/* What asks for it: systemctl reload. */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Manager *manager = userdata;
        int r = manager->reload ? sd_event_source_set_enabled(manager->reload, SD_EVENT_ONESHOT)
                                : 0;

        if (r < 0)
                log_errno(r, "The policies cannot be loaded anew");
        return 0;
}

static int bring_up_reload(Manager *manager)
{
        int r = sd_event_add_time(manager->loop, &manager->reload, CLOCK_MONOTONIC, 0, 0, on_reload,
                                  manager);

        if (r >= 0)
                r = sd_event_source_set_enabled(manager->reload, SD_EVENT_OFF);
        return r < 0 ? log_errno(r, "A reload cannot be waited for") : 0;
}

static int bring_up_loop(Manager *manager)
{
        sigset_t signals;
        int r;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return log_errno(-errno, "Signals cannot be blocked");
        r = sd_event_new(&manager->loop);
        if (r >= 0)
                r = sd_event_add_signal(manager->loop, &manager->term, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(manager->loop, &manager->interrupt, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(manager->loop, &manager->hangup, SIGHUP, on_hangup,
                                        manager);
        if (r >= 0)
                r = sd_event_add_defer(manager->loop, &manager->rest, on_rest, manager);
        if (r >= 0)
                r = sd_event_source_set_priority(manager->rest, SD_EVENT_PRIORITY_IDLE);
        return r < 0 ? log_errno(r, "The event loop cannot be set up") : 0;
}

int manager_new(Manager **ret_manager, const Config *config)
{
        static int (*const steps[])(Manager *) = {
                claim_directory,      bring_up_loop, bring_up_journal, bring_up_backend,
                bring_up_enforcement, bring_up_hub,  bring_up_bus,     bring_up_mounts,
                bring_up_self_test,   bring_up_ends, bring_up_reload,
        };
        _cleanup_(manager_freep) Manager *manager = calloc(1, sizeof(*manager));
        int r = 0;

        if (!manager)
                return log_errno(-ENOMEM, "The service cannot be set up");
        manager->config = config;
        manager->directory = -1;
        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(steps); i++)
                r = steps[i](manager);
        if (r < 0)
                return r;
        *ret_manager = TAKE_PTR(manager);
        return 0;
}

int manager_run(Manager *manager)
{
        int r;

        r = sd_event_loop(manager->loop);
        sd_notify(0, "STOPPING=1\nSTATUS=Leaving; what is enforced stays enforced");
        return r;
}

Manager *manager_free(Manager *manager)
{
        if (!manager)
                return NULL;
        bus_server_free(manager->bus);
        sd_event_source_disable_unref(manager->ring);
        sd_event_source_disable_unref(manager->sweep);
        sd_event_source_disable_unref(manager->mounts);
        sd_event_source_disable_unref(manager->self_test);
        sd_event_source_disable_unref(manager->rest);
        sd_event_source_disable_unref(manager->ends);
        sd_event_source_disable_unref(manager->reload);
        sd_event_source_disable_unref(manager->term);
        sd_event_source_disable_unref(manager->interrupt);
        sd_event_source_disable_unref(manager->hangup);
        event_hub_free(manager->hub);
        log_set_journal(NULL);
        journal_free(manager->journal);
        enforcement_free(manager->enforcement);
        backend_free(manager->backend);
        sd_event_unref(manager->loop);
        closep(&manager->directory);
        free(manager);
        return NULL;
}
