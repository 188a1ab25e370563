/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest exec: programs to run, and the many ways to run them, each in a child of its own. */
#pragma once

#include <glib.h>

/* How a child came to its end. */
typedef struct Run {
        int error;  /* of its exec; 0: it was run */
        int status; /* what it ended with; of a signal, 128 and its number */
} Run;

/* arguments: NULL-terminated, the program's name first. environment: of it all, or NULL for none.
 */
Run run(const char *path, const char *const arguments[], const char *const environment[]);

/* As the shell would: a line of words with a single blank between. The first is the path; the
 * second is what it is told its name is. */
Run run_line(const char *line);

/* A program that does nothing. Returns the errno of its exec; asserts that it ended well. */
int try_run(const char *path);

/* The same of an open descriptor, by execveat(). */
int try_run_fd(int fd);

/* The same by a name of /proc. */
int try_run_link(int fd);

/* A program that links to no library, does as busybox does under the name it is told, and has other
 * bytes for each text. Its directory is made. */
void make_program(const char *path, const char *text);

/* A small one that ends at once, whatever it is told. */
void make_tiny(const char *path, const char *text);

/* A program of this machine, with its libraries. */
void copy_program(const char *path, const char *from);

void make_script(const char *path, const char *interpreter, const char *text);

/* In hexadecimal digits; the caller frees them. */
char *sha256_of(const char *path);

/* Puts it under fs-verity and tells its digest. Asserts. */
char *enable_verity(const char *path);

/* errno of mapping the file to execute it: at once; or as data first, and then it is turned; or as
 * data, by a process whose data are all to be executed. */
int try_map(const char *path);
int try_protect(const char *path);
int try_map_as_data(const char *path);
