"""The exercises of configs/courses: a skeleton that is filled in passes lockstep compare, an empty one says what is missing, and the
mistakes that the course pages show are found as they say. What is run are the commands of the pages."""

import re
import shlex
from dataclasses import dataclass

import pytest
from exercises import ANSWERS, SKELETONS, gaps, run
from harness.build import REPOSITORY
from harness.files import read
from harness.process import lockstep, settings, succeed
from harness.shipped import CONFIGS

PAGES = ["README.md", "README.es.md"]
MADE_UP = settings("data.dataset=synthetic", "data.train_samples=6000", "data.test_samples=100")  # in place of CIFAR-10


@dataclass
class Shown:
    """What a page shows of an exercise: how its step is traced, the lines that stand in the skeleton, and what compare then says."""

    exercise: str
    trace: list  # the arguments of lockstep trace-step
    lines: dict  # expressions by name
    says: str


def shown(page):
    """All of it, in order. The first is of a skeleton with these lines alone; the others are right but for theirs."""
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


def compare(exercise, expressions):
    """What compare says of the skeleton filled with these: its Outcome."""
    trace = [str(REPOSITORY / word) if word.startswith("configs/") else word for word in EXERCISES[exercise]]
    succeed(*trace, *(MADE_UP if exercise.startswith("cifar10") else []))
    run(exercise, expressions)
    outcome = lockstep("compare", "mine.npz", "--against", "step.npz")
    assert outcome.err == ""
    return outcome


def test_each_skeleton_has_an_answer_for_each_gap():
    assert sorted(EXERCISES) == sorted(path.stem for path in SKELETONS.glob("*.py"))
    for exercise, answers in ANSWERS.items():
        assert list(answers) == gaps(exercise)


@each_exercise
def test_a_skeleton_filled_in_is_right(exercise):
    assert compare(exercise, ANSWERS[exercise]).code == 0
