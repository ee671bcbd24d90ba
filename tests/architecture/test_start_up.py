"""`paramedic --help` answers at once because it imports nothing heavy."""

import subprocess
import sys

HEAVY = {
    "aiohttp", "asyncio", "numpy", "promql_parser", "prometheus_client", "psutil", "pydantic", "rich", "sqlite3",
    "starlette", "uvicorn", "yaml",
}  # fmt: skip


def test_the_command_line_imports_nothing_heavy() -> None:
    program = "import paramedic.cli.main, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    assert "paramedic.cli.main" in loaded
    assert loaded & HEAVY == set()
