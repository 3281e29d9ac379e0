"""A folder that grows, in S3 and back: its rows byte for byte, before the manifest that counts them, whatever becomes of answers."""

import dataclasses
import json
import pathlib

import pytest

from locustfiles.contract.s3 import upload as uploading
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.copies import bring
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.lease import Lease, Lost
from locustfiles.contract.s3.stored import stored_in
from locustfiles.contract.s3.upload import Upload
from tests.helpers.s3_server import BUCKET, answer_lost, client, gone, joined, objects

SAID: list[str] = []


@dataclasses.dataclass
class Folder:
    """A run's two files, as far as an upload reads them."""

    path: pathlib.Path
    run_id: str = "r1"
    parts: tuple[str, ...] = ("r1",)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.stage(0)

    @property
    def rows(self) -> bytes:
        return (self.path / "requests.csv").read_bytes()

    def stage(self, number: int) -> None:
        parts = [{"run_id": part} for part in self.parts]
        told = {"run_id": self.run_id, "parts": parts, "stages": list(range(number)), "abandoned": []}
        (self.path / "manifest.json").write_text(json.dumps(told))

    def add(self, text: str) -> None:
        with open(self.path / "requests.csv", "a") as file:
            file.write(text)


def upload_of(folder: Folder, bucket: Bucket, holder: str = "a") -> Upload:
    return Upload(bucket, Lease(bucket, holder), folder.path, stored_in(bucket))


def fetched(bucket: Bucket, path: pathlib.Path) -> int:
    SAID.clear()
    return bring(bucket, stored_in(bucket), path, SAID.append)


def test_what_grows_is_sent_in_whole_lines_and_comes_back_as_it_was(front, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(uploading, "CLOSED_BYTES", 40)
    monkeypatch.setattr(uploading, "MOST_BYTES", 64)
    folder = Folder(tmp_path / "here")
    upload = upload_of(folder, bucket)
    for number in range(1, 6):
        folder.stage(number)
        folder.add(f"row {number} of ten and more\n" * number + "to")
        upload.round()
        assert joined(front.url, bucket.address.prefix) == folder.rows[:-2]  # without the torn one
        assert front.written[-1].endswith("manifest.json")
        folder.add("rn\n")
    upload.round()
    sent = front.written
    upload.round()
    assert front.written == sent  # nothing new, nothing asked
    assert joined(front.url, bucket.address.prefix) == folder.rows
    blocks = [key for key in objects(front.url, bucket.address.prefix) if key.startswith("requests/r1/")]
    assert 6 < len(blocks) < 14  # 355 bytes, of 40 to 64 each
    there = tmp_path / "there"
    assert fetched(bucket, there) == len(folder.rows) == 355
    assert (there / "requests.csv").read_bytes() == folder.rows
    assert (there / "manifest.json").read_bytes() == (folder.path / "manifest.json").read_bytes()
    folder.add("one more\n")
    folder.stage(6)
    upload.round()
    assert fetched(bucket, there) == len("one more\n") and not SAID  # only what was missing
    assert (there / "requests.csv").read_bytes() == folder.rows
    assert fetched(bucket, there) == 0


def test_the_rows_are_there_before_the_manifest_that_counts_them(front, bucket, tmp_path):
    folder = Folder(tmp_path / "here")
    folder.add("a\n")
    front.fault = lambda asked: gone(asked) if asked.method == "PUT" and asked.key.endswith("manifest.json") else None
    with pytest.raises(S3Fault, match="S3 cannot be reached"):
        upload_of(folder, bucket).round()
    front.fault = None
    assert list(objects(front.url, bucket.address.prefix)) == ["requests/r1/000000000000.csv"]


@pytest.mark.parametrize("key", ["requests.csv", "manifest.json"])
def test_an_answer_that_is_lost_is_no_other_writer(front, bucket, tmp_path, key):
    folder = Folder(tmp_path / "here")
    folder.add("a\n")
    upload = upload_of(folder, bucket)
    upload.round()
    folder.add("b\n")
    folder.stage(1)
    lost = "requests/" if key == "requests.csv" else key
    front.fault = lambda asked: answer_lost(asked) if asked.method == "PUT" and lost in asked.key else None
    with pytest.raises(S3Fault, match="S3 cannot be reached"):
        upload.round()
    front.fault = None
    folder.add("c\n")
    folder.stage(2)
    upload.round()
    assert joined(front.url, bucket.address.prefix) == b"a\nb\nc\n"
    assert fetched(bucket, tmp_path / "there") == 6


def test_of_two_that_write_one_gets_on(front, bucket, tmp_path):
    folder, other = Folder(tmp_path / "a"), Folder(tmp_path / "b")
    for each in (folder, other):
        each.add("first\n")
    ours = upload_of(folder, bucket)
    ours.round()
    theirs = upload_of(other, bucket, "b")
    theirs.check()
    other.add("theirs\n")
    theirs.round()
    folder.add("ours\n")
    with pytest.raises(Lost):
        ours.round()
    assert joined(front.url, bucket.address.prefix) == b"first\ntheirs\n"


def test_a_run_that_replaces_another_has_none_of_its_rows(front, bucket, tmp_path):
    old, new = Folder(tmp_path / "a"), Folder(tmp_path / "b", "r2", ("r2",))
    old.add("old\n" * 5)
    upload_of(old, bucket).round()
    new.add("new\n")
    upload_of(new, bucket).round()
    assert fetched(bucket, tmp_path / "there") == 4
    assert (tmp_path / "there/requests.csv").read_bytes() == b"new\n"


def test_what_only_this_machine_has_stays(front, bucket, tmp_path):
    folder = Folder(tmp_path / "here")
    folder.add("a\n")
    folder.stage(1)
    upload_of(folder, bucket).round()
    folder.add("b\n")  # never sent
    assert fetched(bucket, folder.path) == 0 and folder.rows == b"a\nb\n"
    other = Folder(tmp_path / "other", parts=("r1", "r2"))  # another machine goes on with what S3 has
    other.add("a\nc\nd\n")
    other.stage(2)
    upload_of(other, bucket, "b").round()
    with pytest.raises(S3Fault, match=r"it has rows that .*here/requests\.csv has not"):
        upload_of(folder, bucket).check()
    assert fetched(bucket, folder.path) == 6 and folder.rows == b"a\nc\nd\n"
    (aside,) = tmp_path.glob("here-before-*")
    assert (aside / "requests.csv").read_bytes() == b"a\nb\n" and str(aside) in SAID[0]


def test_a_block_that_is_missing_ends_what_is_there(front, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(uploading, "CLOSED_BYTES", 1)
    folder = Folder(tmp_path / "here")
    upload = upload_of(folder, bucket)
    for row in ("a\n", "b\n", "c\n"):
        folder.add(row)
        upload.round()
    client(front.url).delete_object(Bucket=BUCKET, Key=f"{bucket.address.prefix}/requests/r1/000000000002.csv")
    assert fetched(bucket, tmp_path / "there") == 2
    again = upload_of(folder, bucket)
    again.check()
    again.round()  # what is missing is sent anew
    assert joined(front.url, bucket.address.prefix).count(b"b\n") == 1
    client(front.url).delete_object(Bucket=BUCKET, Key=f"{bucket.address.prefix}/manifest.json")
    folder.stage(9)
    again.round()
    assert "manifest.json" in objects(front.url, bucket.address.prefix)
