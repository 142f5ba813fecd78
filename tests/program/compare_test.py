"""lockstep compare: what it says to a person and to a program, and what it refuses. interchange/ plants mistakes in a NumPy
implementation."""

import json
import re
import struct
import zipfile
from pathlib import Path

import pytest
from harness.files import write, write_planar_config
from harness.npz import array_bytes, floats, read_npz, write_npz
from harness.process import lockstep, settings, succeed

W1 = (5, 2)  # of run.toml: two features, five units


@pytest.fixture(autouse=True)
def step(folder):
    """run.toml, and its step's file."""
    write_planar_config()
    succeed("trace-step", "run.toml", "--out", "step.npz")


def numbers(name, factor=1.0):
    """An array of the step, times a factor."""
    _, shape, values = read_npz("step.npz")[name]
    return floats(shape, *(factor * value for value in values))


def compare(*words, against=True):
    return lockstep("compare", *([] if against else ["run.toml"]), "mine.npz", *(["--against", "step.npz"] if against else []), *words)


def refused(outcome, code=3):
    """The line that it ends with."""
    assert (outcome.code, outcome.out) == (code, ""), outcome.err
    line, = outcome.err.splitlines()
    assert line.startswith("lockstep: ")
    return line


def test_a_step_agrees_with_itself():
    for words in (["compare", "step.npz", "--against", "step.npz"], ["compare", "run.toml", "step.npz"],
                  ["compare", "run.toml", "step.npz", "--against", "step.npz"]):
        out = succeed(*words).out
        assert "all 34 arrays agree\n" in out, out
        assert " wrong " not in out


def test_a_person_is_told_the_first_wrong_array_the_cause_and_the_numbers():
    write_npz("mine.npz", z1=numbers("outputs.1"), dW1=numbers("layers.0.weight.grad", 8), W1_new=numbers("layers.0.weight.updated"))
    for outcome in (compare(), compare(against=False)):
        assert (outcome.code, outcome.err) == (1, "")
        assert re.search(r"z1 \(outputs\.1\) +agrees ", outcome.out)
        assert re.search(r"dW1 \(layers\.0\.weight\.grad\) +wrong +7\.0e\+00 +3e-05\n", outcome.out), outcome.out
        assert re.search(r"first wrong: dW1 .*\n  likely: it is the batch size times as large.*\[not-divided-by-batch\]\n"
                         r"(  or: .*\n)*  its norm is 8 times .* 10 of 10 elements differ, the first at \[0, 0\]: ", outcome.out), outcome.out


def test_a_program_is_told_in_one_object():
    write_npz("mine.npz", dW1=numbers("layers.0.weight.grad", -1), z1=numbers("outputs.1"))
    outcome = compare("--json")
    assert (outcome.code, outcome.err) == (1, "")
    result = json.loads(outcome.out)
    assert {key: result[key] for key in ("verdict", "file", "step", "samples", "first_wrong")} == {
        "verdict": "wrong", "file": "mine.npz", "step": 1, "samples": 8, "first_wrong": "layers.0.weight.grad"}
    assert result["causes"][0] == {"id": "sign", "array": "layers.0.weight.grad", "sentence": "the sign is wrong"}
    assert [(array["as"], array["name"], array["shape"], array["status"]) for array in result["arrays"]] == [
        ("z1", "outputs.1", [8, 5], "agrees"), ("dW1", "layers.0.weight.grad", [5, 2], "wrong")]
    assert result["arrays"][1]["difference"]["cosine"] == pytest.approx(-1)
    write_npz("mine.npz", z1=numbers("outputs.1"))
    outcome = compare("--json")
    assert (outcome.code, json.loads(outcome.out)["verdict"], json.loads(outcome.out)["first_wrong"]) == (0, "agrees", None)


def test_an_array_that_follows_from_a_wrong_one_is_not_wrong_itself():
    write_npz("mine.npz", vW1=numbers("layers.0.weight.grad", 2), dW1=numbers("layers.0.weight.grad", 2))
    out = compare().out
    assert re.search(r"dW1 .* wrong ", out)
    assert re.search(r"vW1 .* follows ", out)
    assert "1 array is right, given the earlier arrays of this file: once these are, it will agree\n" in out


def test_what_nothing_explains_is_described():
    write_npz("mine.npz", dW1=floats(W1, *range(10)))
    out = compare().out
    assert "no known cause explains it\n  its norm is " in out
    assert re.search(r"the cosine between them -?0\.\d{6}; 10 of 10 elements differ, the first at \[0, 0\]: 0, expected ", out), out


def test_a_transposed_array_among_others_that_are_not_is_a_mistake():
    _, _, values = read_npz("step.npz")["layers.0.weight.grad"]
    turned = floats((2, 5), *(values[2 * j + i] for i in range(2) for j in range(5)))
    write_npz("mine.npz", W1=numbers("layers.0.weight"), dW1=turned)
    outcome = compare()
    assert outcome.code == 1
    assert "likely: it has the transposed shape, expected (5, 2); its numbers are right [transposed]" in outcome.out
    write_npz("mine.npz", dW1=turned)
    outcome = compare()
    assert outcome.code == 0
    assert "note: weights are (inputs, outputs) in this file: they are compared transposed\n" in outcome.out


