"""The first cause is named, not its fallout; a stop is no fault; what cannot be told is said."""

import pytest

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.finding import Restart, Verdict
from paramedic.model.target import EngineProcess, EngineState, Exit, Role
from tests.unit.diagnosis.build import DEATH, FALLOUT, LOADING, OOM, READY, START, STOP, causes, say

CORE_KILLED = Exit(2, Role.ENGINE_CORE, signal=9)
PORT = "OSError: [Errno 98] Address already in use"


def seen(**fields: object) -> list[str]:
    answer = diagnose(Scene(**fields), load_catalogue())  # type: ignore[arg-type]
    return [finding.cause for finding in answer.findings]


def test_cause_comes_before_fallout() -> None:
    answer = say([START, LOADING, READY, OOM, DEATH, *FALLOUT])
    assert [finding.cause for finding in answer.findings] == ["oom-gpu-runtime"]
    assert [one.line for one in answer.findings[0].chain] == [4, 5, 6, 7]


def test_same_message_means_another_cause_in_another_stage() -> None:
    assert causes([START, LOADING, OOM]) == ["oom-weights-at-load"]
    profiling = (
        "(EngineCore pid=2) INFO 11-02 10:00:09 [gpu_model_runner.py:5088] Model loading took 15.0 GiB memory and 3 s"
    )
    assert causes([START, LOADING, profiling, OOM]) == ["oom-profiling-activation"]


def test_traceback_tells_the_stage_where_the_log_begins_late() -> None:
    frame = '(EngineCore pid=2) ERROR 11-02 10:29:59 [core.py:1584]   File "a.py", line 9, in capture_model'
    head = "(EngineCore pid=2) ERROR 11-02 10:29:59 [core.py:1584] Traceback (most recent call last):"
    assert causes([head, frame, OOM]) == ["oom-cuda-graph-capture"]


def test_death_without_a_cause_is_named_as_such() -> None:
    assert causes([START, READY, DEATH, *FALLOUT]) == ["engine-core-died"]


@pytest.mark.parametrize("after", [[DEATH, *FALLOUT], [*FALLOUT], [OOM, *FALLOUT]])
def test_noise_after_a_stop_is_no_fault(after: list[str]) -> None:
    answer = say([START, READY, STOP, *after])
    assert answer.verdict is Verdict.HEALTHY


def test_stop_after_a_death_does_not_hide_it() -> None:
    assert causes([START, READY, DEATH, *FALLOUT, STOP]) == ["engine-core-died"]


def test_error_of_a_start_that_then_served_was_none() -> None:
    assert (
        causes(
            [START, LOADING, "ImportError: flash_attn", "PermissionError: [Errno 13] Permission denied: '/x'", READY]
        )
        == []
    )


def test_start_error_in_an_engine_that_serves_is_a_requests_own() -> None:
    refused = "ERROR 11-02 10:20:00 [a.py:1] PermissionError: [Errno 13] Permission denied: '/adapters/x'"
    assert causes([START, LOADING, READY, refused, "requests.HTTPError: 403 Client Error: Forbidden for url"]) == []
    assert causes([START, LOADING, refused]) == ["permission-denied"]


def test_youngest_start_counts_first() -> None:
    answer = say([START, LOADING, OOM, START, LOADING, PORT])
    assert [finding.cause for finding in answer.findings] == ["port-in-use-api", "oom-weights-at-load"]
    assert answer.findings[0].confidence > answer.findings[1].confidence


def test_first_cause_among_ranks() -> None:
    other = "(APIServer pid=9) INFO:     Application startup complete."
    late = (
        "(Worker_TP1 pid=9) ERROR 11-02 10:40:00 [core.py:1] [Rank 1] Watchdog caught collective operation timeout: "
        "WorkNCCL(SeqNum=8)"
    )
    assert causes([other, late], [START, LOADING, READY, OOM]) == ["oom-gpu-runtime"]


def test_unknown_error_of_a_failed_start_is_admitted() -> None:
    head = "(EngineCore pid=2) ERROR 11-02 10:00:07 [core.py:1584] Traceback (most recent call last):"
    error = "(EngineCore pid=2) ERROR 11-02 10:00:07 [core.py:1584] ValueError: the moon is in the wrong phase"
    answer = say([START, LOADING, head, error])
    assert answer.verdict is Verdict.UNKNOWN
    assert "log0:4" in answer.missing[0].en
    assert "moon" in answer.missing[0].zh


