# ctest: label=live build=release serial
"""Servers of our own: begun, filled, kept, ended; after a kill as well, and never anybody else's."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import Machine, judge_time  # noqa: E402
from managed_servers import DRIVER, PROGRAM, SMALL, Checks, Servers, cache_folder, environment, missing, running, until  # noqa: E402

ROWS = 500000
FIRST_S, SECOND_S = 15, 5
FRESH = "SELECT count(*), (SELECT count(*) FROM orders), (SELECT count(*) FROM pg_indexes WHERE tablename = 'products') FROM products"
ORDER = "INSERT INTO orders (id, user_id, total, status) VALUES (1, 'user-1', 9.99, 'created')"


def clean(cache):
    return subprocess.run([PROGRAM, "clean"], env=environment(cache), capture_output=True, text=True, check=False)


def five_fit(checks, servers):
    """The shop has all of its connections while administrators look on, who take none of them."""
    mine = "FROM pg_stat_activity WHERE usename = 'ecommerce_user'"
    # A session that has ended may be counted for a moment longer.
    checks.that(until(lambda: servers.sql(f"SELECT count(*) {mine}", admin=True) == "0"), "no connection")
    holders = [subprocess.Popen(["psql", "-Xq", servers.begun["postgres"], "-c", "SELECT pg_sleep(60)"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    asleep = f"SELECT count(*) {mine} AND wait_event = 'PgSleep'"
    fit = until(lambda: servers.sql(asleep, admin=True) == "5")
    refused = servers.sql("SELECT 1")
    checks.that("too many connections" in refused, f"the sixth connection: {refused}")
    servers.sql(f"SELECT pg_terminate_backend(pid) {mine}", admin=True)
    checks.that(fit, f"five connections: {[holder.communicate()[1] for holder in holders]}")
    for holder in holders:
        holder.wait()


def first_and_second(checks, cache):
    machine, begun = Machine(os.getpid()), time.monotonic()
    with Servers(cache, "--connections", "5") as one:
        judge_time(checks, machine, time.monotonic() - begun, FIRST_S, "first start")
        checks.equal(one.sql(FRESH), f"{ROWS}|0|4", "a new database")
        checks.equal(one.sql("SHOW listen_addresses"), "", "no port is opened")
        checks.that(f"{ROWS} products" in one.said(), one.said())
        five_fit(checks, one)
        one.sql(ORDER, "UPDATE products SET stock_quantity = 0", "DROP INDEX idx_products_category", "SELECT shop_grow(600000)")
        before = one.begun
        checks.equal(one.stop(), 0, "exit code")
        checks.that(not running(before["postgres_pid"]) and not running(before["redis_pid"]), "servers end with it")
    machine, begun = Machine(os.getpid()), time.monotonic()
    with Servers(cache) as two:
        judge_time(checks, machine, time.monotonic() - begun, SECOND_S, "second start")
        checks.equal(two.sql(FRESH, "SELECT min(stock_quantity) FROM products"), f"{ROWS}|0|4\n1000", "new again")


def sizes(checks, cache):
    with Servers(cache, "--no-redis") as one:
        for rows in (620000, 2000, 3000):
            done = one.tell(f"rows {rows}")
            print(f"{rows} rows: {done['took_ms']} ms")
            checks.that(done["done"], one.said())
            checks.equal(one.sql(FRESH), f"{rows}|0|4", "after a change of size")
        one.sql(ORDER)
    with Servers(cache, "--no-redis", "--keep", *SMALL) as two:
        checks.equal(two.sql(FRESH), "3000|1|4", "kept")


def two_at_once(checks, cache):
    with Servers(cache, *SMALL) as one:
        begun = time.monotonic()
        with Servers(cache, *SMALL) as two:
            checks.equal(two.begun, None, "a second one")
            checks.equal(two.process.wait(), 69, "its exit code")
            checks.that(time.monotonic() - begun < 2, "it is told so at once")
            checks.that(f"process {one.process.pid}" in two.said() and "XDG_CACHE_HOME" in two.said(), two.said())
        told = clean(cache)
        checks.equal(told.returncode, 1, "clean while they are used")
        checks.that(f"process {one.process.pid}" in told.stderr, told.stderr)
        checks.equal(one.sql(FRESH), "2000|0|4", "nothing is gone")
        checks.that(running(one.begun["redis_pid"]), "nor is Redis")


def killed(checks, cache):
    """The servers end by themselves; one that cannot is ended by the next start."""
    with Servers(cache, *SMALL) as one:
        pids = [one.begun["postgres_pid"], one.begun["redis_pid"]]
        one.sql(ORDER)
        one.kill()
        checks.that(until(lambda: not any(map(running, pids))), "they end with the one who began them")
    with Servers(cache, *SMALL, "--keep") as two:
        checks.equal(two.sql(FRESH), "2000|1|4", "what was told is there")
        pids = [two.begun["postgres_pid"], two.begun["redis_pid"]]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        two.kill()
    checks.that(all(map(running, pids)), "left over")
    with Servers(cache, *SMALL) as three:
        checks.that(three.begun and not any(map(running, pids)), f"ended by the next start: {three.said()}")
        for pid in (three.begun["postgres_pid"], three.begun["redis_pid"]):
            os.kill(pid, signal.SIGSTOP)
        pids = [three.begun["postgres_pid"], three.begun["redis_pid"]]
        three.kill()
    told = clean(cache)
    checks.equal(told.returncode, 0, told.stderr)
    checks.that(not any(map(running, pids)) and not os.path.exists(os.path.join(cache, "doorbuster")), f"cleaned: {told.stdout}")
    checks.equal(len(re.findall(r": removed, \d+ MB", told.stdout)), 2, told.stdout)
    print(told.stdout.strip())
    told = clean(cache)
    checks.equal((told.returncode, "nothing there" in told.stdout), (0, True), "clean again")
    for delay in (0.3, 0.45, 0.6, 1.0):  # in the middle of a first start
        half = Servers(cache, ready=False)
        time.sleep(delay)
        half.kill()
        half.__exit__()
    with Servers(cache, *SMALL) as four:
        checks.equal(four.sql(FRESH), "2000|0|4", "after first starts that were killed")


def strangers(checks, cache):
    """A pid that is somebody else's now is left alone."""
    with Servers(cache, *SMALL):
        pass
    with subprocess.Popen(["sleep", "60"]) as other:
        with open(f"/proc/{other.pid}/stat", encoding="utf-8") as file:
            start = file.read().rpartition(")")[2].split()[19]
        for name in ("postgresql-15", "redis"):
            for line in (f"{other.pid} {start}", f"{other.pid} 1", "-1 1", "0 0", "x"):
                with open(os.path.join(cache, "doorbuster", name, "server"), "w", encoding="utf-8") as file:
                    file.write(line + "\n")
                with Servers(cache, *SMALL, "--no-redis" if name != "redis" else "--no-postgres") as one:
                    checks.that(one.begun, one.said())
        checks.equal(other.poll(), None, "somebody else's process")
        with open(os.path.join(cache, "doorbuster", "redis", "server"), "w", encoding="utf-8") as file:
            file.write(f"{other.pid} {start}\n")
        checks.equal(clean(cache).returncode, 0, "clean")
        checks.equal(other.poll(), None, "somebody else's process, after clean")
        other.kill()


