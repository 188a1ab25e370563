/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages: what has room for many and mostly holds few. Of it only what was ever written takes
 * memory; from the heap it would be all, if something else has been there before. */
#pragma once

#include <stddef.h>

/* Returns n bytes of zeros for pages_free(), or NULL. */
void *pages_new(size_t n);
void pages_free(void *pages, size_t n);
