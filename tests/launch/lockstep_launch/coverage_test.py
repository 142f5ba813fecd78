"""Which lines ran, from what gcov says."""

import subprocess
from pathlib import Path

from lockstep_launch import coverage


def report(folder, *files):
    return {"current_working_directory": str(folder),
            "files": [{"file": name, "lines": [{"line_number": line, "count": count} for line, count in lines.items()]}
                      for name, lines in files]}


def test_a_line_ran_if_it_did_in_any_object(tmp_path):
    reports = [report(tmp_path, ("src/a/x.h", {1: 0, 2: 3}), ("/usr/include/c++/vector", {1: 1})),
               report(tmp_path / "build", ("../src/a/x.h", {1: 5, 2: 0, 7: 0}), ("../src/b/y.cpp", {4: 0}))]
    ran = coverage.lines_of(reports, tmp_path / "src")
    assert ran == {Path("a/x.h"): {1: True, 2: True, 7: False}, Path("b/y.cpp"): {4: False}}, "and only of the sources"
    assert coverage.table(ran)[2:] == ["| a | 3 | 2 | 66.7 % |", "| b | 1 | 0 | 0.0 % |", "| all | 4 | 2 | 50.0 % |"]


def test_what_gcov_says_of_a_program_that_ran(tmp_path, capsys):
    source = tmp_path / "src/part/half.cpp"
    source.parent.mkdir(parents=True)
    source.write_text("int f(int n) {\n  if (n == 1)\n    return 5;\n  return 7;\n}\nint main(int n, char**) { return f(n) - 5; }\n")
    subprocess.run(["g++", "--coverage", "-O0", str(source), "-o", "half"], cwd=tmp_path, check=True)
    assert coverage.main([str(tmp_path / "src"), str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("| all | 5 | 0 | 0.0 % |\n"), "it has not run yet"
    subprocess.run(["./half"], cwd=tmp_path, check=True)
    assert coverage.main([str(tmp_path / "src"), str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("| part | 5 | 4 | 80.0 % |\n| all | 5 | 4 | 80.0 % |\n")


def test_a_folder_without_counters_is_refused(tmp_path, capsys):
    assert coverage.main([str(tmp_path), str(tmp_path)]) == 2
    assert "has no counters" in capsys.readouterr().err
