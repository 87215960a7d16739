"""What the check cannot know is one clear question, and what the product refuses is said in its words and the user's lines."""

import pytest
from check_rig import CONFIGS

from lbcert import cli
from lbcert.check import command
from lbcert.check.command import examine
from lbcert.check.question import Question
from lbcert.check.trial import Refusal
from lbcert.dut import load
from lbcert.report.errors import ReportError

RDP = "listen rdp\n mode tcp\n bind 10.0.0.10:3389\n timeout client 1m\n timeout server 1m\n timeout connect 1s\n"
FARM = RDP + " server a 10.0.0.11:3389 check\n"


@pytest.fixture
def config(tmp_path):
    def write(text, name="haproxy.cfg"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.mark.parametrize(("text", "parts"), [
    pytest.param(RDP + ' server "${NAME}" "$ADDRESS:3389"\n',
                 ["haproxy.cfg, line 7: server", "Give them with: --env NAME=... --env ADDRESS=..."], id="variables"),
    pytest.param(RDP + " server a a.example:3389 resolvers dns\n server b 10.0.0.3:3389\n",
                 ["line 7: server a a.example:3389 resolvers dns", "while HAProxy runs"], id="DNS at run time"),
    pytest.param(RDP + " default-server resolvers dns\n server-template w 3 b.example:3389\n", ["line 8: server-template"], id="template"),
])  # fmt: skip
def test_one_question_before_anything_runs(config, text, parts):
    with pytest.raises(Question) as asked:
        examine([config(text)])
    assert all(part in str(asked.value) for part in parts), asked.value


def test_files_whose_content_decides_are_asked_for_at_once_and_then_used(config, zygote, tmp_path):
    path = config("global\n lua-load /etc/haproxy/x.lua\n" + FARM + " tcp-request content reject if { src -f /etc/bad.lst }\n")
    with pytest.raises(Question) as asked:
        examine([path], zygote=zygote)
    assert "--file /etc/haproxy/x.lua=... --file /etc/bad.lst=..." in str(asked.value)
    (tmp_path / "x.lua").write_text('core.log(core.info, "here")\n')
    (tmp_path / "bad").write_text("192.0.2.1\n")
    given = {"/etc/haproxy/x.lua": tmp_path / "x.lua", "/etc/bad.lst": tmp_path / "bad"}
    assert [one.vip for one in examine([path], files=given, zygote=zygote).candidates] == [("10.0.0.10", 3389)]


def test_a_refusal_names_the_users_file_and_line(config, zygote):
    first, second = config("global\n maxconn 10\n", "a.cfg"), config(FARM + " timeout conect 3s\n", "b.cfg")
    with pytest.raises(Refusal) as refused:
        examine([first, second], zygote=zygote)
    assert f"[{second}:8]" in str(refused.value) and "timeout" in str(refused.value)


@pytest.mark.parametrize(("name", "content", "says"), [
    pytest.param("none.cfg", None, "none.cfg: cannot be read: No such file", id="no file"),
    pytest.param("x.cfg", b"\xff\xfe", "is not UTF-8 (byte 0)", id="bytes"),
    pytest.param("empty", "folder", "holds no *.cfg file", id="empty folder"),
])  # fmt: skip
def test_unusable_input(tmp_path, capsys, name, content, says):
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    assert cli.main(["check", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("lbcert: ") and err.count("\n") == 1 and says in err


@pytest.mark.parametrize("option", [("--env", "X"), ("--host", "x=y"), ("--vip", "10.0.0.1"), ("--file", "x=y"), ("--file", "/x=/no/such"),
                                    ("--binary", "/no/such")])  # fmt: skip
def test_wrong_options(config, capsys, option):
    assert cli.main(["check", str(config(FARM)), *option]) == 2
    assert capsys.readouterr().err.startswith(f"lbcert: {option[0]}: ")


def test_a_second_file_begins_with_a_section(config):
    with pytest.raises(ReportError, match="begins with 'server' and not with a section"):
        examine([config(FARM, "a.cfg"), config(" server b 10.0.0.12:3389\n", "b.cfg")])


@pytest.mark.nightly
def test_a_folder_is_one_configuration_in_alphabetical_order(tmp_path, zygote):
    (tmp_path / "10-rdp.cfg").write_text(FARM)
    (tmp_path / "00-global.cfg").write_text("global\n maxconn 100")
    found = examine([tmp_path], zygote=zygote)
    assert [name for name, _ in found.source.files] == [str(tmp_path / "00-global.cfg"), str(tmp_path / "10-rdp.cfg")]
    assert found.candidates[0].bind.line.place == f"{tmp_path / '10-rdp.cfg'}, line 3"
    assert [found.source.origin(number) for number in (2, 5)] == [(str(tmp_path / "00-global.cfg"), 1), (str(tmp_path / "10-rdp.cfg"), 1)]


@pytest.mark.nightly
@pytest.mark.parametrize(("text", "reason"), [
    pytest.param(FARM + " source 0.0.0.0 usesrc clientip\n", "line 8: servers see the client's address (`usesrc`)", id="transparent"),
    pytest.param(RDP + "".join(f" server s{number} 10.0.0.{100 + number}:3389\n" for number in range(16)),
                 "16 real servers; a lab has room for 15", id="many servers"),
    pytest.param(RDP + " server a 127.0.0.1:4000\n", "no real server with an address of its own", id="own address"),
    pytest.param(RDP.replace("3389", "3389 accept-proxy") + " server a 10.0.0.11:3389\n", "reaches no backend", id="PROXY protocol"),
])  # fmt: skip
def test_a_listener_that_cannot_be_tested_is_named_with_the_reason(config, zygote, text, reason):
    found = examine([config(text)], zygote=zygote)
    assert found.candidates == [] and [what for what, _ in found.choice.left_out] == ["10.0.0.10:3389"]
    assert reason in found.choice.left_out[0][1]


@pytest.mark.nightly
def test_a_listener_can_be_chosen(config, zygote):
    path = config("".join(FARM.replace("rdp", f"rdp{number}").replace("0.10:", f"0.{20 + number}:") for number in range(8)))
    found = examine([path], zygote=zygote)
    assert [one.id for one in found.candidates] == ["rdp0", "rdp1", "rdp2"] and len(found.choice.left_out) == 4
    chosen = examine([path], vip=("10.0.0.26", 3389), zygote=zygote)
    assert [one.vip for one in chosen.candidates] == [("10.0.0.26", 3389)]
    with pytest.raises(Question, match="does not listen there; it listens on: 10.0.0.20:3389"):
        examine([path], vip=("10.0.0.99", 3389), zygote=zygote)


def test_what_is_written_can_be_corrected_and_read_again(config, zygote, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "examine", lambda *args, **more: examine(*args, zygote=zygote, **more))
    kept = tmp_path / "kept"
    path = CONFIGS / "01-frontend-and-backend.cfg"
    assert cli.main(["check", str(path), "--no-run", "--write", str(kept)]) == 0
    assert "tested as profile rdp: 10.20.1.10:3389 (rdp)" in capsys.readouterr().out
    product = load(kept / "dut.yaml", "kept")
    assert product.deployments[0].text == path.read_text() and set(product.deployments[0].variants) == {"short-lifetime", "small-table"}
    found = command._described(product)["rdp"]
    assert found.vip == ("10.20.1.10", 3389) and found.bind.line.place == f"{kept / path.name}, line 15"
    assert cli.main(["check", str(path), "--no-run", "--write", str(kept)]) == 2
    assert "is not empty" in capsys.readouterr().err
