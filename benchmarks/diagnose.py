"""How long `paramedic diagnose` takes for a log of 50 MB that ends in a death (promised: 10 s)."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
PROMISED = 10.0  # seconds
SIZE = 50 * 10**6
STARTED = "(APIServer pid=1) INFO 11-24 08:00:00 [launcher.py:46] Application startup complete.\n"
QUIET = (
    "(APIServer pid=1) INFO 11-24 08:{:02}:{:02} [loggers.py:271] Engine 000: Avg prompt throughput: 812.4 tokens/s, "
    "Avg generation throughput: 1482.1 tokens/s, Running: 24 reqs, Waiting: 0 reqs, GPU KV cache usage: 31.2%, "
    "Prefix cache hit rate: 12.0%\n"
    '(APIServer pid=1) INFO:     127.0.0.1:{} - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
)
DEATH = (
    "(APIServer pid=1) WARNING 11-24 09:00:00 [core_client.py:817] [shutdown] MPClient: "
    "engine core exited unexpectedly; starting cleanup\n"
)


def main() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write(STARTED)
        pair = len(QUIET.format(0, 0, 40000))
        for number in range(SIZE // pair):
            log.write(QUIET.format(number // 60 % 60, number % 60, 40000 + number % 9999))
        log.write(DEATH)
        log.flush()
        began = time.perf_counter()
        done = subprocess.run([PARAMEDIC, "diagnose", log.name], capture_output=True, text=True, check=False)
        taken = time.perf_counter() - began
    print(f"paramedic diagnose, {SIZE // 10**6} MB: {taken:.1f} s (promised {PROMISED:.0f})")
    found = "engine-core-died" in done.stdout
    if not found:
        print(f"and it did not find engine-core-died (exit code {done.returncode}): {done.stdout}{done.stderr}")
    sys.exit(taken > PROMISED or not found)


if __name__ == "__main__":
    main()
