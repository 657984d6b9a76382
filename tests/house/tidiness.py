"""Files stay short, and nothing is left for later.

Usage: tidiness.py PROJECT_FOLDER
"""
import re
import sys
from pathlib import Path

MAX_LINES = 700
FOLDERS = ("include", "src", "cli", "tools", "examples", "bench", "cmake", "scripts", "tests", "docs")
SUFFIXES = {".c", ".h", ".cpp", ".py", ".sh", ".cmake", ".txt", ".md", ".in"}
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")


def main():
    project = Path(sys.argv[1])
    problems = []
    for folder in FOLDERS:
        for path in sorted((project / folder).rglob("*")):
            if not path.is_file() or path.suffix not in SUFFIXES:
                continue
            name = path.relative_to(project)
            if name.parts[:2] == ("tests", "data"):
                continue
            lines = path.read_text(encoding="utf-8").splitlines()
            if path.suffix in {".c", ".h", ".cpp", ".py"} and len(lines) > MAX_LINES:
                problems.append(f"{name}: {len(lines)} lines, {MAX_LINES} are allowed: a concept is missing a name")
            for number, line in enumerate(lines, 1):
                if LATER.search(line):
                    problems.append(f"{name}:{number}: do it or drop it: {line.strip()}")
                if path.suffix != ".md" and line != line.rstrip():
                    problems.append(f"{name}:{number}: blanks at the end of the line")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
