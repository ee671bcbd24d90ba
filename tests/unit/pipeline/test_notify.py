"""Who is told what: once an occasion, until it is taken, also by the next Paramedic."""

from itertools import pairwise

from paramedic.journal import events as e
from paramedic.model.action import Outcome
from paramedic.model.finding import Diagnosis, Verdict
from paramedic.model.target import EngineState
from paramedic.model.text import Text, as_written
from paramedic.pipeline.notify import RETRY_AFTER, deliver, message_of, plan, undelivered
from paramedic.ports import Receipt
from tests.fakes import FakeNotifier
from tests.unit.pipeline.incidents import ACTION, CORE_DIED, INCIDENT, change, open_incident, request
from tests.unit.pipeline.rig import NAME, Rig

NO = Receipt(ok=False, detail="HTTP 502")


def planned(rig: Rig, *notifiers: str) -> list[e.DeliveryRequested]:
    """Plan, and write it down as the cycle does."""
    decisions = plan(rig.view, notifiers)
    rig.world.recorder.record_all(decisions)
    return [event for event, _ in decisions if isinstance(event, e.DeliveryRequested)]


def one_night(rig: Rig) -> None:
    rig.start_engine()
    change(rig, EngineState.DEAD)
    open_incident(rig)


async def delivering(rig: Rig, notifier: FakeNotifier) -> None:
    for name in undelivered(rig.view):
        rig.begin(deliver(name, rig.world, {"oncall": notifier}, "en"))
    await rig.run(0.5)


async def test_each_occasion_is_told_once_to_each(rig: Rig) -> None:
    record = rig.world.recorder.record
    one_night(rig)
    told = [planned(rig, "a", "b")]
    record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    told.append(planned(rig, "a", "b"))
    request(rig, needs_approval=True)
    told.append(planned(rig, "a", "b"))
    record(e.ActionRejected(ACTION, "li"))
    record(e.HumanNeeded(INCIDENT, Text("a person", "人")))
    told.append(planned(rig, "a", "b"))
    record(e.IncidentResolved(INCIDENT, as_written("serving")))
    told.append(planned(rig, "a", "b"))

    occasions = [[(one.occasion, one.notifier) for one in round_] for round_ in told]
    names = ["opened", "diagnosed", f"approval-{ACTION}", "human-needed", "resolved"]
    assert occasions == [[(name, "a"), (name, "b")] for name in names]
    assert planned(rig, "a", "b") == []
    assert len({one.delivery for round_ in told for one in round_}) == 10


async def test_a_second_diagnosis_is_not_told_again(rig: Rig) -> None:
    one_night(rig)
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    planned(rig, "a")
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    assert planned(rig, "a") == []


async def test_that_nothing_is_wrong_is_told_to_nobody(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "a")
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, Diagnosis(Verdict.HEALTHY)))
    assert planned(rig, "a") == []


async def test_a_restart_that_needs_nobody_asks_nobody(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "a")
    request(rig)
    assert planned(rig, "a") == []


async def test_without_notifiers_nothing_is_asked_for(rig: Rig) -> None:
    one_night(rig)
    assert planned(rig) == []


async def test_a_request_names_what_led_to_it(rig: Rig) -> None:
    one_night(rig)
    [(_, because)] = plan(rig.view, ["a"])
    assert because == rig.view.incidents[INCIDENT].opened_seq


async def test_what_is_taken_is_done(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "oncall")
    notifier = FakeNotifier()
    await delivering(rig, notifier)
    assert rig.events(e.DeliveryFinished) == [e.DeliveryFinished("DLV-0001", Outcome.DONE, 1)]
    assert undelivered(rig.view) == []
    [message] = notifier.messages
    assert (message.incident, message.target, message.occasion, message.level) == (INCIDENT, NAME, "opened", "P0")
    assert message.body == "it died"


async def test_what_fails_is_tried_again_and_later_each_time(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "oncall")
    notifier = FakeNotifier()
    notifier.receipts = [NO, NO, NO]
    await delivering(rig, notifier)
    await rig.run(sum(RETRY_AFTER[:3]) + 1)
    tried = rig.entries(e.DeliveryTried)
    assert [entry.event for entry in tried] == [e.DeliveryTried("DLV-0001", n, "HTTP 502") for n in (1, 2, 3)]
    [done] = rig.entries(e.DeliveryFinished)
    times = [entry.at for entry in (*tried, done)]
    pauses = [round((b - a) / 1e9) for a, b in pairwise(times)]
    assert pauses == [1, 5, 15]
    assert done.event == e.DeliveryFinished("DLV-0001", Outcome.DONE, 4)


async def test_it_gives_up_after_the_last_try_and_says_why(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "oncall")
    notifier = FakeNotifier()
    notifier.receipt = NO
    await delivering(rig, notifier)
    await rig.run(sum(RETRY_AFTER) + 5)
    assert rig.events(e.DeliveryFinished) == [e.DeliveryFinished("DLV-0001", Outcome.FAILED, 6, "HTTP 502")]
    assert len(notifier.messages) == 6


async def test_what_is_refused_for_good_is_not_tried_again(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "oncall")
    notifier = FakeNotifier()
    notifier.receipt = Receipt(ok=False, detail="HTTP 401", retry=False)
    await delivering(rig, notifier)
    await rig.run(300)
    assert len(notifier.messages) == 1
    assert rig.events(e.DeliveryFinished) == [e.DeliveryFinished("DLV-0001", Outcome.FAILED, 1, "HTTP 401")]


async def test_the_next_paramedic_goes_on_with_what_was_not_delivered(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "oncall")
    failing = FakeNotifier()
    failing.receipt = NO
    await delivering(rig, failing)
    await rig.end()
    rig.world = rig.new_world()
    assert plan(rig.view, ["oncall"]) == []
    assert undelivered(rig.view) == ["DLV-0001"]
    notifier = FakeNotifier()
    await delivering(rig, notifier)
    assert [m.delivery for m in notifier.messages] == ["DLV-0001"]
    assert undelivered(rig.view) == []


async def test_a_notifier_that_was_taken_out_of_the_configuration(rig: Rig) -> None:
    one_night(rig)
    planned(rig, "gone")
    await delivering(rig, FakeNotifier())
    [end] = rig.events(e.DeliveryFinished)
    assert (end.outcome, "no longer in the configuration" in end.detail) == (Outcome.FAILED, True)


async def test_a_message_for_people_and_for_programs(rig: Rig) -> None:
    one_night(rig)
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, CORE_DIED))
    request(rig, needs_approval=True)
    planned(rig, "a")
    requests = {d.request.occasion: d.request for d in rig.view.deliveries.values()}
    told = {occasion: message_of(rig.view, request, "zh") for occasion, request in requests.items()}
    assert told["diagnosed"].body == "引擎进程死亡。重启。"
    approval = told[f"approval-{ACTION}"]
    assert f"paramedic approve {ACTION}" in approval.body
    assert approval.occasion == "approval"
    facts = told["diagnosed"].facts
    assert isinstance(facts["diagnosis"], dict)
    assert facts["diagnosis"]["findings"][0]["cause"] == "engine-core-died"
    assert isinstance(facts["alerts"], list)
    assert facts["alerts"][0]["rule"] == "engine-dead"


async def test_where_the_cause_is_not_known_it_says_so(rig: Rig) -> None:
    one_night(rig)
    rig.world.recorder.record(e.DiagnosisMade(INCIDENT, Diagnosis(Verdict.UNKNOWN)))
    texts = {one.occasion: one.text for one in planned(rig, "a")}
    assert texts["diagnosed"].en == "the cause could not be told"
