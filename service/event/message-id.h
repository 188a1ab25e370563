/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Message ids of what the service writes into the journal; service/systemd/aegis.catalog explains
 * them. Never changed. */
#pragma once

#define MESSAGE_ID_EVENT "af385a1fe4ae5a89c41831f51adadac3" /* something was denied or recorded */
#define MESSAGE_ID_MISSED                                                                          \
        "e833f8d66f3f397d5c44f22d8113cf55" /* events that are not in the journal */
#define MESSAGE_ID_CHANGE "a3d3222288d70f8a6c58743cc7b4e2ba"  /* what is in force was changed */
#define MESSAGE_ID_REFUSAL "099a00a2d590800e8499c1cfb67c5a12" /* a change was not allowed */
