"""Messages with descriptors: borders are kept, the far end's death is noticed, and no descriptor is lost in silence."""

import os
import resource
import signal

import pytest
from topology_rig import open_files

from lbcert.topology.channel import MAX_FDS, MAX_MESSAGE, Channel, ChannelClosed, TooManyFiles


@pytest.fixture
def ends():
    left, right = Channel.pair()
    yield left, right
    left.close()
    right.close()


def test_messages_keep_their_borders(ends):
    for number in range(3):
        ends[0].send({"number": number, "text": "ä\n\0"})
    assert [ends[1].receive()[0]["number"] for _ in range(3)] == [0, 1, 2]


def test_a_message_of_the_largest_size_arrives(ends):
    text = "x" * (MAX_MESSAGE - len('{"t": ""}'))
    ends[0].send({"t": text})
    assert ends[1].receive()[0]["t"] == text


def test_a_larger_message_is_refused_before_it_is_sent(ends):
    with pytest.raises(ValueError, match="exceeds"):
        ends[0].send({"t": "x" * MAX_MESSAGE})


@pytest.mark.parametrize("count", [0, 1, MAX_FDS])
def test_descriptors_arrive_with_their_message(ends, count):
    before = open_files()
    with open("/dev/null") as null:
        ends[0].send({"count": count}, [null.fileno()] * count)
    message, fds = ends[1].receive()
    assert (message["count"], len(fds)) == (count, count)
    assert all(os.fstat(fd).st_rdev == os.stat("/dev/null").st_rdev and not os.get_inheritable(fd) for fd in fds)
    for fd in fds:
        os.close(fd)
    assert open_files() == before


def test_descriptors_without_room_are_an_error_and_none_is_kept(ends):
    with open("/dev/null") as null:
        ends[0].send({}, [null.fileno()] * 10)
    before = open_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(lowest := os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 3, hard))
    try:
        with pytest.raises(TooManyFiles, match="ulimit -n"):
            ends[1].receive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert open_files() == before


def test_the_end_is_noticed_after_the_last_message():
    left, right = Channel.pair()
    left.send({"last": True})
    left.close()
    assert right.receive()[0] == {"last": True}
    for attempt in (right.receive, lambda: right.send({})):
        with pytest.raises(ChannelClosed):
            attempt()
    right.close()


def test_the_death_of_the_other_process_is_the_end():
    left, right = Channel.pair()
    pid = os.fork()
    if pid == 0:
        right.send({"ready": True})
        signal.pause()
    right.close()
    assert left.receive()[0] == {"ready": True}
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ChannelClosed):
        left.receive()
    os.waitpid(pid, 0)
    left.close()
