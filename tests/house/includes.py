"""Include directions point down: a file may include its own room, the rooms that its room is built on, and the public
headers that belong to those. The command line and the examples include public headers only.

Usage: includes.py PROJECT_FOLDER
"""
import re
import sys
from pathlib import Path

# A room, and those it is built on directly; the same table as in src/CMakeLists.txt.
ROOMS = {
    "base": [],
    "config": ["base"],
    "graph": ["base"],
    "learn": ["base"],
    "formats": ["graph"],
    "kernels": ["graph"],
    "bench": ["graph"],
    "sampling": ["kernels"],
    "backends": ["formats", "bench"],
    "plugins": ["config", "kernels", "backends"],
    "store": ["config", "kernels", "backends", "plugins"],
    "builder": ["learn", "sampling", "backends", "store"],
    "report": ["builder"],
}

# The room that implements each public header.
PUBLIC = {
    "status": "base",
    "hooks": "base",
    "config": "config",
    "graph": "graph",
    "forest": "learn",
    "metrics": "learn",
    "predictor": "learn",
    "model_file": "formats",
    "kernel": "kernels",
    "measure": "bench",
    "survey": "bench",
    "backend": "bench",
    "sampler": "sampling",
    "plugin": "kernels",
    "registry": "plugins",
    "kernel_data": "store",
    "workspace": "store",
    "builder": "builder",
    "report": "report",
    "nnmeter": "report",
}

# Headers whose types the files of a workspace are made of: the settings of the protocol and the kind of model are
# part of a configuration file. A room that is not about numbers alone may use these types, whoever implements the functions beside them.
VOCABULARY = {"graph", "backend", "measure", "predictor"}
NUMBERS_ONLY = {"base", "learn"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def reachable(room):
    """The room itself and every room below it."""
    found = {room}
    for lower in ROOMS[room]:
        found |= reachable(lower)
    return found


def rooms_of_build(project):
    """The table as src/CMakeLists.txt has it."""
    text = (project / "src/CMakeLists.txt").read_text()
    rooms = {}
    for name, rest in re.findall(r"^nnm_add_room\((\w+)([^)]*)\)", text, re.MULTILINE):
        depends = re.search(r"DEPENDS((?:\s+(?!LIBRARIES)\w+)+)", rest)
        rooms[name] = depends.group(1).split() if depends else []
    return rooms


def problem(header, room, own_folder):
    """Why a file of `room` (None: outside the house) may not include `header`, or None."""
    if header.startswith("nnmeter/"):
        name = header[len("nnmeter/"):-len(".h")]
        if name not in PUBLIC:
            return "no room is given for this public header in tests/house/includes.py"
        if room is None or PUBLIC[name] in reachable(room) or (name in VOCABULARY and room not in NUMBERS_ONLY):
            return None
        return f"belongs to {PUBLIC[name]}, which {room} is not built on"
    if "/" not in header:
        return None if (own_folder / header).exists() else "not found beside the file; rooms are named: \"room/file.h\""
    if room is None:
        if header.split("/")[0] == own_folder.name and (own_folder.parent / header).exists():
            return None
        return "only public headers and its own may be included here"
    target = header.split("/")[0]
    if target not in ROOMS:
        return "is in no room"
    if target in reachable(room):
        return None
    return f"{target} is not among the rooms that {room} is built on"


def files_to_check(project):
    """Pairs of file and room."""
    for room in ROOMS:
        for path in sorted((project / "src" / room).rglob("*.[ch]")):
            yield path, room
    for path in sorted((project / "include").rglob("*.h")):
        yield path, PUBLIC.get(path.stem)
    for folder in ("cli", "examples"):
        for path in sorted((project / folder).rglob("*.[ch]")):
            yield path, None


def main():
    project = Path(sys.argv[1])
    problems = []
    if rooms_of_build(project) != ROOMS:
        problems.append("src/CMakeLists.txt and tests/house/includes.py have different tables of rooms")
    for folder in sorted(p.name for p in (project / "src").iterdir() if p.is_dir()):
        if folder not in ROOMS:
            problems.append(f"src/{folder}: is no room; add it to src/CMakeLists.txt and tests/house/includes.py")
    for path in sorted((project / "include").rglob("*.h")):
        if path.stem not in PUBLIC:
            problems.append(f"{path.relative_to(project)}: say in tests/house/includes.py which room implements it")
    for path, room in files_to_check(project):
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            kind, header = match.groups()
            generated = header.endswith(".pb-c.h")
            ours = header.startswith("nnmeter/") or header.split("/")[0] in ROOMS and "/" in header
            if generated or (kind == "<" and not ours):
                continue
            if why := problem(header, room, path.parent):
                line = text.count("\n", 0, match.start(2)) + 1
                problems.append(f"{path.relative_to(project)}:{line}: includes {header}: {why}")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
