"""launch/get-data: a data set appears whole or not at all. get_cifar10_test.py has what both scripts share."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from harness.datasets import write_cifar100, write_idx
from harness.files import write, write_black_cifar10
from scripts import LAUNCH, refused, run, succeeded

IDX = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
PUBLISHED = {
    "mnist": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "fashion-mnist": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "cifar100": "03b5dce01913d631647c71ecec9e9cb8",
}


def md5_of(file):
    return hashlib.md5(Path(file).read_bytes()).hexdigest()


def get(name, source, *words, sums=()):
    return run(LAUNCH / "get-data", name, *words, DATA_URL=f"file://{Path(source).absolute()}",
               **({"DATA_MD5": " ".join(sums)} if sums else {}))


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_four_files_are_there_and_are_kept(name):
    write_idx("source", packed=True)
    succeeded(get(name, "source", "data", sums=[md5_of(f"source/{file}") for file in IDX]), f"data/{name} is complete")
    assert os.listdir("data") == [name], "nothing else is there"
    assert sorted(os.listdir(f"data/{name}")) == sorted(IDX)
    succeeded(run(LAUNCH / "get-data", name, "data", DATA_URL="file:///nowhere"), "there and complete")
    Path("data", name, IDX[2]).unlink()
    refused(get(name, "source", "data"), 3, f"data/{name} is there but incomplete: {IDX[2]} is missing; remove it")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_files_that_are_not_the_published_ones_leave_nothing(name):
    write_idx("source", packed=True)
    refused(get(name, "source", "data/deep"), 3,
            f"{IDX[0]}: checksum {md5_of('source/' + IDX[0])}, expected {PUBLISHED[name]}")
    assert not Path("data").exists()
    Path("source", IDX[3]).unlink()
    sums = [md5_of(f"source/{file}") for file in IDX[:3]] + ["0"]
    refused(get(name, "source", "data/deep", sums=sums), 3, f"{IDX[3]}: curl: .*, expected a file of ")
    assert not Path("data").exists()


def test_cifar100_is_unpacked():
    write_cifar100("cifar-100-binary", 3)
    write("cifar-100-binary/fine_label_names.txt", "apple\n")
    subprocess.run(["tar", "-czSf", "archive.tar.gz", "cifar-100-binary"], check=True)
    sums = [md5_of("archive.tar.gz")]
    refused(get("cifar100", "archive.tar.gz", "data"), 3, f"checksum {sums[0]}, expected {PUBLISHED['cifar100']}")
    assert not Path("data").exists()
    succeeded(get("cifar100", "archive.tar.gz", "data", sums=sums), "data/cifar-100-binary is complete")
    assert os.listdir("data") == ["cifar-100-binary"]
    assert Path("data/cifar-100-binary/train.bin").stat().st_size == 153700000
    os.truncate("cifar-100-binary/test.bin", 5)
    subprocess.run(["tar", "-czSf", "archive.tar.gz", "cifar-100-binary"], check=True)
    refused(get("cifar100", "archive.tar.gz", "bad", sums=[md5_of("archive.tar.gz")]), 3,
            "archive.tar.gz: in cifar-100-binary, test.bin has 5 bytes, expected 30740000")
    assert not Path("bad").exists()


def test_cifar10_is_what_get_cifar10_gets():
    write_black_cifar10("data/cifar-10-batches-bin")
    write("data/cifar-10-batches-bin/batches.meta.txt", "airplane\n")
    outcome = succeeded(run(LAUNCH / "get-data", "cifar10", "data"), "there and complete")
    assert outcome.out.startswith("launch/get-cifar10: ")


@pytest.mark.parametrize("words, pattern", [([], "no data set, expected mnist, fashion-mnist, cifar100 or cifar10"),
                                            (["imagenet"], "unknown data set 'imagenet', expected mnist"),
                                            (["--what"], "unknown option '--what'"),
                                            (["mnist", "a", "b"], "3 arguments, expected a data set and one folder at most")])
def test_words_that_are_wrong_are_refused(words, pattern):
    refused(run(LAUNCH / "get-data", *words), 2, pattern)
