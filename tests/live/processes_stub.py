#!/usr/bin/env python3
"""In the place of a child of --processes: says on the socket STUB_SOCKET who it is and which signals come, and ends when it
is told with which code. It does nothing by itself, and ends with the test."""

import json
import os
import signal
import socket
import sys


def main():
    link = socket.socket(socket.AF_UNIX)

    def say(**what):
        link.sendall(json.dumps(what).encode() + b"\n")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: say(signal=number))
    link.connect(os.environ["STUB_SOCKET"])
    with open("/proc/self/status", encoding="ascii") as status:
        status = dict(line.split(":", 1) for line in status.read().splitlines())
    with open("/proc/self/stat", encoding="ascii") as stat:
        made_s = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    say(made_s=made_s, argv=sys.argv, pid=os.getpid(), parent=os.getppid(), session=os.getsid(0), blocked=int(status["SigBlk"], 16),
        descriptors=[os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)])
    told = link.makefile().readline()
    # Not by way of the interpreter's own end, which takes its time.
    os._exit(json.loads(told)["exit"] if told else 70)


main()
