/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages: see pages.h. */
#include "util/pages.h"

#include <sys/mman.h>

void *pages_new(size_t n)
{
        void *pages = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return pages == MAP_FAILED ? NULL : pages;
}

void pages_free(void *pages, size_t n)
{
        munmap(pages, n);
}
