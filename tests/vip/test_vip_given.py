"""What a user gives to `lbcert probe`: mistakes get one clear answer, before anything is sent."""

import pytest

from lbcert import cli
from lbcert.vip import given

PRINT = "ab" * 32


def run(capsys, *words):
    """The exit status, and what stands on standard error."""
    status = cli.main(["probe", *map(str, words)])
    return status, capsys.readouterr().err


@pytest.fixture
def names(tmp_path):
    file = tmp_path / "users"
    file.write_text("anna\nbob\n")
    return file


def test_names_are_read_with_comments_and_in_any_script(tmp_path):
    file = tmp_path / "users"
    file.write_bytes("\ufeff# farm\nanna   # boss\n\n  DOM\\b\u00f6b \nc#d\n".encode())
    assert given.users(file) == ["anna", "DOM\\b\u00f6b", "c#d"]


@pytest.mark.parametrize("content, words", [
    (b"", "users: there is no name in it."), (b"# none\n", "users: there is no name in it."),
    (b"anna\nbob\nanna\n", "users, line 3: 'anna' stands in line 1 already."),
    (b"anna\nb\xf6b\n", "users, line 2: is not UTF-8 (byte 1 of the line)."),
    (b"anna\x01\n", "users, line 1: the name holds a character that is not printable."),
    (b"a" * 300, "users, line 1: the name is too long for a first packet."),
])  # fmt: skip
def test_a_users_file_that_cannot_be_used(tmp_path, capsys, content, words):
    (tmp_path / "users").write_bytes(content)
    status, error = run(capsys, "127.0.0.1:9", "--users", tmp_path / "users", "--yes")
    assert status == 2 and words in error and error.count("\n") == 1


@pytest.mark.parametrize("content, words", [
    ("", "there is no certificate in it."), ("ts1\n", "line 1: 'ts1' is no certificate with a name."),
    (f"{PRINT} ts1\n{PRINT} ts2\n", "line 2: this certificate is ts1's already."),
])  # fmt: skip
def test_a_map_that_cannot_be_used(tmp_path, names, capsys, content, words):
    (tmp_path / "map").write_text(content)
    status, error = run(capsys, "127.0.0.1:9", "--users", names, "--map", tmp_path / "map", "--yes")
    assert status == 2 and words in error


def test_a_map_is_read_as_tools_print_it(tmp_path):
    colons = ":".join(["AB"] * 32)
    (tmp_path / "map").write_text(f"# farm\n{colons} ts1\n{'cd' * 32}  ts 2  # old\n")
    assert given.servers(tmp_path / "map") == {PRINT: "ts1", "cd" * 32: "ts 2"}


@pytest.mark.parametrize("words, said", [
    (["10.0.0.1"], "'10.0.0.1' is no address with a port."), (["::1:3389"], "'::1:3389' is no address with a port."),
    (["127.0.0.1:0"], "is no address with a port."), (["127.0.0.1:9", "--rate", "21"], "21 is not between 0 and 20"),
    (["127.0.0.1:9", "--rate", "nan"], "nan is not between 0 and 20"), (["127.0.0.1:9", "--rate", "0"], "0 is not between"),
    (["127.0.0.1:9", "--servers", "0"], "0 is not between 1 and 100."), (["127.0.0.1:9", "--source", "x"], "'x' is no address."),
    (["127.0.0.1:9", "--source", "192.0.2.1"], "192.0.2.1 cannot be used: Cannot assign requested address."),
    (["127.0.0.1:9", "--source", "::1"], "::1 is of another family than the VIP"),
    (["127.0.0.1:9", "--source", "127.0.0.2", "--source", "127.0.0.2"], "127.0.0.2 is there twice."),
])  # fmt: skip
def test_options_that_cannot_be_used(names, capsys, words, said):
    status, error = run(capsys, *words, "--users", names, "--yes")
    assert status == 2 and said in error


def test_without_a_terminal_it_wants_a_yes(names, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115  closed with the process
    status = cli.main(["probe", "127.0.0.1:9", "--users", str(names)])
    said = capsys.readouterr()
    assert status == 2 and "Nothing was sent. If you may test this VIP, give --yes." in said.err
    assert "connections: 75, at most 20 open at any time, at most 2 per second" in said.out


@pytest.mark.parametrize("answer", ["", "n", "Y es"])
def test_only_a_yes_begins(names, capsys, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    status, error = run(capsys, "127.0.0.1:9", "--users", names)
    assert status == 2 and "nothing was sent" in error


def test_a_vip_that_refuses_is_left_alone_after_one_connection(names, tmp_path, capsys):
    folder = tmp_path / "run"
    assert cli.main(["probe", "127.0.0.1:9", "--users", str(names), "--yes", "--report-dir", str(folder)]) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "the first connection got no certificate (no connection: Connection refused)" in said
    assert (folder / "history" / "probe.jsonl").read_text().count('"kind":"visit"') == 1
    assert (folder / "report.html").exists()
