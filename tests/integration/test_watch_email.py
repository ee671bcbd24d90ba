"""An incident by e-mail: a real mail server with STARTTLS and a login, down at first, gets one thread in Chinese."""

from pathlib import Path

import pytest

from tests.integration.mail_server import PASSWORD, USER, certificate, mail_server
from tests.integration.practice_engine import wait_until
from tests.integration.watching import ask, watching


def test_an_incident_is_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMEDIC_TEST_MAIL", PASSWORD)
    files = certificate(tmp_path)
    with mail_server(login=True, tls="starttls", files=files) as boxes, watching(tmp_path) as start:
        boxes.answers[""] = "451 not now"
        (tmp_path / "paramedic.yaml").write_text(
            "server: {port: 0}\ninterval: 1s\nlang: zh\nnotifiers:\n"
            f"  - {{name: duty, type: email, host: 127.0.0.1, port: {boxes.port}, ca_file: mail.pem, user: {USER},\n"
            "     password: {env: PARAMEDIC_TEST_MAIL}, sender: paramedic@mail.test, to: [duty@mail.test]}\n"
        )
        watch = start()
        watch.wait("StateChanged", run=1, after="serving")
        ask(watch.data, "practice", "break", "engine-core-died")
        tried = watch.wait("DeliveryTried", 60)
        assert tried["detail"] == f"127.0.0.1:{boxes.port} answered 451 not now"
        boxes.answers.clear()
        watch.wait("IncidentResolved", 60)
        wait_until(lambda: len(watch.seen("DeliveryFinished", outcome="done")) == 3, "all is told", 60)

        opened = next(mail for mail in boxes.taken if not mail["References"])
        assert opened["Subject"].startswith("[P0] practice@127.0.0.1:")
        later = [mail for mail in boxes.taken if mail is not opened]
        assert {mail["References"] for mail in later} == {opened["Message-ID"]}
        assert {mail["Subject"] for mail in later} == {f"Re: {opened['Subject']}"}
        assert any("引擎进程死亡" in mail.get_content() for mail in later)
        everything = watch.out.read_text("utf-8") + watch.err.read_text("utf-8")
        everything += "".join(str(mail) for mail in boxes.taken)
        assert PASSWORD not in everything
