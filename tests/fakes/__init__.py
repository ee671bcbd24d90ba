"""Worlds that tests can steer: one fake a port, each passing the contract suite of its port."""

from tests.fakes.clock import FakeClock
from tests.fakes.log import FakeLog
from tests.fakes.notifier import FakeNotifier
from tests.fakes.probe import FakeProbe
from tests.fakes.processes import FakeProcesses
from tests.fakes.supervisor import FakeSupervisor

__all__ = ["FakeClock", "FakeLog", "FakeNotifier", "FakeProbe", "FakeProcesses", "FakeSupervisor"]