@pytest.mark.parametrize("lines", [[], [""], ["hello", "world"], ["\x00\xff" * 50]])
def test_what_is_no_engine_log_cannot_tell(lines: list[str]) -> None:
    answer = say(lines)
    assert answer.verdict is Verdict.UNKNOWN
    assert len(answer.missing) == 1


def test_foreign_file_beside_a_log_does_not_matter() -> None:
    assert say([START, LOADING, READY], ["hello"]).verdict is Verdict.HEALTHY


def test_nothing_at_all_asks_for_a_log() -> None:
    assert diagnose(Scene(), load_catalogue()).verdict is Verdict.UNKNOWN


def test_prompt_that_quotes_an_error_is_no_error() -> None:
    prompt = "INFO 11-02 10:00:30 [logger.py:39] Received request c-1: prompt: 'CUDA error: out of memory', params"
    assert causes([START, LOADING, READY, prompt]) == []


def test_evidence_shows_no_secret() -> None:
    line = "INFO 11-02 10:00:00 [s.py:1] non-default args: {'api_key': ['topsecret'], 'enforce_eager': True}"
    answer = say([line, LOADING, READY])
    assert [finding.cause for finding in answer.advice] == ["enforce-eager-slow-decode"]
    assert "topsecret" not in repr(answer)


def test_silent_engine_is_hung_whatever_else_the_log_says() -> None:
    log = Log("a", [START, LOADING, READY, "OSError: [Errno 24] Too many open files"])
    assert seen(logs=(log,), state=EngineState.SILENT)[0] == "engine-hung"


def test_watched_death_yields_to_the_cause_in_the_log() -> None:
    log = Log("a", [START, LOADING, READY, OOM, *FALLOUT])
    assert seen(logs=(log,), state=EngineState.DEAD, exits=(CORE_KILLED,)) == ["oom-gpu-runtime"]


def test_watched_worker_is_named() -> None:
    answer = diagnose(Scene(state=EngineState.DEAD, exits=(Exit(7, Role.WORKER, signal=9),)), load_catalogue())
    assert answer.findings[0].cause == "engine-core-died"
    assert "worker" in answer.findings[0].summary.en
    assert "signal 9" in answer.findings[0].summary.zh
    assert answer.findings[0].restart is Restart.CURES


def test_one_finding_where_watcher_and_log_agree() -> None:
    log = Log("a", [START, READY, DEATH, *FALLOUT])
    answer = diagnose(Scene((log,), EngineState.DEAD, (CORE_KILLED,)), load_catalogue())
    assert [finding.cause for finding in answer.findings] == ["engine-core-died"]
    assert {one.file for one in answer.findings[0].evidence} == {"watcher", "a"}


def test_orphans_come_before_the_killed_server() -> None:
    killed = Exit(1, Role.API_SERVER, signal=9)
    core = EngineProcess(2, 0.0, Role.ENGINE_CORE)
    assert seen(state=EngineState.DEAD, exits=(killed,), orphans=(core,)) == [
        "orphan-workers-hold-gpu",
        "api-server-killed",
    ]


@pytest.mark.parametrize(
    "state", [EngineState.STOPPED, EngineState.SERVING, EngineState.STARTING, EngineState.SLEEPING]
)
def test_states_of_a_well_engine(state: EngineState) -> None:
    log = Log("a", [START, LOADING])
    assert diagnose(Scene((log,), state), load_catalogue()).verdict is Verdict.HEALTHY


def test_bad_state_that_nothing_explains_is_admitted() -> None:
    answer = diagnose(Scene((Log("a", [START, LOADING]),), EngineState.START_FAILED), load_catalogue())
    assert answer.verdict is Verdict.UNKNOWN
    assert "start_failed" in answer.missing[0].en


def test_condition_that_could_not_be_evaluated_shows_nothing() -> None:
    assert seen(state=EngineState.SERVING, numbers=None) == []


def test_person_who_ended_it_is_no_fault() -> None:
    assert seen(state=EngineState.DEAD, exits=(CORE_KILLED,), by_person=True) == []
