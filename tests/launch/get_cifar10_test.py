"""launch/get-cifar10: the data appears whole or not at all."""

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from harness.files import write, write_black_cifar10
from scripts import LAUNCH, refused, run, start, succeeded

BYTES = 30730000
FILES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
BATCHES = "cifar-10-batches-bin"


def pack(source, name):
    subprocess.run(["tar", "-czSf", name, "-C", source, BATCHES], check=True)
    return Path(name).absolute()


@pytest.fixture(scope="module")
def source():
    """A folder like the published one, of zeros, as sparse files."""
    with tempfile.TemporaryDirectory() as name:
        write_black_cifar10(Path(name, BATCHES))
        write(Path(name, BATCHES, "batches.meta.txt"), "airplane\n")
        yield Path(name)


@pytest.fixture(scope="module")
def archive(source):
    return pack(source, source / "cifar-10-binary.tar.gz")


def md5_of(file):
    return hashlib.md5(file.read_bytes()).hexdigest() if file.exists() else ""


def get(archive, *words):
    """Downloads, with the checksum of the archive taken as the right one."""
    return run(LAUNCH / "get-cifar10", *words, CIFAR10_URL=f"file://{archive}", CIFAR10_MD5=md5_of(archive))


def leaves_nothing(outcome, pattern):
    refused(outcome, 3, pattern)
    assert not Path("bad").exists()


def test_six_files_are_there_and_are_kept(archive):
    succeeded(get(archive, "good"), "is complete")
    batches = Path("good", BATCHES)
    assert {name: (batches / name).stat().st_size for name in FILES} == dict.fromkeys(FILES, BYTES)
    assert os.listdir("good") == [BATCHES], "nothing else is there"
    succeeded(run(LAUNCH / "get-cifar10", "good", CIFAR10_URL="file:///nowhere"), "there and complete")
    os.truncate(batches / "data_batch_3.bin", 5)
    refused(get(archive, "good"), 3, "data_batch_3.bin has 5 bytes, expected 30730000")
    assert (batches / "data_batch_3.bin").stat().st_size == 5, "files that were there are left alone"


def test_an_archive_of_another_checksum_leaves_nothing(archive):
    leaves_nothing(run(LAUNCH / "get-cifar10", "bad/deep", CIFAR10_URL=f"file://{archive}"),
                   f"checksum {md5_of(archive)}, expected c32a1d4ab5d03f1284b67883e8d87530")


def test_half_an_archive_leaves_nothing(archive):
    half = Path("truncated.tar.gz").absolute()
    half.write_bytes(archive.read_bytes()[:archive.stat().st_size // 2])
    leaves_nothing(get(half, "bad/deep"), "truncated.tar.gz: cannot be unpacked")


def test_an_archive_that_is_not_there_leaves_nothing():
    archive = Path("nowhere").absolute()
    leaves_nothing(get(archive, "bad/deep"), f"file://{archive}: curl: .*expected the CIFAR-10 archive")


def test_a_server_that_is_not_there_leaves_nothing():
    leaves_nothing(run(LAUNCH / "get-cifar10", "bad/deep", CIFAR10_URL="http://127.0.0.1:1/"),
                   "127.0.0.1.*expected the CIFAR-10 archive")


def test_an_archive_without_one_of_the_files_leaves_nothing():
    write_black_cifar10(BATCHES)
    Path(BATCHES, "test_batch.bin").unlink()
    missing = pack(".", "missing.tar.gz")
    leaves_nothing(get(missing, "bad/deep"), "missing.tar.gz: .*test_batch.bin has no bytes, expected 30730000")
    Path("existing").mkdir()
    assert get(missing, "existing").code == 3
    assert os.listdir("existing") == [], "a folder that was there stays, empty"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_download_that_hangs_is_ended_by_a_signal_and_leaves_nothing(number):
    os.mkfifo("pipe")  # curl waits for someone to write
    with start(LAUNCH / "get-cifar10", "bad/deep", CIFAR10_URL=f"file://{Path.cwd()}/pipe") as download:
        limit = time.monotonic() + 30
        while not list(Path("bad").rglob("error")):
            assert time.monotonic() < limit, "the download is under way"
            time.sleep(0.02)
        os.kill(download.pid, number)
        outcome = download.wait()
    assert (outcome.code, outcome.err) == (143, "")
    assert not Path("bad").exists()


@pytest.mark.parametrize("words, code, pattern", [(["--what"], 2, "unknown option '--what'"),
                                                  (["a", "b"], 2, "2 arguments, expected one folder at most"),
                                                  (["/proc/here"], 3, "/proc/here cannot be made")])
def test_words_that_are_wrong_are_refused(words, code, pattern):
    refused(run(LAUNCH / "get-cifar10", *words), code, pattern)
