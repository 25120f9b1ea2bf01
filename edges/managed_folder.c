#include "edges/managed_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32 };

static bool fails(struct text *error, const char *path, const char *what)
{
    text_str(error, path);
    text_lit(error, ": ");
    text_str(error, what);
    return false;
}

/* ---- Where ---- */

static bool fits(int printed)
{
    return printed > 0 && printed < MANAGED_PATH_MAX;
}

bool managed_cache(char path[static MANAGED_PATH_MAX], const char *cache, struct text *error)
{
    const char *home = getenv("HOME");
    int printed;
    if (!cache)
        cache = getenv("XDG_CACHE_HOME");
    if (cache && cache[0] == '/')
        printed = snprintf(path, MANAGED_PATH_MAX, "%s/doorbuster", cache);
    else if (!geteuid())
        printed = snprintf(path, MANAGED_PATH_MAX, "/var/cache/doorbuster");
    else if (home && home[0] == '/')
        printed = snprintf(path, MANAGED_PATH_MAX, "%s/.cache/doorbuster", home);
    else
        return fails(error, "managed servers", "there is no place to keep them in: set XDG_CACHE_HOME");
    return fits(printed) || fails(error, "managed servers", "the cache folder's path is too long");
}

/* Every folder of the path that is missing. */
static bool make_parents(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        bool made = !mkdir(path, 0755) || errno == EEXIST;
        *at = '/';
        if (!made)
            return false;
    }
    return true;
}

/* -1: explained. The folder is ours, and no link. */
static int own_folder(const char *path, mode_t mode, struct text *error)
{
    struct stat is;
    if (mode && mkdir(path, mode) && errno != EEXIST) {
        fails(error, path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &is)) {
        fails(error, path, strerror(errno));
    } else if (is.st_uid != geteuid()) {
        fails(error, path, "belongs to another user; set XDG_CACHE_HOME to a folder of your own");
    } else if (mode && fchmod(fd, mode)) {
        fails(error, path, strerror(errno));
    } else {
        return fd;
    }
    if (fd != -1)
        close(fd);
    return -1;
}

/* ---- The lock ---- */

