"""The exercises of configs/courses: a skeleton that is filled in passes lockstep compare, an empty one says what is missing, and of the
mistakes that the course pages show compare says what stands there."""

import functools
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from exercises import ANSWERS, SKELETONS, gaps, run
from harness.build import REPOSITORY
from harness.files import read, write
from harness.process import lockstep, settings, succeed
from harness.shipped import CONFIGS

MADE_UP = settings("data.dataset=synthetic", "data.train_samples=6000", "data.test_samples=100")  # in place of CIFAR-10


@dataclass
class Shown:
    """What a page shows of an exercise: how its step is traced, the lines that stand in the skeleton, and what compare then says."""

    exercise: str
    trace: list  # the arguments of lockstep trace-step
    lines: dict  # expressions by name
    says: str


def shown(page):
    """All of it, in order. The first is a skeleton with these lines alone; the others are right but for theirs, and of what compare
    says only the end is shown."""
    found = []
    for language, text in re.findall("^```(\\w*)\n(.*?)^```$", read(CONFIGS / "courses" / page), re.MULTILINE | re.DOTALL):
        if language == "sh":
            exercise = re.search(r"^python3 (\w+)\.py$", text, re.MULTILINE)[1]
            trace = shlex.split(re.search("^build/lockstep (trace-step .*)$", text, re.MULTILINE)[1])
        elif language == "python":
            lines = dict(line.split(" = ", 1) for line in text.splitlines())
        else:
            found.append(Shown(exercise, trace, lines, text))
    return found


EXAMPLE, *MISTAKES = shown("README.md")
EXERCISES = {mistake.exercise: mistake.trace for mistake in MISTAKES}
each_exercise = pytest.mark.parametrize("exercise", EXERCISES)


@functools.cache
def traced(exercise):
    """The bytes of the step.npz that the page's command writes."""
    trace = [str(REPOSITORY / word) if word.startswith("configs/") else word for word in EXERCISES[exercise]]
    succeed(*trace, *(MADE_UP if exercise.startswith("cifar10") else []))
    return Path("step.npz").read_bytes()


def graded(exercise, expressions):
    """Fills the skeleton with these: what it prints, and the Outcome of compare."""
    write("step.npz", traced(exercise))
    printed = run(exercise, expressions)
    outcome = lockstep("compare", "mine.npz", "--against", "step.npz")
    assert outcome.err == ""
    return printed, outcome


def stable(text, exercise):
    """Without what another NumPy may change, the digits of fractions, and without what depends on the images of CIFAR-10."""
    text = re.sub(r"\d+(\.\d+)?e-\d+|\d+\.\d+", "FRACTION", text)
    return re.sub(r"-?(\d{3,}|FRACTION)", "NUMBER", text) if exercise.startswith("cifar10") else text


def test_each_skeleton_has_an_answer_for_each_gap():
    assert sorted(EXERCISES) == sorted(ANSWERS) == sorted(path.stem for path in SKELETONS.glob("*.py"))
    for exercise, answers in ANSWERS.items():
        assert list(answers) == gaps(exercise)


@each_exercise
def test_a_skeleton_filled_in_is_right(exercise):
    printed, outcome = graded(exercise, ANSWERS[exercise])
    assert re.fullmatch(r"mine\.npz:[\w ]+\n", printed)
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, f"all {len(printed.split()) - 1} arrays agree")


@each_exercise
def test_an_empty_skeleton_runs_and_says_what_is_missing(exercise):
    printed, outcome = graded(exercise, {})
    given, missing = re.fullmatch(r"mine\.npz: (X y W1 b1.*)\nstill to write / falta escribir: (z1 .*)\n", printed).groups()
    assert set(gaps(exercise)) - {"T"} == set(missing.split())  # a name of the student's own
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, f"all {len(given.split())} arrays agree")


def test_of_a_few_lines_compare_says_what_the_page_shows():
    _, outcome = graded(EXAMPLE.exercise, EXAMPLE.lines)
    assert (outcome.code, stable(outcome.out, EXAMPLE.exercise)) == (1, stable(EXAMPLE.says, EXAMPLE.exercise))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.exercise}: {'; '.join(mistake.lines)}")
def test_of_a_mistake_compare_says_what_the_page_shows(mistake):
    _, outcome = graded(mistake.exercise, ANSWERS[mistake.exercise] | mistake.lines)
    end = outcome.out[outcome.out.index("first wrong: "):]
    assert (outcome.code, stable(end, mistake.exercise)) == (1, stable(mistake.says, mistake.exercise))


def test_the_spanish_page_shows_the_same():
    assert shown("README.es.md") == [EXAMPLE, *MISTAKES]


def test_the_page_shows_at_least_two_mistakes_of_each_exercise():
    assert all(sum(mistake.exercise == exercise for mistake in MISTAKES) >= 2 for exercise in ANSWERS)


# As some courses have it: dz is of a single sample's loss, and 1/N comes with dW and db.
PER_SAMPLE = ANSWERS["flower"] | {"dz2": "a2 - y"} | {
    name: f"({ANSWERS['flower'][name]}) / len(X)" for name in ("dW2", "db2", "dW1", "db1")}


def test_gradients_of_each_sample_are_a_convention_where_the_parameters_gradients_are_means():
    _, outcome = graded("flower", PER_SAMPLE)
    assert outcome.code == 0
    assert re.findall(r"^(\w+) .* convention ", outcome.out, re.MULTILINE) == ["dz2", "da1", "dz1"]
    assert "note: dz2: it is of each sample's loss, without the 1/N that the parameters' gradients have" in outcome.out


def test_they_are_a_mistake_where_one_of_these_is_a_sum():
    _, outcome = graded("flower", PER_SAMPLE | {"dW1": ANSWERS["flower"]["dW1"]})
    assert outcome.code == 1
    assert "first wrong: dz2 " in outcome.out


def test_the_arrays_of_another_step_are_told_from_mistakes():
    graded("flower", ANSWERS["flower"])  # which is step 50
    outcome = lockstep("compare", CONFIGS / "courses/flower.toml", "mine.npz")
    assert outcome.code == 1
    assert "note: the data or the parameters are not those of this step: --step, --samples and --set must be" in outcome.out


@pytest.mark.parametrize("words", [["mine.npz"], ["mine.npz", "step.npz"], ["mine.npz", "flower.toml"]])
def test_arrays_in_place_of_the_configuration_are_named(words):
    outcome = lockstep("compare", *words)
    assert (outcome.code, outcome.err) == (2, "lockstep: compare: mine.npz stands where a configuration is expected: compare CONFIG MINE, "
                                              "or compare MINE --against STEP\n")