def revived(checks, cache):
    with Servers(cache, *SMALL) as one:
        one.sql(ORDER)
        before = one.begun
        for pid in (before["postgres_pid"], before["redis_pid"]):
            os.kill(pid, signal.SIGKILL)
        begun = time.monotonic()
        checks.that(until(lambda: one.tell("revive") and one.sql("SELECT count(*) FROM orders") == "1", 10), one.said())
        print(f"PostgreSQL is back {time.monotonic() - begun:.2f} s after a kill")

        def pong():
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(before["redis"])
                except OSError:
                    return False
                client.sendall(b"PING\r\n")
                return client.recv(16) == b"+PONG\r\n"

        checks.that(until(lambda: one.tell("revive") and pong(), 5), "Redis is back")


def places(checks, cache):
    """Paths too long for a socket, folders that are not ours or that the server's user cannot enter, users."""
    long_one = os.path.join(cache, "a" * 60, "it's \\ long" * 3)
    with Servers(long_one, *SMALL) as one:
        checks.that(one.begun and "/tmp/doorbuster-" in one.begun["postgres"], f"{one.begun} {one.said()}")
        far = [re.search("/tmp/doorbuster-[^/']*", one.begun[name])[0] for name in ("postgres", "redis")]
        checks.equal(one.sql(FRESH), "2000|0|4", "far socket")
        one.kill()
    with Servers(long_one, *SMALL) as two:
        checks.that(two.begun, two.said())
        far += [re.search("/tmp/doorbuster-[^/']*", two.begun[name])[0] for name in ("postgres", "redis")]
    checks.that(not any(map(os.path.exists, far)), f"left in /tmp: {far}")
    checks.equal(clean(long_one).returncode, 0, "clean")

    linked = os.path.join(cache, "linked")
    os.mkdir(linked)
    os.symlink(cache, os.path.join(linked, "doorbuster"))
    with Servers(linked, *SMALL) as one:
        checks.equal((one.begun, one.process.wait()), (None, 69), "a link")
    with Servers(cache, "--no-postgres", PATH="/nonexistent") as one:
        checks.equal((one.begun, one.process.wait()), (None, 69), "no Redis")
        checks.that("apt-get install redis-server" in one.said(), one.said())
    if os.geteuid():
        print("SKIPPED: what root alone can try")
        return
    hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /usr/lib/postgresql && exec "$@"', "sh"]
    if not subprocess.run([*hide, "true"], capture_output=True, check=False).returncode:
        with Servers(cache, "--no-redis", prefix=hide, PATH="/usr/bin:/bin:/usr/sbin:/sbin") as one:
            checks.equal((one.begun, one.process.wait()), (None, 69), "no PostgreSQL")
            checks.that("apt-get install postgresql-15" in one.said(), one.said())
    closed = os.path.join(cache, "closed")
    os.mkdir(closed, 0o700)
    with Servers(closed, *SMALL) as one:
        checks.equal((one.begun, one.process.wait()), (None, 69), "a closed folder")
        checks.that("XDG_CACHE_HOME" in one.said(), one.said())
    other = os.path.join(cache, "other")
    os.mkdir(other)
    shutil.copy(DRIVER, other)
    shutil.chown(other, "nobody", "nogroup")
    nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    with Servers(other, *SMALL, prefix=nobody, driver=os.path.join(other, "managed_driver")) as one:
        checks.that(one.begun, one.said())
        checks.equal(one.sql(FRESH), "2000|0|4", "as another user than root")
        checks.equal(os.stat(os.path.join(other, "doorbuster", "postgresql-15")).st_mode & 0o777, 0o700, "nobody else's")


def main():
    lacking = missing()
    if lacking:
        print("SKIPPED: not here:", lacking)
        return
    checks, cache = Checks(), cache_folder()
    try:
        for part in (first_and_second, sizes, two_at_once, killed, strangers, revived, places):
            begun = time.monotonic()
            part(checks, cache)
            print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    finally:
        shutil.rmtree(cache)
    checks.end()


if __name__ == "__main__":
    main()
