from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.engine import Engine, EngineFault, EngineUntrusted, WrongPassword
from pytest_ovirt_release.checks.engine import session as session_module
from pytest_ovirt_release.checks.waiting import Interrupted, wait_until
from pytest_ovirt_release.errors import Blocked, ReleaseError, Unreachable
from tests.unit.checks.small_engine import (
    API,
    Answer,
    SmallEngine,
    connect,
    make_ca,
    make_target,
    quick,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOSTS = f"GET {API}/hosts"
HOST = (
    '<host id="h1"><name>node-1</name><address>127.0.0.2</address><status>up</status>'
    "<hardware_information><uuid>u-1</uuid></hardware_information></host>"
)
REFUSED = "<fault><detail>[Cannot remove Host. Host is operational.]</detail><reason>Operation Failed</reason></fault>"


@pytest.fixture
def small() -> Iterator[SmallEngine]:
    with serving() as engine:
        yield engine


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    return make_ca(tmp_path)[1]


@pytest.fixture
def engine(small: SmallEngine, tmp_path: Path, ca_file: Path) -> Iterator[Engine]:
    with connect(make_target(tmp_path, small.url, ca_file, small.password)) as connected:
        yield connected


def test_says_who_answered_before_anything_else(small: SmallEngine, tmp_path: Path, ca_file: Path) -> None:
    met: list[str] = []
    with connect(make_target(tmp_path, small.url, ca_file, small.password), met) as engine:
        assert engine.product().version == "4.5.7-1.el9"
    assert met[0].startswith("ca: ")
    assert "Example Org" in met[0]
    assert met[1] == "engine: oVirt Engine ovirt.org 4.5.7-1.el9"


def test_logs_in_once_and_out_at_the_end(small: SmallEngine, tmp_path: Path, ca_file: Path) -> None:
    small.on(HOSTS, Answer(body=f"<hosts>{HOST}</hosts>"))
    with connect(make_target(tmp_path, small.url, ca_file, small.password)) as engine:
        assert [h.name for h in engine.hosts.list()] == ["node-1"]
        assert engine.hosts.by_address("127.0.0.2") == engine.hosts.list()[0]
        assert engine.logins == 1
    assert small.asked("POST /ovirt-engine/services/sso-logout") == 1


def test_every_thread_has_a_login_of_its_own(small: SmallEngine, engine: Engine) -> None:
    small.on(HOSTS, Answer(body=f"<hosts>{HOST}</hosts>"))
    engine.hosts.list()
    thread = threading.Thread(target=engine.hosts.list)
    thread.start()
    thread.join()
    assert engine.logins == 2


def test_a_fault_keeps_what_the_engine_said(small: SmallEngine, engine: Engine) -> None:
    small.on(f"DELETE {API}/hosts/h1", Answer(409, f"<action>{REFUSED}<status>failed</status></action>"))
    with pytest.raises(EngineFault) as caught:
        engine.hosts.remove("h1")
    fault = caught.value
    assert (fault.status, fault.reason) == (409, "Operation Failed")
    assert fault.detail == "Cannot remove Host. Host is operational."
    assert fault.request == "remove host h1"
    assert (fault.correlation or "").startswith("rel-abcd1234-")
    assert not fault.passing
    line, headers, _ = small.requests[-1]
    assert line.startswith("DELETE")
    assert headers["correlation-id"] == fault.correlation


def test_a_fault_inside_a_good_answer_is_a_fault(small: SmallEngine, engine: Engine) -> None:
    small.on(f"POST {API}/vms/v1/stop", Answer(200, f"<action>{REFUSED}</action>"))
    with pytest.raises(EngineFault, match="Host is operational"):
        engine.vms.stop("v1")


@pytest.mark.parametrize(
    "said",
    [
        "Host has asynchronous running tasks,\nwait for operation to complete and retry.",
        "Related operation is currently in progress. Please try again later.",
        "Cannot remove VM. VM is running.",
        "Cannot remove Storage. There is no active Host in the Data Center.",
    ],
)
def test_conflicts_that_pass_by_themselves(small: SmallEngine, engine: Engine, said: str) -> None:
    body = f"<fault><detail>[{said}]</detail><reason>Operation Failed</reason></fault>"
    small.on(f"DELETE {API}/disks/d1", Answer(409, body))
    with pytest.raises(EngineFault) as caught:
        engine.vms.remove_disk("d1")
    assert caught.value.passing


def test_what_is_not_there_is_none_and_removing_it_is_done(engine: Engine) -> None:
    assert engine.hosts.get("nosuch") is None
    assert engine.vms.disk_status("nosuch") is None
    engine.vms.remove_disk("nosuch")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, "<html>starting</html>", "text/html"),
        Answer(503, "starting", None),
        Answer(503, "", None),
        Answer(200, "<hosts><host", "application/xml"),
        Answer(502, "<html/>", "text/html"),
        Answer(drop=True),
        Answer(seconds=30),
    ],
    ids=["page", "no-type", "empty", "torn", "proxy", "dropped", "silent"],
)
def test_no_usable_answer_is_unreachable_within_the_deadline(
    small: SmallEngine, engine: Engine, answer: Answer
) -> None:
    small.on(HOSTS, answer)

    def ask() -> None:
        with pytest.raises(Unreachable):
            engine.hosts.list()

    quick(ask)
    small.on(HOSTS, Answer(body=f"<hosts>{HOST}</hosts>"))
    assert len(engine.hosts.list()) == 1, "one bad answer must not spoil the next request"


