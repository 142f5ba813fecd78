#!/usr/bin/env python3
"""Writes manual pages, and completion for bash, from what the installed commands say of themselves with --help.

Usage: manual.py LOCKSTEP LAUNCH OUT
  LOCKSTEP  the program
  LAUNCH    the folder of the scripts that are installed with it
  OUT       gets man/man1/*.1.gz and bash-completion/completions/*, as they lie in share/
"""

import gzip
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = ("get-cifar10", "get-data", "plot", "report", "run", "scaling", "verify")


@dataclass
class Help:
    """What CLI11 says of the program or a subcommand."""

    summary: str = ""  # the lines before "Usage:"
    usage: str = ""
    lists: dict = field(default_factory=dict)  # "options" and the like: [(name, what it is for)]
    footer: str = ""

    def options(self):
        """Names of options, and the words that each takes: [("--log-format", ["text", "json"])]; None: none."""
        for name, _ in self.lists.get("options", ()):
            words, _, value = name.partition(" ")
            choice = re.search(r"\{(.*)\}", value)
            for word in words.split(","):
                yield word, (choice[1].split(",") if choice else [] if value else None)


def said(*words):
    return subprocess.run([*map(str, words), "--help"], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def parse(text):
    """Throws ValueError on a text that is not laid out as expected."""
    read, entries, footer = Help(), None, []
    summary, found, rest = text.partition("Usage: ")
    if not found:
        raise ValueError(f"no usage in what --help says: {text!r}")
    read.summary = " ".join(summary.split())
    read.usage, _, rest = rest.partition("\n")
    for line in rest.splitlines():
        if title := re.fullmatch(r"(options|positionals|subcommands):", line, re.IGNORECASE):
            entries = read.lists.setdefault(title[1].lower(), [])
        elif entries is not None and (entry := re.fullmatch(r" {2}(\S.*?)(?: {2,}(\S.*))?", line)):
            entries.append((entry[1], entry[2] or ""))
        elif entries and (more := re.fullmatch(r" {10,}(\S.*)", line)):
            name, help_ = entries[-1]
            entries[-1] = (name, f"{help_} {more[1]}".strip())
        elif line or footer:
            entries = None
            footer.append(line)
    read.footer = "\n".join(footer)
    return read


def escape(text):
    """A text as troff has it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def page(name, version, summary, sections):
    """sections: (title, troff)."""
    head = f'.TH "{name.upper()}" 1 "" "lockstep {version}" "Lockstep"\n.SH NAME\n{name} \\- {escape(summary)}\n'
    return head + "".join(f".SH {escape(title.upper())}\n{text}" for title, text in sections)


def verbatim(text):
    return f".nf\n{escape(text.rstrip())}\n.fi\n"


def tagged(entries):
    return "".join(f".TP\n.B {escape(name)}\n{escape(text)}\n" for name, text in entries)


def page_of_program(version, whole, commands):
    sections = [("synopsis", f".B {escape(whole.usage)}\n"), ("description", escape(whole.summary) + "\n"),
                ("options", tagged(whole.lists["options"]))]
    for name, command in commands.items():
        text = f"{escape(command.summary)}\n.PP\n.B {escape(command.usage)}\n"
        for entries in ("positionals", "options"):
            text += tagged(entry for entry in command.lists.get(entries, ()) if not entry[0].startswith("-h,"))
        sections.append((f"lockstep {name}", text + (".PP\n" + verbatim(command.footer) if command.footer else "")))
    sections.append(("examples and exit codes", verbatim(whole.footer)))
    sections.append(("see also", ", ".join(f".BR lockstep\\-{escape(script)} (1)" for script in SCRIPTS).replace(", .BR", ",\n.BR") + "\n"))
    return page("lockstep", version, whole.summary.split(". ")[0].removeprefix("Lockstep "), sections)


def page_of_script(name, version, text):
    summary = re.split(r"[.:]\s", " ".join(text.split("\n\n")[0].split()))[0].rstrip(".")
    return page(f"lockstep-{name}", version, summary, [("description", verbatim(text)), ("see also", ".BR lockstep (1)\n")])


COMPLETION = """# Completion of lockstep and lockstep-run for bash.
_lockstep() {
  local word=$2 before=$3 command='' i options='' values=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in @COMMANDS@) command=${COMP_WORDS[i]} && break ;; esac
  done
  if [[ -z $command && ${COMP_WORDS[0]##*/} == lockstep-run ]]; then
    options='@RUN@ '
  fi
  case $command in
    '') options+='@COMMANDS_AND_OPTIONS@' ;;
@OPTIONS@  esac
  case $command:$before in
@VALUES@  esac
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
  elif [[ $word == -* || ($command == '' && $word != */*) ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  fi
}
complete -o default -F _lockstep lockstep lockstep-run
"""


def completion(whole, commands, run):
    """Words that begin with a dash are options, the first other one is a subcommand, all others are files."""
    options, values = "", ""
    for name, command in commands.items():
        taken = list(command.options())
        options += f"    {name}) options='{' '.join(word for word, _ in taken)}' ;;\n"
        values += "".join(f"    {name}:{word}) values='{' '.join(choice)}' ;;\n" for word, choice in taken if choice)
    text = COMPLETION.replace("@COMMANDS@", " | ".join(commands)).replace("@OPTIONS@", options).replace("@VALUES@", values)
    first = [*commands, *(word for word, _ in whole.options())]
    text = text.replace("@COMMANDS_AND_OPTIONS@", " ".join(first))
    return text.replace("@RUN@", " ".join(re.findall(r"^ {2}(-[\w-]+)", run, re.MULTILINE)))


def main(program, launch, out):
    out = Path(out)
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0].split()[-1]
    whole = parse(said(program))
    commands = {name: parse(said(program, name)) for name, _ in whole.lists["subcommands"]}
    scripts = {name: re.sub(r"\blaunch/(?=(?:%s)\b)" % "|".join(SCRIPTS), "lockstep-", said(Path(launch, name))) for name in SCRIPTS}
    pages = {"lockstep": page_of_program(version, whole, commands)}
    pages.update({f"lockstep-{name}": page_of_script(name, version, text) for name, text in scripts.items()})
    (out / "man/man1").mkdir(parents=True)
    for name, text in pages.items():
        (out / f"man/man1/{name}.1.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (out / "bash-completion/completions").mkdir(parents=True)
    for name in ("lockstep", "lockstep-run"):
        (out / "bash-completion/completions" / name).write_text(completion(whole, commands, scripts["run"]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