static bool still_there(const struct managed_folder *folder)
{
    struct stat held, named;
    return !fstat(folder->lock, &held) && !fstatat(folder->fd, "lock", &named, AT_SYMLINK_NOFOLLOW) &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static bool refuse_taken(const struct managed_folder *folder, struct text *error)
{
    char pid[MANAGED_FILE_MAX];
    fails(error, folder->path, "in use by another doorbuster");
    if (managed_folder_read(folder, "lock", pid) && pid[0]) {
        text_lit(error, " (process ");
        text_str(error, pid);
        text_char(error, ')');
    }
    text_lit(error, "; wait for its end, or set XDG_CACHE_HOME to another folder");
    return false;
}

/* Whoever cleans may remove the file between our opening and locking it: then there is a new one to lock. */
static bool take_lock(struct managed_folder *folder, int create, struct text *error)
{
    for (;;) {
        folder->lock = openat(folder->fd, "lock", O_RDWR | create | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (folder->lock == -1)
            return fails(error, folder->path, strerror(errno));
        if (flock(folder->lock, LOCK_EX | LOCK_NB)) {
            bool taken = errno == EWOULDBLOCK;
            close(folder->lock);
            folder->lock = -1;
            return taken ? refuse_taken(folder, error) : fails(error, folder->path, strerror(errno));
        }
        if (still_there(folder))
            break;
        close(folder->lock);
    }
    char pid[24];
    int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(folder->lock, 0) || pwrite(folder->lock, pid, (size_t)len, 0) != len)
        return fails(error, folder->path, strerror(errno));
    return true;
}

static bool enter(struct managed_folder *folder, const char *name, mode_t mode, struct text *error)
{
    size_t len = strlen(folder->path);
    if (!fits(snprintf(folder->path + len, MANAGED_PATH_MAX - len, "/%s", name)) ||
        len + strlen(name) + 1 >= MANAGED_PATH_MAX)
        return fails(error, folder->path, "the path is too long");
    folder->fd = own_folder(folder->path, mode, error);
    if (folder->fd != -1 && take_lock(folder, mode ? O_CREAT : 0, error))
        return true;
    managed_folder_close(folder);
    return false;
}

bool managed_folder_open(struct managed_folder *folder, const char *cache, const char *name, bool open,
                         struct text *error)
{
    mode_t mode = open ? 0755 : 0700;
    *folder = (struct managed_folder){.fd = -1, .lock = -1};
    if (!managed_cache(folder->path, cache, error))
        return false;
    if (!make_parents(folder->path))
        return fails(error, folder->path, strerror(errno));
    int parent = own_folder(folder->path, mode, error);
    if (parent == -1)
        return false;
    close(parent);
    return enter(folder, name, mode, error);
}

bool managed_folder_find(struct managed_folder *folder, const char *cache, const char *name,
                         struct text *error)
{
    *folder = (struct managed_folder){.fd = -1, .lock = -1};
    return managed_cache(folder->path, cache, error) && enter(folder, name, 0, error);
}

void managed_folder_close(struct managed_folder *folder)
{
    if (folder->lock != -1)
        close(folder->lock);
    if (folder->fd != -1)
        close(folder->fd);
    folder->lock = folder->fd = -1;
}

/* ---- Its files ---- */

bool managed_folder_read(const struct managed_folder *folder, const char *name,
                         char line[static MANAGED_FILE_MAX])
{
    int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1)
        return false;
    ssize_t got = read(fd, line, MANAGED_FILE_MAX - 1);
    close(fd);
    if (got < 0)
        return false;
    line[got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* By another name first, so that whoever reads it never finds half. */
bool managed_folder_write(const struct managed_folder *folder, const char *name, const char *line,
                          struct text *error)
{
    size_t len = strlen(line);
    int fd = openat(folder->fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool good = fd != -1 && write(fd, line, len) == (ssize_t)len && write(fd, "\n", 1) == 1;
    if (fd != -1 && close(fd))
        good = false;
    if (good && !renameat(folder->fd, "new", folder->fd, name))
        return true;
    return fails(error, folder->path, strerror(errno));
}

bool managed_folder_renew(const struct managed_folder *folder, const char *name, uid_t uid, gid_t gid,
                          struct text *error)
{
    int64_t bytes = 0;
    if (managed_folder_remove(folder, name, &bytes) && !mkdirat(folder->fd, name, 0700) &&
        !fchownat(folder->fd, name, uid, gid, AT_SYMLINK_NOFOLLOW))
        return true;
    return fails(error, folder->path, strerror(errno));
}

static bool remove_at(int parent, const char *name, int64_t *bytes, int depth);

static bool remove_all_in(int fd, int64_t *bytes, int depth)
{
    DIR *folder = fdopendir(fd);
    bool whole = true;
    if (!folder) {
        close(fd);
        return false;
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            whole = remove_at(dirfd(folder), entry->d_name, bytes, depth + 1) && whole;
    closedir(folder);
    return whole;
}

/* No path is walked twice and no link followed, as the folder's owner may be another user than we. */
static bool remove_at(int parent, const char *name, int64_t *bytes, int depth)
{
    struct stat is;
    if (fstatat(parent, name, &is, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT;
    if (S_ISDIR(is.st_mode)) {
        int fd =
            depth < DEPTH_MAX ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (fd == -1 || !remove_all_in(fd, bytes, depth))
            return false;
    }
    *bytes += (int64_t)is.st_blocks * 512;
    return !unlinkat(parent, name, S_ISDIR(is.st_mode) ? AT_REMOVEDIR : 0) || errno == ENOENT;
}

bool managed_folder_remove(const struct managed_folder *folder, const char *name, int64_t *bytes)
{
    return remove_at(folder->fd, name, bytes, 0);
}