def test_a_tolerance_can_be_set():
    write_npz("mine.npz", z1=numbers("outputs.1", 1.01))
    assert compare().code == 1
    assert compare("--tolerance", "0.02").code == 0


BAD_ARRAYS = {
    "an_unknown_name": (lambda: {"dw1": floats(W1, 1)}, "dw1 is no array of this network's step, did you mean dW1?"),
    "a_name_far_from_all": (lambda: {"something": floats(W1, 1)}, "something is no array of this network's step, expected such as"),
    "another_shape": (lambda: {"dW1": floats((5, 3), 1)}, "dW1 has shape (5, 3), expected (5, 2)"),
    "complex_numbers": (lambda: {"dW1": array_bytes("<c8", W1, bytes(80))}, "dW1 holds complex numbers (<c8), expected real numbers"),
    "integers": (lambda: {"dW1": array_bytes("<i8", W1, bytes(80))}, "dW1 holds elements of type <i8, expected float32 or float64"),
    "objects": (lambda: {"dW1": array_bytes("|O", W1, b"pickle")}, "dW1 holds Python objects (|O), expected real numbers"),
    "text": (lambda: {"dW1": array_bytes("<U1", W1, bytes(40))}, "dW1 holds elements of type <U1"),
    "records": (lambda: {"dW1": array_bytes("[('a', '<f4')]", W1, bytes(40))}, "dW1 holds records"),
    "a_nan": (lambda: {"dW1": floats(W1, *range(9), float("nan"))}, "dW1 has nan as its element 9, expected finite numbers"),
    "an_infinity": (lambda: {"dW1": floats(W1, float("inf"))}, "dW1 has inf as its element 0, expected finite numbers"),
    "one_array_twice": (lambda: {"dW1": floats(W1, 1), "layers.0.weight.grad": floats(W1, 1)},
                        "has layers.0.weight.grad twice: as dW1 and as layers.0.weight.grad"),
    "no_array": (lambda: {}, "is an empty zip, expected an .npz file"),
    "only_a_readme": (lambda: {"README": array_bytes("<U1", (), b"a\0\0\0")}, "has no array of the step"),
    "fewer_bytes_than_its_shape": (lambda: {"dW1": floats(W1, 1)[:-4]}, "dW1 has 36 bytes, expected 40 for its shape (5, 2)"),
    "terabytes": (lambda: {"dW1": array_bytes("<f4", (1 << 20, 1 << 20), bytes(40))}, "dW1 has shape (1048576, 1048576), expected (5, 2)"),
    "no_array_at_all": (lambda: {"dW1": b"text"}, "dW1 is no array of NumPy"),
    "another_network": (lambda: {"W3": floats(W1, 1)}, "W3 is no array of this network's step, did you mean W"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_a_bad_array_is_refused_with_one_line(name):
    arrays, says = BAD_ARRAYS[name]
    write_npz("mine.npz", **arrays())
    assert says in refused(compare()), name


def test_a_file_that_is_none_is_refused_with_one_line():
    assert "mine.npz: cannot be read: No such file" in refused(compare())
    Path("mine.npz").mkdir()
    assert "mine.npz: is a folder" in refused(compare())
    Path("mine.npz").rmdir()
    for content in (b"", b"text", b"PK\3\4" + bytes(100), Path("step.npz").read_bytes()[:2000]):
        write("mine.npz", content)
        assert "mine.npz: is no zip, expected an .npz file" in refused(compare())
    write("mine.npz", floats(W1, 1))
    assert "mine.npz: is no zip" in refused(compare())
    with zipfile.ZipFile("mine.npz", "w") as file:
        file.writestr("notes.txt", "x")
    assert "mine.npz: holds notes.txt, expected an .npz file" in refused(compare())


def test_a_zip_that_lies_about_its_sizes_is_refused_with_one_line():
    write_npz("mine.npz", zipfile.ZIP_DEFLATED, dW1=floats(W1, 1))
    content = bytearray(Path("mine.npz").read_bytes())
    place = content.index(b"PK\1\2")
    for claimed in (0, 17, 1 << 31):
        content[place + 24:place + 28] = struct.pack("<I", claimed)
        write("mine.npz", bytes(content))
        assert "mine.npz: dW1 " in refused(compare())


def test_a_step_of_another_configuration_is_refused():
    write_npz("mine.npz", z1=numbers("outputs.1"))
    assert "step.npz was made with another model.hidden.0 than run.toml" in refused(
        lockstep("compare", "run.toml", "mine.npz", "--against", "step.npz", *settings("model.hidden=[7]")), code=2)
    assert "--against" in refused(compare("--step", "3"), code=2)
    assert "MINE is missing" in refused(lockstep("compare", "run.toml"), code=2)
    write_npz("step.npz", inputs=floats((8, 2), 1))
    assert "step.npz: has no array config, expected a file that lockstep trace-step wrote" in refused(compare())


def test_several_ranks_are_refused_with_one_line():
    outcome = lockstep("compare", "run.toml", "mine.npz", ranks=3)
    assert (outcome.code, outcome.err) == (2, "lockstep: compare works on one rank, found 3, expected it without mpirun\n")


def test_the_help_has_an_example():
    assert "lockstep compare configs/courses/circle.toml mine.npz" in lockstep("compare", "--help").out
