/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image reader: what an image decides (policy/ask.c reads it as the programs in the kernel do), in
 * the words of the reference; and what stands in it where. */
#pragma once

#include <stdint.h>

#include "policy-reference.h"

/* What the image decides. */
Verdict image_decide(const PolicyImage *image, const Who *who, const What *what);

/* What stands in the trie for a place; of a place that has no node, what it inherits. */
typedef struct ImagePlace {
        uint32_t list, marks;
        uint32_t node; /* NODE_OFF if no rule names anything below */
        int is_named;  /* it has a node, or a name in the trie */
} ImagePlace;
ImagePlace image_place(const PolicyImage *image, const Place *place);

const PinEntry *image_find_pin(const PolicyImage *image, uint32_t device, uint64_t inode);

/* Asserts what is true of every image. */
void image_check(const PolicyImage *image);