def test_nothing_listens(tmp_path: Path, ca_file: Path) -> None:
    with serving() as gone:
        target = make_target(tmp_path, gone.url, ca_file, "some password")
    with pytest.raises(Unreachable, match="did not answer"), connect(target):
        pass


def test_a_login_service_that_never_answers(
    small: SmallEngine, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "LOGIN_SECONDS", 1)
    small.on("POST /ovirt-engine/sso/oauth/token", Answer(seconds=60))
    engine = connect(make_target(tmp_path, small.url, ca_file, "x" * 8))

    def ask() -> None:
        with pytest.raises(Unreachable):
            engine.product()

    quick(ask)
    engine.close()


def test_a_logout_that_never_answers_hides_nothing(
    small: SmallEngine, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "LOGOUT_SECONDS", 1)
    small.on("POST /ovirt-engine/services/sso-logout", Answer(seconds=60))

    def body() -> None:
        with (
            pytest.raises(AssertionError, match="the real failure"),
            connect(make_target(tmp_path, small.url, ca_file, small.password)),
        ):
            raise AssertionError("the real failure")

    quick(body)


def test_a_token_that_died_is_replaced(small: SmallEngine, engine: Engine) -> None:
    small.on(HOSTS, Answer(body=f"<hosts>{HOST}</hosts>"))
    engine.hosts.list()
    del small.answers[HOSTS]
    small.dead.add("Bearer t1")
    assert engine.hosts.get("h1") is None
    assert small.tokens == 2


def test_a_wrong_password_says_whose_and_never_shows_it(
    small: SmallEngine, tmp_path: Path, ca_file: Path
) -> None:
    target = make_target(tmp_path, small.url, ca_file, "wrong-secret")
    with pytest.raises(WrongPassword, match="does not let admin@internal in") as caught, connect(target):
        pass
    assert "wrong-secret" not in str(caught.value)


def test_the_stop_flag_ends_a_long_request(small: SmallEngine, tmp_path: Path, ca_file: Path) -> None:
    flag = threading.Event()
    target = make_target(tmp_path, small.url, ca_file, small.password, approve=60)
    small.on(f"POST {API}/hosts/h1/approve", Answer(seconds=60))
    with connect(target, flag=flag) as engine:
        threading.Timer(0.2, flag.set).start()

        def ask() -> None:
            with pytest.raises(Interrupted):
                engine.hosts.approve("h1", "c1")

        quick(ask)


PAGE_OF_A_START = Answer(503, "<html>starting</html>", "text/html")


def test_a_question_is_repeated_while_the_engine_restarts_and_that_is_counted(
    small: SmallEngine, tmp_path: Path, ca_file: Path
) -> None:
    there = Answer(body=f"<hosts>{HOST}</hosts>")
    small.on(HOSTS, PAGE_OF_A_START, Answer(drop=True), Answer(502, "", None), there)
    with connect(make_target(tmp_path, small.url, ca_file, small.password, restart=20)) as engine:
        assert [h.name for h in engine.hosts.list()] == ["node-1"]
        assert engine.unanswered == 3


