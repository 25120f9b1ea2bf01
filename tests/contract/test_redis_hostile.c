/* redis_store against a server that greets like Redis and then says what Redis never would. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/contract/cache.h"

enum { ENDLESS_BYTES = 1 << 16 };

/* What it says to every command. */
struct lie {
    const char *says; /* NULL: it hangs up */
    bool endless; /* and goes on for as long as somebody listens */
    bool slow; /* byte by byte */
};

static void speak(int client, const struct lie *lie)
{
    static char noise[ENDLESS_BYTES];
    size_t len = strlen(lie->says);
    memset(noise, 'x', sizeof noise);
    for (size_t i = 0; lie->slow && i < len; i++)
        if (write(client, lie->says + i, 1) != 1)
            return;
    if (!lie->slow && write(client, lie->says, len) < 0)
        return;
    while (lie->endless && write(client, noise, sizeof noise) > 0)
        ;
}

/* One client at a time; its greeting comes in one piece. */
_Noreturn static void serve(int listener, const struct lie *lie)
{
    char bytes[4096];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        for (ssize_t len; (len = read(client, bytes, sizeof bytes - 1)) > 0;) {
            bytes[len] = '\0';
            if (strstr(bytes, "PING"))
                (void)!write(client, "+PONG\r\n", 7);
            else if (lie->says)
                speak(client, lie);
            else
                break;
        }
        close(client);
    }
}

static pid_t start(const char *path, const struct lie *lie)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(path);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 8), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        serve(listener, lie);
    close(listener);
    return pid;
}

static void each_command_ends_once_whatever_comes(void **state)
{
    (void)state;
    static const struct lie lies[] = {
        {NULL, false, false},
        {"?\r\n", false, false},
        {"*2147483647\r\n", false, false},
        {"*1025\r\n:1\r\n", false, false},
        {"*-2\r\n", false, false},
        {"*99999999999999999999\r\n", false, false},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", false, false},
        {"$-7\r\n", false, false},
        {"$99999999999\r\n", true, false},
        {"+", true, false},
        {":1x\r\n", false, false},
        {"+OK\r\n+OK\r\n+OK\r\n", false, false}, /* answers that nobody asked for */
        {"*2\r\n:1\r\n:7\r\n", false, true},
        {"", false, false}, /* nothing at all */
    };
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct redis_server fake = {.socket = "/tmp/doorbuster-fake-XXXXXX"};
        struct cache cache;
        close(mkstemp(fake.socket));
        snprintf(fake.url, sizeof fake.url, "unix://%s", fake.socket);
        pid_t pid = start(fake.socket, &lies[i]);
        cache_begin(&cache, &fake);
        cache.limit_ms = 300;
        cache_open(&cache, 1);
        assert_true(cache_ready(&cache, S(1)));
        for (size_t command = 0; command < CACHE_COMMANDS; command++) {
            enum status status = cache_status(&cache, command, "[\"k\",1,1]");
            bool could_be = status == STATUS_OK && lies[i].slow && command == HSET;
            bool failed = status == STATUS_FAILED || status == STATUS_NO_PEER || status == STATUS_DEADLINE;
            bool as_told = status == STATUS_OK && command == SETEX && lies[i].says && lies[i].says[0] == '+';
            if (!failed && !could_be && !as_told)
                fail_msg("%s: %s", lies[i].says, status_info(status)->text);
        }
        cache_pass(&cache, MS(50));
        assert_int_equal(cache.toy.answer_count, CACHE_COMMANDS);
        cache_end(&cache);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        unlink(fake.socket);
    }
    getrusage(RUSAGE_SELF, &after);
    print_message("%ld KiB more\n", after.ru_maxrss - before.ru_maxrss);
    assert_true(after.ru_maxrss - before.ru_maxrss < 256 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_ends_once_whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
