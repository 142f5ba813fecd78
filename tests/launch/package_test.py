"""launch/package: the Debian package of the build that is tested, and what it says where none can be made."""

import re
from pathlib import Path

import pytest
from harness.build import BUILD, REPOSITORY, VERSION
from scripts import AS_ROOT, LAUNCH, refused, run, scripts, stand_in, succeeded


def field(package, name):
    return succeeded(run("dpkg-deb", "--field", package, name)).out.strip()


def test_the_package_has_what_is_installed_and_asks_for_what_it_needs(monkeypatch):
    succeeded(run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", Path("out").absolute(), limit=300))
    (package,) = Path("out").glob("*.deb")
    architecture = run("dpkg", "--print-architecture").out.strip()
    assert package.name == f"lockstep_{VERSION}_{architecture}.deb"
    assert (field(package, "Package"), field(package, "Version")) == ("lockstep", VERSION)
    needed = re.split(", *", field(package, "Depends"))
    for library in ("libblis4-openmp", "libfmt", "libcsv3", "libminizip1", "zlib1g", "libpng16-16", "libopenmpi", "libc6", "openmpi-bin", "python3"):
        assert [word for word in needed if word.startswith(library)], (library, needed)
    assert not [word for word in needed if "-dev" in word]

    files = succeeded(run("dpkg-deb", "--contents", package)).out
    owners = {line.split()[1] for line in files.splitlines()}
    assert owners == {"root/root"}
    succeeded(run("dpkg-deb", "--extract", package, "root"))
    assert {path.name for path in Path("root").iterdir()} == {"usr"}
    installed = Path("root/usr").absolute()
    for file in ("share/man/man1/lockstep.1.gz", "share/bash-completion/completions/lockstep-run",
                 "share/lockstep/configs/courses/circle.toml"):
        assert (installed / file).is_file(), file
    assert not list(installed.rglob("__pycache__"))
    monkeypatch.setenv("PATH", f"{installed}/bin", prepend=":")
    circle = installed / "share/lockstep/configs/courses/circle.toml"
    succeeded(run("lockstep-run", AS_ROOT, "-np", 2, "--force", circle, "--set", "train.epochs=1"), "written to runs/circle\n$")


@pytest.fixture
def copy(monkeypatch):
    """A copy of the scripts that installs and builds nothing."""
    copy = scripts()
    for name in ("install-deps", "build"):
        stand_in(copy / "launch" / name, f'echo "{name} $*" >>"{copy}/called"')
    (copy / "build").mkdir()
    monkeypatch.setenv("PATH", str(copy / "bin"), prepend=":")
    return copy


def test_the_script_builds_packs_and_says_what_to_do_next(copy):
    file = copy / "build/lockstep_1_all.deb"
    stand_in(copy / "bin/cpack", f'head -c 3000 /dev/zero >"{file}"; echo "CPack: - package: {file} generated."')
    outcome = succeeded(run(copy / "launch/package"))
    assert (copy / "called").read_text(encoding="utf-8") == "install-deps --package\nbuild \n"
    assert outcome.out.endswith(f"\nlaunch/package: {file} (2 KiB); to install it: apt-get install {file}\n")


@pytest.mark.parametrize("says, pattern", [("echo 'CPack Error: no dpkg-shlibdeps'; exit 1", "CPack Error: no dpkg-shlibdeps; .*package.log"),
                                           ("exit 0", "CPack made no package")])
def test_the_script_says_why_there_is_no_package(copy, says, pattern):
    (copy / "build/lockstep_0_all.deb").write_text("of another time", encoding="utf-8")
    stand_in(copy / "bin/cpack", says)
    refused(run(copy / "launch/package"), 1, f"^launch/package: {pattern}")
    assert not list((copy / "build").glob("*.deb"))


def test_the_script_takes_nothing():
    refused(run(LAUNCH / "package", "x"), 2, "^launch/package: unknown argument 'x', expected --help or nothing$")
    assert "apt-get install ./FILE" in succeeded(run(LAUNCH / "package", "--help"), "^Makes a Debian package").out
    assert (REPOSITORY / "launch/package").stat().st_mode & 0o111
