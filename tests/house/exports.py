"""The shared library exports the functions that the public headers declare with NNM_API, and nothing else.

Usage: exports.py INCLUDE_FOLDER LIBRARY NM
"""
import re
import subprocess
import sys
from pathlib import Path

# Names that the linker or a sanitizer adds.
NOT_OURS = re.compile(r"_init|_fini|_edata|_end|__bss_start|__(asan|odr_asan|ubsan|tsan|lsan|sanitizer|gcov).*")


def declared(include):
    names = set()
    for header in sorted(include.rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
        text = re.sub(r"^\s*#.*?(?<!\\)$", "", text, flags=re.MULTILINE | re.DOTALL)
        for declaration in re.findall(r"\bNNM_API\b([^;]*);", text):
            name = re.search(r"\b(\w+)\s*\(", declaration)
            names.add(name.group(1) if name else declaration.strip())
    return names


def exported(library, nm):
    listing = subprocess.run([nm, "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    return {name for name in names if not NOT_OURS.fullmatch(name)}


def main():
    include, library, nm = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    promised, kept = declared(include), exported(library, nm)
    for name in sorted(promised - kept):
        print(f"{name}: declared with NNM_API, but the library does not have it")
    for name in sorted(kept - promised):
        print(f"{name}: exported, but no public header declares it with NNM_API")
    print(f"{len(promised)} declared, {len(kept)} exported")
    return 0 if promised and promised == kept else 1


sys.exit(main())
