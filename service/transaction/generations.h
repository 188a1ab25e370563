/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Generations: the last records that were in force, on disk, so that one can be gone back to. Each
 * is another name of the record that it was (`generations/NUMBER-DIGEST`), and costs nothing while
 * it is in force. What is missing or damaged there harms nothing but the way back to it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transaction/store.h"
#include "util/cleanup.h"

/* How many are kept, and how many bytes they may have together; two are kept whatever they have. */
#define GENERATIONS_MAX 16u
#define GENERATIONS_SIZE_MAX (128u * 1024 * 1024)

/* Positive result of generations_read(): there is no whole record of that number. */
#define GENERATIONS_E_NONE 1

typedef struct Generations Generations;

/* Finds what there is. directory: of the state; a descriptor that outlives this. Returns 0 or a
 * negative errno. */
int generations_new(Generations **ret_generations, int directory);
Generations *generations_free(Generations *generations);

/* Gives a record of the store its second name, durably, and lets the oldest go. What fails is
 * logged. */
void generations_keep(Generations *generations, StoreFile file, uint64_t generation,
                      const uint8_t digest[DIGEST_SIZE]);

/* That one stays, however many come; 0: none. */
void generations_pin(Generations *generations, uint64_t generation);

size_t generations_size(const Generations *generations);
/* i: from 0, the oldest */
KeptGeneration generations_get(const Generations *generations, size_t i);

/* Reads and checks one. What is damaged is forgotten. Returns 0, GENERATIONS_E_NONE or a negative
 * errno. */
int generations_read(Generations *generations, uint64_t generation, StoreRecord *ret_record);

DEFINE_CLEANUP(Generations *, generations_free);
