#include "tests/contract/pg_server.h"

#include "edges/managed_sql.h"

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { START_TRIES = 1000, START_STEP_US = 10000, ARGUMENTS_MAX = 32 };

static bool find_binaries(char bin[static 256])
{
    glob_t found;
    bool any = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0;
    if (any) {
        snprintf(bin, 256, "%s", found.gl_pathv[found.gl_pathc - 1]);
        *strrchr(bin, '/') = '\0';
    }
    globfree(&found);
    return any;
}

static const struct passwd *server_user(void)
{
    return geteuid() == 0 ? getpwnam("postgres") : NULL;
}

/* In the child: another user, its end with ours, quiet. */
static void become(const struct pg_server *server)
{
    const struct passwd *user = server_user();
    char log[96];
    if (user && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    snprintf(log, sizeof log, "%s/log", server->folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    if (chdir("/") != 0)
        _exit(126);
}

pid_t pg_server_begin(const struct pg_server *server, const char *path, const char *const *arguments)
{
    const char *list[ARGUMENTS_MAX];
    size_t count = 0;
    list[count++] = path;
    while (*arguments && count < ARGUMENTS_MAX - 1)
        list[count++] = *arguments++;
    list[count] = NULL;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        become(server);
        execv(path, (char *const *)list);
        _exit(127);
    }
    return pid;
}

static pid_t begin(const struct pg_server *server, const char *program, const char *const *arguments)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", server->bin, program);
    return pg_server_begin(server, path, arguments);
}

bool pg_server_make(struct pg_server *server, int64_t rows)
{
    const struct passwd *user = server_user();
    char data[96], grow[64];
    int status;
    *server = (struct pg_server){0};
    if (!find_binaries(server->bin) || (geteuid() == 0 && !user))
        return false;
    snprintf(server->folder, sizeof server->folder, "/tmp/doorbuster-pg-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    assert_true(!user || chown(server->folder, user->pw_uid, user->pw_gid) == 0);
    assert_int_equal(chmod(server->folder, 0755), 0);
    snprintf(data, sizeof data, "%s/data", server->folder);
    const char *const initdb[] = {"-D", data,   "-U",       "postgres", "-A",        "trust",
                                  "-E", "UTF8", "--locale", "C.UTF-8",  "--no-sync", NULL};
    assert_int_equal(waitpid(begin(server, "initdb", initdb), &status, 0) > 0 ? status : -1, 0);
    snprintf(server->conninfo, sizeof server->conninfo, "host=%s user=postgres dbname=postgres",
             server->folder);
    pg_server_start(server);
    pg_server_do(server, managed_init_db);
    snprintf(grow, sizeof grow, "SELECT shop_grow(%lld)", (long long)rows);
    pg_server_do(server, grow);
    return true;
}

void pg_server_start(struct pg_server *server)
{
    char data[96];
    snprintf(data, sizeof data, "%s/data", server->folder);
    const char *const postgres[] = {"-D",
                                    data,
                                    "-k",
                                    server->folder,
                                    "-h",
                                    "",
                                    "-F",
                                    "-c",
                                    "max_connections=40",
                                    "-c",
                                    "lc_messages=C",
                                    "-c",
                                    "full_page_writes=off",
                                    NULL};
    for (int i = 0; i < START_TRIES && PQping(server->conninfo) != PQPING_OK; i++) {
        /* While the processes of one that was killed still end, its successor gives up at once. */
        if (!server->pid || waitpid(server->pid, NULL, WNOHANG) != 0)
            server->pid = begin(server, "postgres", postgres);
        usleep(START_STEP_US);
    }
    assert_int_equal(PQping(server->conninfo), PQPING_OK);
}

/* Each of its processes leads a group of its own. */
static void signal_all(const struct pg_server *server, int number)
{
    char list[128], line[32];
    snprintf(list, sizeof list, "ps -o pid= --ppid %d", (int)server->pid);
    FILE *pids = popen(list, "r");
    kill(server->pid, number);
    while (pids && fgets(line, sizeof line, pids))
        kill((pid_t)atoi(line), number);
    if (pids)
        pclose(pids);
}

void pg_server_freeze(const struct pg_server *server, bool frozen)
{
    signal_all(server, frozen ? SIGSTOP : SIGCONT);
}

void pg_server_kill(struct pg_server *server)
{
    signal_all(server, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void pg_server_remove(struct pg_server *server)
{
    char command[128];
    if (server->pid) {
        kill(server->pid, SIGQUIT);
        waitpid(server->pid, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf -- '%s'", server->folder);
    if (server->folder[0])
        assert_int_equal(system(command), 0);
    *server = (struct pg_server){0};
}

static void ignore_notice(void *owner, const PGresult *notice)
{
    (void)owner;
    (void)notice;
}

int64_t pg_server_do(const struct pg_server *server, const char *sql)
{
    PGconn *pg = PQconnectdb(server->conninfo);
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s", PQerrorMessage(pg));
    int64_t number = PQntuples(result) ? atoll(PQgetvalue(result, 0, 0)) : 0;
    PQclear(result);
    PQfinish(pg);
    return number;
}
