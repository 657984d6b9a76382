"""The command line, its help, its manual page, docs/command-line.md and its transcripts tell the same story.

Usage: commands.py NN-METER PROJECT_FOLDER
"""
import re
import subprocess
import sys
from pathlib import Path

WIDEST = 120
problems = []


def ask(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def check(right, message):
    if not right:
        problems.append(message)


def check_help(name, text, options):
    """Usage, one sentence, the options, an example: in this order, and no line too wide."""
    title = f"nn-meter {name}".strip()
    check(text.startswith(f"Usage: {title}"), f"{title} --help does not begin with its usage")
    head, _, rest = text.partition("\nOptions:\n")
    listed, _, example = rest.partition("\nExample:\n")
    check(head.split("\n\n")[1].splitlines()[0].endswith("."), f"{title} --help: the summary is no sentence")
    check(re.search(rf"^  nn-meter {name}", example, re.M), f"{title} --help has no example of it")
    for option in options:
        check(re.search(rf"^  (-\w, )?{option}\b", listed, re.M), f"{title} --help does not list {option}")
    for line in text.splitlines():
        check(len(line) <= WIDEST, f"{title} --help: a line has {len(line)} columns, {WIDEST} are allowed: {line}")
    return [line for line in example.splitlines() if line.startswith(" ")]


def check_manual(name, manual, options):
    page = manual.replace("\\-", "-")
    part = page.partition(".SH COMMANDS")[0]
    if name:
        match = re.search(rf"^\.SS {re.escape(name)}$(.*?)^\.S[SH]", page, re.M | re.S)
        part = match.group(1) if match else ""
    check(part, f"the manual page has nothing about {name}")
    for option in options:
        check(name and option == "--help" or f"\\fB{option}\\fR" in part, f"the manual page: {name} {option} is missing")


def check_row(name, option, row, help_line):
    """What the tables say of an option - a default that is one word, that it is required - stands in its row too."""
    default = re.search(r"\(default: ([\w.]+)\)", help_line)
    if default and default.group(1) != "none":
        check(default.group(1) in row.replace("\\|", "|"),
              f"docs/command-line.md: {name} {option}: the default {default.group(1)} is missing")
    check(("(required)" in help_line) <= ("Required" in row), f"docs/command-line.md: {name} {option} is required")


def check_documentation(name, document, options, example, help_text):
    match = re.search(rf"^## {name or 'nn-meter'}$(.*?)(?=^## |\Z)", document, re.M | re.S)
    if not match:
        problems.append(f"docs/command-line.md has no section for {name}")
        return
    part = match.group(1)
    for line in re.findall(r"^\| `(?:-\w, )?--.*", part, re.M):
        option = re.search(r"--[a-z-]+", line).group()
        listed = re.search(rf"^  (?:-\w, )?{option}\b(?!-).*", help_text, re.M)
        check_row(name, option, line, listed.group() if listed else "")
    rows = {option for line in re.findall(r"^\| `(?:-\w, )?--.*?(?= \|)", part, re.M)
            for option in re.findall(r"--[a-z-]+", line)}
    for option in options:
        check(option in rows or name and option == "--help", f"docs/command-line.md: {name} {option} is missing")
    for option in rows - set(options):
        check(False, f"docs/command-line.md: {name} {option} does not exist")
    for line in example if name else []:
        check("    " + line[2:] in part.splitlines(), f"docs/command-line.md: {name}: an example of --help is missing:{line}")


def used_in(transcripts):
    """What the transcripts call: for each command the options it was given, and that it was called at all."""
    used = {}
    for text in transcripts:
        commands = "\n".join(line[4:] for line in text.splitlines() if re.match(r"  [$>] ", line)).replace("\\\n", " ")
        for words in re.findall(r"\bnn-meter\b([^|;&\n]*)", commands):
            words = words.replace(" -o ", " --output ").replace(" -h", " --help")
            name = words.split()[0] if words.split() and not words.split()[0].startswith("-") else ""
            used.setdefault(name, set()).update(re.findall(r"--[a-z-]+", words))
    return used


def main():
    program, project = sys.argv[1], Path(sys.argv[2])
    document = (project / "docs/command-line.md").read_text(encoding="utf-8")
    transcripts = [path.read_text(encoding="utf-8") for path in sorted((project / "tests/cli").glob("*.t"))]
    used = used_in(transcripts)
    manual = ask(program, "--manual")
    for name in ["", *ask(program, "--complete", "").split()[1:]]:
        words = [name] if name else []
        options = ask(program, "--complete", *words, "--").split()[1:]
        help_text = ask(program, *words, "--help")
        example = check_help(name, help_text, options)
        check_manual(name, manual, options)
        check_documentation(name, document, options, example, help_text)
        for option in options:
            check(option in used.get(name, ()), f"no transcript in tests/cli has nn-meter {name} {option}")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
