"""Taking over: what an earlier Paramedic left running is watched on, what it had no time to write down is found."""

from collections.abc import Collection

from paramedic.journal.events import EngineSeen, TargetRemoved
from paramedic.journal.views import TargetView
from paramedic.model.target import EngineState, Origin
from paramedic.model.text import Text
from paramedic.pipeline.world import World

_NOT_BROUGHT_BACK = frozenset({EngineState.UNKNOWN, EngineState.STOPPED, EngineState.START_FAILED})
_ENDED_BEFORE = Text("it had ended before Paramedic started", "Paramedic 启动前它已结束")
_GONE_BEFORE = Text("not there any more when Paramedic started", "Paramedic 启动时已不在")
_NOT_CONFIGURED = Text("no longer in the configuration", "已不在配置中")


def take_over(world: World, configured: Collection[str]) -> None:
    """Look at every target of an earlier Paramedic. `configured`: the addresses that the configuration names.

    An engine of ours that lives, whose restart was begun or that a person holds, stays; what nobody asks for any more
    is let go.
    """
    for name, target in list(world.view.targets.items()):
        if target.removed:
            continue
        match target.target.origin:
            case Origin.STARTED if write_down_run(world, target) or world.lives(target) or target.hold is not None:
                pass
            case Origin.STARTED if target.state in _NOT_BROUGHT_BACK and world.view.running_action(name) is None:
                world.recorder.record(TargetRemoved(name, _ENDED_BEFORE))
            case Origin.FOUND if world.lives(target) is False:
                world.recorder.record(TargetRemoved(name, _GONE_BEFORE))
            case Origin.CONFIGURED if target.target.url not in configured:
                world.recorder.record(TargetRemoved(name, _NOT_CONFIGURED))


def write_down_run(world: World, target: TargetView) -> bool:
    """A run whose start nobody came to write down, because Paramedic ended just then; whether there was one."""
    found = world.supervisor.living_run(target.target)
    if found is None or found[1] <= target.run:
        return False
    server, run, log = found
    action = world.view.running_action(target.target.name)
    because = action.started_seq if action else target.added_seq
    world.recorder.record(EngineSeen(target.target.name, run, server, True, log), because)
    return True
