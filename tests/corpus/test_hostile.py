"""Hostile scenario files, too large or too odd to keep: each is refused within 100 ms of CPU time and 20 MB.

They are made here, checked one by one with the program (DOORBUSTER), and measured with wait4; its peak of memory
begins with this process's own, so inputs are made one at a time. Whatever is not a regular file, and settings of
the same kind, are among them.
"""

import itertools
import os
import random
import re
import subprocess
import sys
import tempfile

EXIT_BAD = 104
CPU_MAX_S, RSS_MAX_KB = 0.100, 20 * 1024
SIZE = 256 * 1024
HEAD = ("doorbuster: 1\nname: a-name\nstory: Something.\nduration: 30m\n"
        "streams: {baseline: {journey: browse, rate: 100/min}}\nphases: [[0m, calm]]\n")


def fill(part, size=SIZE - 1024):
    return part * (size // len(part))


def documents():
    yield "1 MB of scenario", HEAD + "# " + "x" * (1 << 20)
    yield "a byte too much", HEAD + "#" * (SIZE + 1 - len(HEAD))
    for sign in "[{-?:!&*|>'\"%@`,":
        yield f"all {sign}", fill(sign)
        yield f"all {sign} and spaces", fill(sign + " ")
        yield f"all {sign} and lines", fill(sign + "\n")
        yield f"40,000 {sign} as a value", HEAD + "faults: " + sign * 40000
    yield "40,000 brackets", "[" * 40000
    yield "40,000 brackets in lines", "[\n" * 40000
    yield "40,000 pairs of brackets", "[" * 40000 + "]" * 40000
    yield "maps in maps", fill("{a: ")
    yield "keys in rising columns", "".join(" " * i + "a:\n" for i in range(600))
    yield "dashes in rising columns", "".join(" " * i + "-\n" for i in range(600))
    yield "a list of many words", "faults: [" + fill("a, ") + "]"
    yield "a list of many nothings", "- \n" * 60000
    yield "a map of many keys", "".join(f"k{i}: 1\n" for i in range(20000))
    yield "maps of many keys", "faults:\n" + "".join("- {" + ", ".join(f"k{i}" for i in range(200)) + "}\n" for _ in range(99))
    yield "a map of one key many times", fill("key: 1\n")
    yield "one long word", fill("x")
    yield "one long key", fill("x") + ": 1"
    yield "one long key of many lines", fill("x\n") + ": 1"
    yield "long quoted text", '"' + fill("\\n") + '"'
    yield "long quoted text without an end", "'" + fill("x ")
    yield "long escapes", 'a: "' + fill("\\u0041") + '"'
    yield "long folded text", "a: >\n" + fill(" x\n")
    yield "long folded text of blank lines", "a: >\n" + fill("\n") + " x\n"
    yield "many questions", fill("? a\n")
    yield "many directives", "".join(f"%TAG !t{i}! tag:x,{i}:\n" for i in range(10000)) + "---\na: 1\n"
    yield "many tags", "[" + fill("!!str a, ") + "]"
    yield "many anchors", "[" + ", ".join(f"&a{i} x" for i in range(20000)) + "]"
    yield "aliases of aliases", "a: &a [x]\n" + "".join(
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
    yield "many documents", fill("---\na\n")
    yield "many ends of documents", fill("...\n")
    yield "many comments", HEAD + "bad: 1\n" + fill("# x\n", SIZE - 2048)
    yield "many blank lines", HEAD + "bad: 1\n" + fill("\n", SIZE - 2048)
    yield "spaces alone", fill(" ")
    yield "tabs alone", fill("\t")
    yield "NULs alone", fill("\0")
    yield "line ends of every kind", HEAD + "bad: 1\n" + fill("\r\n\r\u0085\u2028\u2029", 60000)
    yield "a long curve", HEAD.replace("100/min", "[" + ", ".join(f"[{i}s, 1/s]" for i in range(6000)) + "]")
    yield "a curve of long numbers", HEAD.replace("100/min", "9" * 200000)
    yield "a bound of many digits", HEAD + "alerts: [{name: a, when: {series: all.errors, over: 1m, above: 0." + "1" * 200000 + "x}}]"
    yield "many unknown keys", HEAD + "services: {" + ", ".join(f"k{i}: {{a: 1, b: 2}}" for i in range(200)) + "}"
    yield "conditions in conditions", HEAD + "alerts: [{name: a, when: " + "{not: " * 50 + "{}" + "}" * 50 + "}]"
    yield "many conditions", HEAD + "alerts:\n" + "".join(
        "- {name: a%d, when: {all: [%s]}}\n" % (i, ", ".join(["{series: nobody.errors, over: 24h, above: 1%}"] * 16)) for i in range(32))
    yield "many faults", HEAD + "faults: [" + ", ".join(["{at: 1m, drop_index: x}"] * 64) + "]"
    yield "expectations that almost parse", HEAD + "expect:\n" + "".join(
        '- "baseline.errors each minute from %dm: rate within 0.1..%s"\n' % (i % 30, "9" * 100) for i in range(64))
    yield "expectations of signs", HEAD + 'expect: ["' + "." * 200 + '", "' + "<" * 200 + '", "' + "alert " * 33 + '"]'
    yield "a name that colours the terminal", HEAD + 'bad: "\\e[31m"\n"\\e[2J": 1\n'


def random_documents():
    signs = ["a", "0m", "1", "- ", ": ", "\n", "\n  ", "[", "]", "{", "}", ", ", "'", '"', "# ", "? ", "|\n", ">\n", "streams", "\u00e9"]
    for seed in range(40):
        dice = random.Random(seed)
        yield f"random signs, seed {seed}", "".join(dice.choice(signs) for _ in range(60000))
    for seed in range(20):
        dice = random.Random(seed)
        yield f"random bytes, seed {seed}", bytes(dice.randrange(256) for _ in range(20000))


SETTINGS = ["a=", ".=1", "a.=1", "duration=", "duration=20", "duration.x=5m", "phases.9=[5m, x]",
            "phases.-1=[5m, x]", "phases.+.+=1", "phases.99999999999999999999=x", "faults.+=&a [1]", "faults.+=*a", "name=a\nb", "x=" + "[" * 40000,
            "a." * 100 + "b=1", "a." * 40000 + "b=1", "name=" + "x" * 100000, "services.frontend.mailbox=-1", "streams=[]",
            "name=\xe9".encode("latin-1"), "expect.+='demo.errors: rate<=0.1'", "story=" + "x " * 65000]


def run(arguments):
    """Exit code, CPU seconds, resident KB and stderr of the program."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([os.environ["DOORBUSTER"], "check", *arguments], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, errors.read().decode(errors="replace")


def judge(name, path, arguments, worst):
    code, cpu_s, rss_kb, errors = run(arguments)
    worst["cpu_s"] = max(worst["cpu_s"], (cpu_s, name))
    worst["rss_kb"] = max(worst["rss_kb"], (rss_kb, name))
    worst["count"] += 1
    if code != EXIT_BAD:
        yield f"{name}: exit code {code}, not {EXIT_BAD}: {errors[:300]}"
    tries = 4  # the machine may be busy
    while cpu_s > CPU_MAX_S and tries:
        tries, cpu_s = tries - 1, min(cpu_s, run(arguments)[1])
    if cpu_s > CPU_MAX_S:
        yield f"{name}: {cpu_s * 1000:.0f} ms of CPU time, the limit is {CPU_MAX_S * 1000:.0f}"
    if rss_kb > RSS_MAX_KB:
        yield f"{name}: {rss_kb} KB resident, the limit is {RSS_MAX_KB}"
    lines = errors.splitlines()
    where = f"({re.escape(path)}|--set):[1-9][0-9]*:[1-9][0-9]*: .+: expected .+, found "
    if not lines or not all(re.match(where, line) or re.fullmatch("and [0-9]+ more", line) for line in lines) or len(lines) > 21:
        yield f"{name}: not file:line:col: path: expected, found: {errors[:300]}"
    if re.search("[\x00-\x09\x0b-\x1f\x7f]", errors):
        yield f"{name}: control characters in the errors"


def findings(folder, worst):
    path = os.path.join(folder, "hostile.yaml")
    for name, content in itertools.chain(documents(), random_documents()):
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        yield from judge(name, path, [path], worst)
    fifo = os.path.join(folder, "fifo.yaml")
    os.mkfifo(fifo)
    for odd in (folder, fifo, "/dev/zero", os.path.join(folder, "missing.yaml")):
        yield from judge(f"not a file: {os.path.basename(odd)}", odd, [odd], worst)
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD)
    for setting in SETTINGS:
        yield from judge(f"--set {setting[:40]!r}", path, [path, "--set", setting], worst)


def main():
    worst = {"cpu_s": (0, ""), "rss_kb": (0, ""), "count": 0}
    with tempfile.TemporaryDirectory() as folder:
        found = list(findings(folder, worst))
    for what in found:
        print(what)
    print(f"{len(found)} findings in {worst['count']} inputs; most CPU time {worst['cpu_s'][0] * 1000:.0f} ms ({worst['cpu_s'][1]}), "
          f"most memory {worst['rss_kb'][0]} KB ({worst['rss_kb'][1]})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
