"""Worlds that tests can steer: one fake a port, each passing the contract suite of its port."""

from fakes.clock import FakeClock
from fakes.log import FakeLog
from fakes.notifier import FakeNotifier
from fakes.probe import FakeProbe
from fakes.processes import FakeProcesses
from fakes.supervisor import FakeSupervisor

__all__ = ["FakeClock", "FakeLog", "FakeNotifier", "FakeProbe", "FakeProcesses", "FakeSupervisor"]