@pytest.mark.parametrize("answer", [PAGE_OF_A_START, Answer(drop=True)], ids=["page", "dropped"])
def test_a_change_whose_answer_is_lost_is_never_sent_twice(
    small: SmallEngine, engine: Engine, answer: Answer
) -> None:
    small.on(f"POST {API}/vms/v1/start", answer)
    with pytest.raises(Unreachable):
        engine.vms.start("v1")
    assert small.asked(f"POST {API}/vms/v1/start") == 1


def test_a_change_that_never_left_is_repeated(tmp_path: Path, ca_file: Path) -> None:
    with serving() as small:
        target = make_target(tmp_path, small.url, ca_file, small.password, restart=20)
        engine = connect(target)
        engine.product()
        port = int(small.url.split(":")[2].split("/")[0])
    again, back = threading.Event(), SmallEngine(tokens=7)
    back.on(f"POST {API}/vms/v1/start", Answer(body="<action><status>complete</status></action>"))

    def restart() -> None:
        again.wait(0.5)
        with serving(port=port, engine=back):
            again.wait(20)

    thread = threading.Thread(target=restart)
    thread.start()
    engine.vms.start("v1")
    assert engine.unanswered >= 1
    assert back.asked(f"POST {API}/vms/v1/start") == 1
    engine.close()
    again.set()
    thread.join()


def test_an_engine_that_stays_away_is_waited_for_once(
    small: SmallEngine, tmp_path: Path, ca_file: Path
) -> None:
    small.on(HOSTS, PAGE_OF_A_START)
    with connect(make_target(tmp_path, small.url, ca_file, small.password, restart=1.5)) as engine:
        for limit in (4.0, 0.5):

            def ask() -> None:
                with pytest.raises(Unreachable):
                    engine.hosts.list()

            quick(ask, limit)


def test_a_request_of_a_wait_takes_no_longer_than_the_wait(
    small: SmallEngine, tmp_path: Path, ca_file: Path
) -> None:
    small.on(HOSTS, Answer(seconds=60))
    with connect(make_target(tmp_path, small.url, ca_file, small.password, request=30)) as engine:

        def ask() -> None:
            with pytest.raises(Unreachable, match="nothing answered in 1 s"):
                wait_until(
                    lambda: (str(engine.hosts.list()), None), what="a host", deadline=1, wanted=("up",)
                )

        quick(ask)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Callable[[], SmallEngine]]:
    ca, _ = make_ca(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with serving(context) as engine:
        yield lambda: engine


def test_the_engine_behind_its_own_ca(tls: Callable[[], SmallEngine], tmp_path: Path) -> None:
    small = tls()
    with connect(make_target(tmp_path, small.url, tmp_path / "ca.pem", small.password)) as engine:
        assert engine.product().name == "oVirt Engine"


def test_another_ca_blocks_on_ssl_and_no_password_is_sent(
    tls: Callable[[], SmallEngine], tmp_path: Path
) -> None:
    small = tls()
    other = tmp_path / "other"
    other.mkdir()
    _, wrong = make_ca(other)
    with (
        pytest.raises(EngineUntrusted) as caught,
        connect(make_target(tmp_path, small.url, wrong, small.password)),
    ):
        pass
    assert isinstance(caught.value, Blocked)
    assert caught.value.on == "ssl-setup"
    assert small.requests == []


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    with pytest.raises(ReleaseError, match="cannot be used"):
        connect(make_target(tmp_path, "https://127.0.0.1:1/ovirt-engine/api", junk, "x" * 8))


def test_our_own_mistakes_are_not_taken_for_the_engine(engine: Engine) -> None:
    with pytest.raises(TypeError):
        engine.vms.add("n", "c", cluster_id="c1", memory=1, pinned_to=7)  # type: ignore[arg-type] # on purpose


def test_proxies_of_the_environment_are_ignored(
    small: SmallEngine, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with connect(make_target(tmp_path, small.url, ca_file, small.password)) as engine:
        assert engine.product().name == "oVirt Engine"
