/*
 * managed_folder: where a managed server lives between runs - a folder in the user's cache that is ours alone.
 *
 *     CACHE/doorbuster/postgresql-15/   lock     held (flock) by the doorbuster that uses the server; its pid
 *                                       server   pid and start time of the server's process
 *                                       stamp    what is in data, written once it is whole
 *                                       data/    the server's own folder
 *                                       making/  where a first one is made, by the pid of who makes it
 *                                       socket   where the socket is, if CACHE is too long a path for one
 *                                       log
 *
 * CACHE is XDG_CACHE_HOME or ~/.cache; for root, whose servers run as somebody else, /var/cache. Folders and files
 * that a symbolic link or another owner stands in for are refused. Errors are one line and say what to do.
 */
#ifndef EDGES_MANAGED_FOLDER_H
#define EDGES_MANAGED_FOLDER_H

#include "core/text.h"

#include <sys/types.h>

enum { MANAGED_PATH_MAX = 512, MANAGED_FILE_MAX = 256 };

struct managed_folder {
    char path[MANAGED_PATH_MAX];
    int fd; /* of the folder */
    int lock; /* open and held */
};

/* CACHE/doorbuster. `cache` stands for CACHE unless it is NULL. False: the environment says none, explained. */
bool managed_cache(char path[static MANAGED_PATH_MAX], const char *cache, struct text *error);

/* Makes the folder and takes its lock. `open`: others may pass through it, as a server of another user must. False:
   explained; another doorbuster may be using it. */
bool managed_folder_open(struct managed_folder *folder, const char *cache, const char *name, bool open,
                         struct text *error);
/* The same for a folder that is there already: nothing is made. */
bool managed_folder_find(struct managed_folder *folder, const char *cache, const char *name,
                         struct text *error);
void managed_folder_close(struct managed_folder *folder);

/* A small file's first line, without its end; false: none. */
bool managed_folder_read(const struct managed_folder *folder, const char *name,
                         char line[static MANAGED_FILE_MAX]);
bool managed_folder_write(const struct managed_folder *folder, const char *name, const char *line,
                          struct text *error);
/* A folder in it, empty, belonging to this user. */
bool managed_folder_renew(const struct managed_folder *folder, const char *name, uid_t uid, gid_t gid,
                          struct text *error);
/* Removes whatever is called so, and adds what it took on the disk. False: something is left. */
bool managed_folder_remove(const struct managed_folder *folder, const char *name, int64_t *bytes);

#endif
