"""Secrets of TLS inside a capture: where they stand, and that what reads captures still reads them."""

import struct

from lbcert.evidence.flows import packets
from lbcert.evidence.secrets import enclose_secrets
from lbcert.topology.capture import _SECTION, interface_block, packet_block

LOG = b"CLIENT_RANDOM 00 11\n"


def written(folder, key_log=None):
    capture, keys = folder / "one.pcapng", folder / "one.keys"
    capture.write_bytes(_SECTION + interface_block("client:eth0") + packet_block(0, 5_000_000_001, b"x" * 61, 61, True))
    if key_log is not None:
        keys.write_bytes(key_log)
    enclose_secrets(capture, keys)
    return capture, keys


def test_secrets_stand_before_every_packet(tmp_path):
    capture, keys = written(tmp_path, LOG)
    data = capture.read_bytes()
    kind, size, what, length = struct.unpack_from("<IIII", data, len(_SECTION))
    assert (kind, what, length) == (0x0A, 0x544C534B, len(LOG)) and size % 4 == 0
    assert data[len(_SECTION) + 16 :][: len(LOG)] == LOG
    assert struct.unpack_from("<I", data, len(_SECTION) + size - 4) == (size,)
    assert not keys.exists()


def test_packets_are_read_as_before(tmp_path):
    with_secrets = tmp_path / "with"
    with_secrets.mkdir()
    assert [*packets(written(with_secrets, LOG)[0])] == [*packets(written(tmp_path)[0])] != []


def test_a_lab_without_tls_has_a_capture_without_secrets(tmp_path):
    assert LOG not in written(tmp_path)[0].read_bytes()
