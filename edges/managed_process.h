/*
 * managed_process: the programs of a managed server - found, started as the right user, stopped, and recognised when
 * somebody killed doorbuster and they were left over.
 *
 * Servers refuse to run as root, so root starts them as another user. A server's working folder is its `data`; with
 * its pid and start time in the file `server` that tells it from anybody else's process. It ends when the thread that
 * started it does. Calls block; times in milliseconds.
 */
#ifndef EDGES_MANAGED_PROCESS_H
#define EDGES_MANAGED_PROCESS_H

#include "edges/managed_folder.h"

struct managed_user {
    const char *name; /* NULL: whoever we are */
    uid_t uid;
    gid_t gid;
};

/* Who a server runs as: we, or the first of these users (NULL ends the list) if we are root. False: none of them is
   there, explained. */
bool managed_user_find(struct managed_user *user, const char *const *names, struct text *error);

/* The folder that has all of these programs (NULL ends the list): in PATH, else /usr/lib/postgresql/N/bin, the newest.
   False: none. */
bool managed_programs(char path[static MANAGED_PATH_MAX], const char *const *programs);

/* Runs a program to its end. False: it could not be run, or failed. `output`: what it said, at most 64 KiB. */
bool managed_process_run(const struct managed_user *user, const char *const *argv, struct text *output);

/* Whether the user can pass into the folder. */
bool managed_user_reaches(const struct managed_user *user, const char *path);

/* Starts a server in `data`; what it says goes to `log`. 0: explained. `end_signal` ends it when we are gone. */
pid_t managed_process_start(const struct managed_folder *folder, const struct managed_user *user,
                            const char *const *argv, int end_signal, struct text *error);

/* Ends the server of an earlier doorbuster, if there is one: with the signal, after the limit with SIGKILL. False: it is
   there still. */
bool managed_process_end_stale(const struct managed_folder *folder, int end_signal, int64_t limit_ms);

/* Ends a child: the signal, and SIGKILL after the limit. */
void managed_process_end(pid_t pid, int end_signal, int64_t limit_ms);
/* False: the child has ended, and is forgotten. */
bool managed_process_runs(pid_t pid);

void managed_sleep(int64_t sleep_ms);
int64_t managed_now_ms(void); /* a clock that never goes back */

#endif
