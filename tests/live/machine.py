"""How much of the machine others take while a test looks at the clock."""

import os

OTHERS_MOST = 0.15


def times(pid):
    """Of a process and of its children that have ended; in ticks."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[1]), sum(int(f) for f in fields[11:15])
    except OSError:
        return None, 0


class Machine:
    """How much of it others than a process and its children have taken since."""

    def __init__(self, pid):
        self.pid = pid
        self.before = self.look()

    def look(self):
        of = {int(name): times(name) for name in os.listdir("/proc") if name.isdigit()}
        ours = 0
        for pid, (_, ticks) in of.items():
            above = pid
            while above and above != self.pid:
                above = of.get(above, (None, 0))[0]
            ours += ticks if above == self.pid else 0
        with open("/proc/stat", encoding="utf-8") as file:
            every = [int(f) for f in file.readline().split()[1:9]]
        return sum(every), sum(every) - every[3] - every[4] - ours

    def others(self):
        now = self.look()
        return max(now[1] - self.before[1], 0) / max(now[0] - self.before[0], 1)


def judge_time(checks, machine, took_s, limit_s, what):
    """That it took less; where others had more than their share of the machine meanwhile it is told, and not judged."""
    others = machine.others()
    print(f"{what}: {took_s:.2f} s; others took {others:.0%} of the machine")
    if others <= OTHERS_MOST:
        checks.that(took_s < limit_s, f"{what}: {took_s:.1f} s")
    elif took_s >= limit_s:
        print(f"SKIPPED: {what}: not judged where others take more than {OTHERS_MOST:.0%}")
