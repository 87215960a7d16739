"""The administrator's socket: orders in, answers out, nothing else harmed."""

import socket

import pytest
from balancer_rig import PATIENCE, ask_control


@pytest.fixture
def administered(rig, tmp_path):
    path = str(tmp_path / "new" / "c")
    return rig(control=path), path


@pytest.mark.parametrize(
    "order, answer",
    [
        ("reload", "done"),
        ("  drain   ts2  ", "done"),
        ("drain ts9", "no server ts9; known: ts1, ts2, ts3"),
        ("drain", "unknown order; known: drain NAME, ready NAME, reload"),
        ("", "unknown order; known: drain NAME, ready NAME, reload"),
        ("close ts1", "unknown order; known: drain NAME, ready NAME, reload"),
        ("reload ts1", "unknown order; known: drain NAME, ready NAME, reload"),
    ],
)
def test_orders_and_answers(administered, order, answer):
    _, path = administered
    assert ask_control(path, order) == answer


def test_several_orders_on_one_connection_and_one_in_pieces(administered):
    rig, path = administered
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(path)
        answers = sock.makefile()
        sock.sendall(b"drain ts1\ndrain ts2\nrea")
        assert [answers.readline() for _ in range(2)] == ["done\n"] * 2
        assert {rig.visit(f"user{n}") for n in range(4)} == {"ts3"}
        sock.sendall(b"dy ts1\n")
        assert answers.readline() == "done\n"
    assert {rig.visit(f"new{n}") for n in range(4)} == {"ts1", "ts3"}


def test_an_endless_order_is_cut_off(administered):
    rig, path = administered
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(path)
        sock.sendall(b"x" * 1000)
        assert sock.recv(100) == b""
    assert rig.visit("bob")


def test_without_a_path_there_is_no_socket(rig, tmp_path):
    rig()
    assert not list(tmp_path.iterdir())
