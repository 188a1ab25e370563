/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ear: what a listener hears of the service. */
#pragma once

#include "lab.h"

/* One line a signal: "path member interface name name…", in the order of arrival. */
typedef struct Ear {
        sd_bus *bus;
        GString *heard;
        GString *values; /* of properties that are strings: "PATH NAME=VALUE\n" */
} Ear;

/* A user's, who hears nothing yet. */
Ear ear_open(Lab *lab);
void ear_listen(Ear *ear);
/* All that the service has sent so far has arrived once it has answered the same listener. */
void ear_settle(Lab *lab, Ear *ear);
void ear_close(Ear *ear);
