"""How long a person waits for a command to answer: `paramedic --help` (promised: 0.3 s) and each command's help."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from paramedic.cli.main import COMMANDS

PARAMEDIC = str(Path(sys.executable).with_name("paramedic"))
PROMISED = 0.3  # seconds
TIMES = 9


def seconds(*arguments: str) -> float:
    """The median of several runs."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        subprocess.run([PARAMEDIC, *arguments], capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    whole = seconds("--help")
    print(f"paramedic --help           {whole * 1000:6.0f} ms (promised {PROMISED * 1000:.0f})")
    for name in COMMANDS:
        print(f"paramedic {name + ' --help':<16} {seconds(name, '--help') * 1000:6.0f} ms")
    sys.exit(whole > PROMISED)


if __name__ == "__main__":
    main()
