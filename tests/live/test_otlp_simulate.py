# ctest: label=live
"""simulate --otlp: a virtual run goes as fast as its backend takes it, and its times lie in the past."""

import os
import re
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from otlp_sink import Answer, Sink, free_port, inside  # noqa: E402

INCIDENT = os.path.join(os.path.dirname(HERE), "judges", "incident.yaml")
MEMORY_MB = 80  # of the run; the queue it may fill is 16 MB
USAGE, INTERNAL, ABSENT, INTERRUPTED = 2, 1, 69, 105


def command(url, *more):
    return [os.environ["DOORBUSTER"], "simulate", INCIDENT, "--seed", "1", "--json", "--otlp", url, *more]


def environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}


def play(url, *more):
    return subprocess.run(command(url, *more), env=environment(), capture_output=True, text=True, check=False, timeout=100)


def starts(body):
    """start_time_unix_nano of all spans of a request, in seconds."""
    spans = inside(body, inside(body, inside(body, [(0, len(body))], 1), 2), 2)
    return [struct.unpack_from("<Q", body, start)[0] / 1e9 for start, _ in inside(body, spans, 7)]


def a_slow_backend_loses_nothing():
    """Away for a second, then 5 ms a request: 200 MB in all, of which the queue never holds more than 16."""
    begun = time.time()
    sink = Sink(lambda request: Answer(503) if time.time() < begun + 1 else Answer(delay=0.005))
    done = play(sink.url)
    assert done.returncode == 0 and "lost" not in done.stderr, done.stderr
    accepted = int(re.search(r"OTLP: ([\d,]+) spans", done.stderr).group(1).replace(",", ""))
    assert accepted == sink.items("traces") > 200000, (accepted, sink.items("traces"))
    memory_mb = int(re.search(r"at most (\d+) MB", done.stderr).group(1))
    assert memory_mb < MEMORY_MB, f"{memory_mb} MB"
    times = [at for request in (sink.of("traces")[0], sink.of("traces")[-1]) for at in starts(request.body)]
    # The run ends now, and began three minutes ago.
    assert begun - 185 < min(times) < begun - 170 and begun - 10 < max(times) < time.time(), (begun, min(times), max(times))


def a_wrong_endpoint_is_told():
    for url in ("localhost:4318", "ftp://h", ""):
        done = play(url)
        assert done.returncode == USAGE and "--otlp" in done.stderr and "http://" in done.stderr, (url, done.stderr)
        assert "ignored" not in done.stderr, done.stderr


def a_backend_that_never_answers_is_not_waited_for_long():
    begun = time.time()
    done = play(f"http://127.0.0.1:{free_port()}", "--quiet")
    assert done.returncode == ABSENT and "no answer from any endpoint" in done.stderr, (done.returncode, done.stderr)
    assert time.time() - begun < 30, "as long as for one that has answered"


def a_dead_backend_can_be_left():
    """Ctrl-C while the run waits for it."""
    with subprocess.Popen(command(f"http://127.0.0.1:{free_port()}"), env=environment(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as run:
        time.sleep(1.5)
        assert run.poll() is None, "it has not waited"
        run.send_signal(signal.SIGINT)
        begun = time.time()
        said = run.communicate(timeout=20)[1]
        assert time.time() - begun < 2, "it has not heard"
        assert run.returncode in (INTERNAL, INTERRUPTED) and "lost: " in said, (run.returncode, said)


def refusals_are_told():
    sink = Sink(lambda request: Answer(400, {}, b"no") if request.signal == "logs" else Answer())
    done = play(sink.url)
    lost = sink.items("logs", 400)
    assert done.returncode == INTERNAL and f"{lost} of {lost} log records lost: the backend refused them" in done.stderr, done.stderr


def main():
    for case in (a_slow_backend_loses_nothing, a_wrong_endpoint_is_told,
                 a_backend_that_never_answers_is_not_waited_for_long, a_dead_backend_can_be_left, refusals_are_told):
        case()
        print(case.__name__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
