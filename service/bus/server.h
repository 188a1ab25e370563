/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BusServer: the service on the system bus. Puts the objects there, takes the name
 * org.aegis.Enforcer last, and tells listeners what changed. A lost bus is no reason to stop
 * enforcing: questions that were open are dropped, and the server connects again by itself. */
#pragma once

#include <stdint.h>

#include <systemd/sd-event.h>

#include "backend/backend.h"
#include "event/event.h"
#include "transaction/transaction.h"
#include "util/cleanup.h"

typedef struct BusServer BusServer;

/* result: 0 when the name has become ours (again after each reconnection), or a negative errno when
 * this service cannot have it: -EEXIST if another process owns it, -EACCES if the bus policy
 * forbids. */
typedef void (*BusServerNameFunc)(void *userdata, int result);

typedef struct BusServerConfig {
        sd_event *loop;
        Enforcement *enforcement;
        Backend *backend;
        EventHub *hub;
        uint64_t polkit_timeout_usec; /* an open question is given up after this; 0: 120 s */
        BusServerNameFunc on_name;
        void (*on_absent)(void *userdata); /* there is no bus yet, as early in boot; or NULL */
        void *userdata;
} BusServerConfig;

/* Begins to connect; on_name is told the outcome from the loop. A bus that is not there yet is no
 * error. Everything in config must outlive the server. Returns 0 or a negative errno. */
int bus_server_new(BusServer **ret_server, const BusServerConfig *config);
BusServer *bus_server_free(BusServer *server);

/* To be called from EnforcementConfig.on_change. Emits InterfacesAdded/Removed and
 * PropertiesChanged for what differs from what was told last. server may be NULL (nobody is
 * listening yet). */
void bus_server_changed(BusServer *server, EnforcementChange change);

/* Tells listeners what differs in the hooks and in the posture, when that did not come from a
 * change of the policy: after a self-test, for instance. */
void bus_server_refresh(BusServer *server);

/* Whether a method is under way that is cut into slices: what is in force must not be changed by
 * anything else meanwhile. */
int bus_server_is_busy(const BusServer *server);

DEFINE_CLEANUP(BusServer *, bus_server_free);
