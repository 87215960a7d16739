"""`lbcert import` as its users run it: the file, what is said, and mistakes; and `--corpus`, which sends the file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from corpus_rig import CR, cookie, pcap, section, visit

from lbcert import cli
from lbcert.corpus import file
from lbcert.report.errors import ReportError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [cookie(name) for name in (b"jsmith", b"CORP\\amelia", b"amelia")]
    packets = [*names, CR["CR-05"], CR["CR-03"], CR["CR-09"], b"GET / HTTP"]
    frames = [frame for number, packet in enumerate(packets) for frame in visit(packet, sport=40000 + number)]
    (tmp_path / "monday.pcap").write_bytes(pcap(frames))
    (tmp_path / "tuesday.pcapng").write_bytes(section([101], [(0, frame) for frame in visit(cookie(b"jsmith"))])[:-3])
    return tmp_path


def run(capsys, *words):
    status = cli.main(["import", *map(str, words)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_capture_becomes_a_corpus_without_names(work, capsys):
    status, out, err = run(capsys, "monday.pcap")
    content = (work / "corpus" / "monday.json").read_text()
    raw = b"".join(bytes.fromhex(one["hex"]) for one in json.loads(content)["packets"])
    assert (status, err) == (0, "") and "corpus/monday.json: 5 packets" in out
    assert not any(name in text for name in (b"smith", b"amelia", b"CORP", b"83886090")
                   for text in (out.encode(), content.encode(), raw))  # fmt: skip
    assert [one["seen"] for one in json.loads(content)["packets"]] == [2, 1, 1, 1, 1]
    assert "monday.pcap: 1 left out, malformed at byte 0" in out
    assert [line.split() for line in out.splitlines()][:2] == [
        ["lines", "protocols", "flags", "bytes", "seen"], ["cookie", "SSL", "HYBRID", "-", "44", "2"]]  # fmt: skip


def test_several_captures_into_one_file(work, capsys):
    status, out, _ = run(capsys, "monday.pcap", "tuesday.pcapng", "--into", "own.json", "--keep-tokens")
    packets = json.loads((work / "own.json").read_text())["packets"]
    assert status == 0 and packets[0]["from"] == ["monday.pcap", "tuesday.pcapng"] and packets[0]["seen"] == 3
    assert CR["CR-05"].hex() in [one["hex"] for one in packets]
    assert "tuesday.pcapng: the file breaks off in its last packet" in out
    assert file.load(work / "own.json").rows() == {"RDP-PARSE-01": 5, "RDP-PARSE-04": 1}


def test_nothing_found_writes_nothing(work, capsys):
    status, out, _ = run(capsys, "monday.pcap", "--port", "3390")
    assert status == 1 and "no first packet of a client of port 3390" in out and not (work / "corpus").exists()


def test_mistakes(work, capsys):
    (work / "there.json").write_text("")
    (work / "more").mkdir()
    for words, said in (
        (["none.pcap"], "none.pcap: cannot be read: No such file or directory."), (["there.json"], "there.json: is empty."),
        (["monday.pcap", "--into", "there.json"], "there.json: exists already."),
        (["monday.pcap", "more/monday.pcap"], "its corpus would be corpus/monday.json, as that of monday.pcap. Give --into"),
        (["monday.pcap", "--port", "0"], "0 is not between 1 and 65535."),
        (["monday.pcap", "--into", "there.json/x.json"], "there.json"),
    ):  # fmt: skip
        status, _, err = run(capsys, *words)
        assert status == 2 and said in err and err.count("\n") == 1, words
    assert not (work / "corpus").exists()


BAD = {
    "garbage": ("{", "own.json, line 1: is not JSON"),
    "another schema": ('{"schema": 2, "packets": [{"hex": "00"}]}', "schema: 2 is not 1."),
    "no packets": ('{"schema": 1, "packets": []}', "packets: must not be empty."),
    "no hex": ('{"schema": 1, "packets": [{"hex": "0g"}]}', "packets[0].hex: '0g' is not a packet in hexadecimal digits"),
    "no request": ('{"schema": 1, "packets": [{"hex": "16030100"}]}', "packets[0].hex: is no Connection Request"),
    "half a packet": (f'{{"schema": 1, "packets": [{{"hex": "{CR["CR-01"][:-1].hex()}"}}]}}', "is not one whole packet"),
    "a list": ("[1]", "is not of type object"),
}  # fmt: skip


@pytest.mark.parametrize("content, words", BAD.values(), ids=BAD)
def test_a_corpus_that_cannot_be_used(tmp_path, content, words):
    (tmp_path / "own.json").write_text(content)
    with pytest.raises(ReportError) as error:
        file.load(tmp_path)
    assert words in str(error.value) and file.REMEDY in str(error.value)


def test_a_folder_without_a_corpus(tmp_path):
    with pytest.raises(ReportError, match=r"holds no corpus \(\*.json\)"):
        file.load(tmp_path)


def test_runs_send_the_corpus_and_the_report_says_so(work, capsys):
    run(capsys, "monday.pcap")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "suites/rdp", "-k", "RDP_PARSE_01 or RDP_PARSE_04",
               "--dut", "ideal", "--corpus", str(work / "corpus"), "--report-dir", str(work / "run")]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    report = json.loads((work / "run" / "report.json").read_text())
    rows = {row["id"]: row for row in report["deployments"][0]["requirements"]}
    assert done.returncode == 0, done.stdout
    assert rows["RDP-PARSE-01"]["tests"][0]["observed"] == "19 of 19 first packets arrived unchanged"
    assert rows["RDP-PARSE-04"]["tests"][0]["observed"] == "15 of 15 were answered"
    assert f"--corpus {work / 'corpus'}" in rows["RDP-PARSE-04"]["reproduce"]
    assert report["environment"]["corpus"]["rows"] == {"RDP-PARSE-01": 5, "RDP-PARSE-04": 1}
    note = f"Also run with 5 packets of your own clients ({work / 'corpus'}): RDP-PARSE-01 (5), RDP-PARSE-04 (1)."
    assert note in report["notes"] and note in (work / "run" / "report.html").read_text()
    sent = (work / "run" / "history").glob("*unchanged*")
    assert '"label":"monday 1 (cookie)"' in next(sent).read_text().replace('": "', '":"')
