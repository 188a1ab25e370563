/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random document: texts that the parser takes (mostly), of any version, written the way people
 * write: comments, blanks, sections that come again. GLib's random numbers: run with --seed to see
 * the same again. */
#pragma once

/* version: 1 to 7. The caller frees it. */
char *random_document(unsigned version);
