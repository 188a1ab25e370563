/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File: bounded reading and durable replacing of whole files, without following symbolic links. */
#pragma once

#include <stddef.h>

/* Reads at most max bytes of name in the directory dir_fd (AT_FDCWD for the working directory) and
 * appends a NUL that n does not count. Returns 0, -EFBIG for a longer file, -ELOOP for a symbolic
 * link in the path, or another negative errno. A disk may fail once: -EIO is returned when it did
 * twice. */
int file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_n);

/* Whether that error of file_read() says something of the file. Descriptors or memory that are
 * short do not, and must not make it pass for a damaged one. */
int file_is_damaged(int error);

/* The same for a file that belongs to root or to us, and that nobody else may write; -EPERM for
 * others. */
int file_read_trusted(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_n);

/* Writes data to a new file of mode 0600 beside name, syncs it, renames it to name, syncs the
 * directory. Returns 0 or a negative errno; on failure name is what it was, or, if it was the
 * directory that could not be synced, what it should be but perhaps not after a power cut. Nothing
 * that failed is tried again: a sync that succeeds after one that failed says nothing. */
int file_replace(int dir_fd, const char *name, const void *data, size_t n);

/* Adds to the end of a file, which is made with mode 0600 if it is not there, and syncs it. Returns
 * 0 or a negative errno; on failure nobody knows how much of it is there. */
int file_append(int dir_fd, const char *name, const void *data, size_t n);

/* Removes a file, durably. Returns 0, also if there is none, or a negative errno. */
int file_remove(int dir_fd, const char *name);

/* Gives a file one more name, in the place of what had it, at no moment without. Not synced.
 * Returns 0 or a negative errno; on failure both names are what they were. */
int file_link(int from_fd, const char *from, int to_fd, const char *to);

/* Syncs a directory. Returns 0 or a negative errno. */
int directory_sync(int dir_fd);

/* Opens a directory below no symbolic link, making it, durably, with the given mode if it is not
 * there.
 * Returns a descriptor or a negative errno. */
int directory_open(const char *path, unsigned mode);

/* Opens a directory that is there, below no symbolic link, that belongs to root or to us and that
 * nobody else may write. Returns a descriptor, -EPERM, or another negative errno. */
int directory_open_trusted(const char *path);

/* Locks a directory until the process, and what it forked, has closed it. A child of one that was
 * killed may be there a moment longer: that is waited for, up to a second. 0, -EBUSY, or another
 * negative errno. */
int directory_lock(int dir_fd);

/* Calls func with each name in a directory, whatever order they are in, until it returns something
 * other than 0. Returns that, or a negative errno: a directory that could not be read to its end
 * must not pass for one with less in it. */
typedef int (*DirectoryFunc)(void *userdata, const char *name);
int directory_each(int dir_fd, DirectoryFunc func, void *userdata);
