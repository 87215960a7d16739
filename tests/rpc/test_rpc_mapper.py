"""The endpoint mapper and its client: who answered is told, in any segmentation, and impacket's client agrees."""

import pytest
from rpc_rig import Desk, converse, impacket_client

from lbcert.clients.mapper import AskMapper
from lbcert.wire import epm, rpc
from lbcert.wire.talk import Identity

segments = pytest.mark.parametrize("size", [None, 1, 7, 100])


@segments
@pytest.mark.parametrize("lookup", [False, True], ids=["ept_map", "ept_lookup"])
@pytest.mark.parametrize("fragment", [4000, 10, 1])
def test_a_client_learns_who_answered(size, lookup, fragment):
    desk = Desk()
    speech = converse(AskMapper("t-1", lookup=lookup, fragment=fragment), desk, size)
    assert (speech.outcome, speech.identity) == ("answered", Identity(2, 7))
    assert (speech.told()["port"], speech.told()["address"]) == (49154, "192.168.0.12")
    assert desk.kinds() == ["bind", "request"]
    assert desk.events[1]["token"] == "t-1" and desk.events[1]["fragments"] >= (1 if fragment == 4000 else 2)


def test_a_second_call_on_the_held_binding():
    desk = Desk()
    speech = converse(AskMapper("1af1b5a2-0000-4000-8000-000000000001"), desk)
    out = speech.again()
    assert speech.outcome is None
    converse(speech, desk, out=out)
    assert speech.outcome == "answered" and speech.told()["answers"] == 2
    assert [one.get("number") for one in desk.events] == [None, 1, 2]
    assert desk.events[2]["token"] == "1af1b5a2-0000-4000-8000-000000000001"


def test_a_group_belongs_to_one_server():
    first = converse(AskMapper("t-1"), Desk())
    same, other = Desk(conn=9), Desk(index=3)
    joined = converse(AskMapper("t-2", group=first.group), same)
    assert (joined.outcome, joined.identity, joined.group) == ("answered", Identity(2, 9), first.group)
    lost = converse(AskMapper("t-3", group=first.group), other)
    assert (lost.outcome, lost.identity) == ("refused", None)
    assert other.kinds() == ["foreign-group"] and other.service.closing


def test_several_pdus_in_one_segment_are_answered_in_order():
    bind = rpc.Pdu(rpc.BIND, 1, rpc.Bind((rpc.Context(0, epm.MAPPER),)).encode()).encode()
    call = rpc.Call(0, epm.MAP, epm.Question(None, epm.Tower(epm.DCOM).encode()).encode())
    desk = Desk()
    out, kinds = desk.take(bind + call.fragments(2, 4000) + call.fragments(3, 9)), []
    while out:
        outcome = rpc.Pdu.decode(out)
        kinds.append((outcome.value.kind, outcome.value.call))
        out = outcome.rest
    assert kinds == [(rpc.BIND_ACK, 1), (rpc.RESPONSE, 2), (rpc.RESPONSE, 3)]


@pytest.mark.parametrize("call, status", [
    (rpc.Call(0, 9, b""), rpc.OUT_OF_RANGE), (rpc.Call(5, epm.MAP, b""), rpc.UNKNOWN_CONTEXT),
    (rpc.Call(0, epm.MAP, b"\0" * 7), rpc.BAD_STUB), (rpc.Call(0, epm.LOOKUP, b""), rpc.BAD_STUB),
], ids=["operation", "context", "map", "lookup"])  # fmt: skip
def test_what_cannot_be_served_is_a_fault_and_the_binding_lives(call, status):
    desk, speech = Desk(), AskMapper("t-1")
    converse(speech, desk)
    outcome = rpc.Pdu.decode(desk.take(call.fragments(9, 4000)))
    assert outcome.value.kind == rpc.FAULT
    assert rpc.read_answer(outcome.value).value[1] == status.to_bytes(4, "little")
    assert not desk.service.closing and converse(speech, desk, out=speech.again()).outcome == "answered"


GOOD = rpc.Pdu(rpc.BIND, 1, rpc.Bind((rpc.Context(0, epm.MAPPER),)).encode()).encode()


