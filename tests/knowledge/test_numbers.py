"""Every row of the tables of numbers leads to what it says: our fault for it, an action with a remedy, or silence."""

from pathlib import Path

import pytest

from paramedic.diagnosis.diagnose import diagnose
from paramedic.diagnosis.scene import Log, Scene
from paramedic.knowledge.catalogue import load_catalogue
from paramedic.model.errors import InvalidFiles
from paramedic.model.finding import Diagnosis, Verdict
from tests.knowledge.test_faults_files import GOOD, folder_with

CATALOGUE = load_catalogue()
XIDS = CATALOGUE.tables["xid"].rows
SXIDS = CATALOGUE.tables["sxid"].rows
DETAILS = {number: f"RLW_REMAP Fatal XC0 i0 Link 09 (0x{number:08x})" for number in range(144, 151)}
TAIL = "NVRM: Xid (PCI:0000:8b:00): {number}, {details}"
WITH_PID = "NVRM: Xid (PCI:0000:8b:00): {number}, pid=33121, name=python3, {details}"
NO_PID = "NVRM: Xid (PCI:0000:8b:00): {number}, pid='<unknown>', name=<unknown>, {details}"
FORMS = {
    "dmesg": f"[815234.120031] {WITH_PID}",
    "dmesg -T": f"[Tue Nov 10 08:15:30 2026] {NO_PID}",
    "journalctl": f"Nov 10 08:15:30 gpu7 kernel: {TAIL}",
    "syslog": f"2026-11-10T08:15:30.120031+08:00 gpu7 kernel: [815234.120031] {WITH_PID}",
}


def diagnosis_of(line: str) -> Diagnosis:
    return diagnose(Scene((Log("server.log", [line]),)), CATALOGUE)


def xid_line(number: int, form: str) -> str:
    return FORMS[form].format(number=number, details=DETAILS.get(number, "Ch 00000008"))


def test_the_whole_table_is_there() -> None:
    assert set(range(1, 173)) <= set(XIDS)
    assert all(row.meaning and row.action for row in (*XIDS.values(), *SXIDS.values()))
    assert all(row.harmless or row.remedies for row in (*XIDS.values(), *SXIDS.values()))


@pytest.mark.parametrize("form", FORMS)
def test_every_xid_leads_to_what_its_row_says(form: str) -> None:
    for number, row in XIDS.items():
        answer = diagnosis_of(xid_line(number, form))
        causes = [finding.cause for finding in answer.findings]
        assert causes == ([] if row.harmless else [row.fault or "xid-error"]), number
        if causes == ["xid-error"]:
            told = answer.findings[0]
            assert f"Xid {number} on PCI:0000:8b:00" in told.summary.en
            assert row.action.en in told.summary.en
            assert row.meaning.zh in told.summary.zh
            assert [remedy.id for remedy in told.remedies] == list(row.remedies)


def test_a_number_that_no_table_holds_is_told_as_that() -> None:
    told = diagnosis_of(xid_line(999, "dmesg")).findings[0]
    assert told.cause == "xid-error"
    assert "does not hold yet" in told.summary.en


def test_the_device_plugin_names_the_gpu() -> None:
    line = "I1110 08:15:30 1 health.go:2] XidCriticalError: Xid=31 on Device=GPU-0b5a2f30; marking device as unhealthy."
    assert "Xid 31 on GPU-0b5a2f30" in diagnosis_of(line).findings[0].summary.en


@pytest.mark.parametrize("number", [number for number, row in XIDS.items() if row.harmless])
def test_a_harmless_number_does_not_hide_another(number: int) -> None:
    lines = [xid_line(number, "journalctl"), xid_line(62, "journalctl")]
    told = diagnose(Scene((Log("server.log", lines),)), CATALOGUE).findings
    assert [finding.cause for finding in told] == ["xid-error"]
    assert "Xid 62" in told[0].summary.en


def test_a_fatal_sxid_is_told_with_its_meaning() -> None:
    line = "nvidia-nvswitch0: SXid (PCI:0000:85:00.0): {}, Fatal, Link 30 {}"
    told = diagnosis_of(line.format(20034, "LTSSM Fault Up")).findings[0]
    assert told.cause == "nvswitch-fatal-sxid"
    assert SXIDS[20034].meaning.zh in told.summary.zh
    unknown = diagnosis_of(line.format(29999, "something new")).findings[0]
    assert "SXid 29999, fatal, on link 30" in unknown.summary.en


def test_a_nonfatal_sxid_is_nothing() -> None:
    line = "nvidia-nvswitch3: SXid (PCI:0000:04:00.0): 22013, Non-fatal, Link 44 Minion Link DLREQ interrupt"
    assert diagnosis_of(line).verdict is not Verdict.FAULT


TABLE = """\
hole: code
actions:
  wait: {text: {en: wait, zh: 等待}, remedies: [restart-engine]}
rows:
  - {numbers: "8", meaning: {en: Eight, zh: 八}, action: wait}
  - {numbers: "9 12-13", meaning: {en: Nine, zh: 九}, action: wait, fault: a-fault}
"""
MISTAKES = {
    "remedies: [restart-engin]": ("remedies: [restart-engine]", "3", "did you mean 'restart-engine'?"),
    '"8 9"': ('"8"', "6", "9 already has a row"),
    '"eight"': ('"8"', "5", "are no numbers"),
    "numbers: 8,": ('numbers: "8",', "5", "must be text"),
    "action: wiat}": ("action: wait}", "5", "did you mean 'wait'?"),
    "fault: a-falt": ("fault: a-fault", "6", "did you mean 'a-fault'?"),
}


def with_table(tmp_path: Path, table: str, name: str = "codes") -> Path:
    folder = folder_with(tmp_path, f"{GOOD}table: {name}\n")
    (folder / "numbers").mkdir()
    (folder / "numbers" / "codes.yaml").write_text(table, "utf-8")
    return folder


def test_ranges_of_numbers(tmp_path: Path) -> None:
    assert set(load_catalogue(with_table(tmp_path, TABLE)).tables["codes"].rows) == {8, 9, 12, 13}


@pytest.mark.parametrize("wrong", MISTAKES)
def test_mistake_in_a_table_is_named(tmp_path: Path, wrong: str) -> None:
    right, line, what = MISTAKES[wrong]
    with pytest.raises(InvalidFiles) as error:
        load_catalogue(with_table(tmp_path, TABLE.replace(right, wrong, 1)))
    told = [str(problem) for problem in error.value.problems]
    assert any(f"codes.yaml:{line}: " in one and what in one for one in told), told


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match=r"no table of numbers 'code' \(did you mean 'codes'"):
        load_catalogue(with_table(tmp_path, TABLE, "code"))