@pytest.mark.parametrize("data", [
    b"\x04" + GOOD[1:], b"\x05\x02" + GOOD[2:], GOOD[:4] + b"\0" + GOOD[5:], GOOD[:8] + b"\x0f\0" + GOOD[10:],
    GOOD[:8] + b"\xff\xff" + GOOD[10:], GOOD[:10] + b"\xff\0" + GOOD[12:], GOOD + GOOD, GOOD[:2] + b"\x02" + GOOD[3:],
    b"GET / HTTP/1.1\r\n", rpc.Pdu(rpc.BIND, 1, b"\0").encode(), GOOD + rpc.Pdu(rpc.REQUEST, 2, b"\0" * 8, rpc.LAST).encode(),
    GOOD + rpc.Pdu(rpc.REQUEST, 2, b"\0" * 8, rpc.FIRST).encode() * 2, GOOD + rpc.Pdu(rpc.REQUEST, 2, b"").encode(),
], ids=range(13))  # fmt: skip
@segments
def test_what_is_no_rpc_is_reported_and_ends_its_connection(data, size):
    desk = Desk()
    out = desk.take(data, size)
    assert desk.kinds()[-1] == "malformed" and out and desk.service.closing
    assert desk.take(GOOD) == b""


def test_a_call_is_bounded():
    desk = Desk()
    desk.take(GOOD)
    piece = rpc.Call(0, epm.MAP, bytes(5000))
    for place in range(20):
        desk.take(piece.pdu(2, rpc.FIRST if place == 0 else 0).encode())
    assert desk.kinds() == ["bind", "malformed"]


@pytest.mark.parametrize("answer, outcome", [
    (rpc.nak(1, 0), "refused"), (rpc.fault(1, 0, 5), "fault 0x00000005"), (b"HTTP/1.1 400", "malformed"),
    (rpc.Pdu(rpc.BIND_ACK, 1, rpc.BindAck(1, ((2, 1),)).encode()).encode(), "rejected"),
    (rpc.Pdu(rpc.BIND_ACK, 1, b"\0").encode(), "malformed"),
    (rpc.Pdu(rpc.BIND_ACK, 1, rpc.BindAck(3 << 24, ((0, 0),)).encode()).encode()
     + rpc.answer(2, 0, epm.map_answer([epm.Tower(epm.DCOM, 49154)]), 5840), "contradiction"),
], ids=range(6))  # fmt: skip
def test_one_word_for_what_came(answer, outcome):
    speech = AskMapper("t-1")
    speech.begin()
    speech.take(answer)
    assert speech.outcome == outcome


def test_impackets_client_maps_and_looks_up():
    from impacket.dcerpc.v5.epm import PrintStringBinding, hept_lookup, hept_map
    from impacket.uuid import uuidtup_to_bin

    dcom = uuidtup_to_bin((str(epm.DCOM.uuid), "0.0"))
    desk = Desk()
    found = impacket_client(desk, lambda dce: hept_map("127.0.0.1", dcom, protocol="ncacn_ip_tcp", dce=dce))
    assert found == "ncacn_ip_tcp:127.0.0.1[49154]"
    rows = impacket_client(Desk(), lambda dce: hept_lookup("127.0.0.1", dce=dce))
    assert [PrintStringBinding(row["tower"]["Floors"]) for row in rows] == [
        "ncacn_ip_tcp:192.168.0.12[49154]", "ncacn_ip_tcp:192.168.0.12[135]",
    ]  # fmt: skip
    assert {row["annotation"] for row in rows} == {b"fe=2; conn=7\0"}
    assert desk.kinds() == ["bind", "request"]


def test_impackets_fragments_are_put_together():
    from impacket.dcerpc.v5.epm import hept_map
    from impacket.uuid import uuidtup_to_bin

    def talk(dce):
        dce.set_max_fragment_size(8)
        return hept_map("127.0.0.1", uuidtup_to_bin((str(epm.DCOM.uuid), "0.0")), protocol="ncacn_ip_tcp", dce=dce)

    desk = Desk()
    assert impacket_client(desk, talk) == "ncacn_ip_tcp:127.0.0.1[49154]"
    assert desk.events[1]["fragments"] > 5
