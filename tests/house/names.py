"""Whatever is visible outside its file begins with nnm_, so that a program linking the static library meets no
foreign names. Exempt is what protoc-c generates from onnx.proto.

Usage: names.py NM ARCHIVE...
"""
import re
import subprocess
import sys

ALLOWED = re.compile(r"nnm_\w+|onnx__\w+|__(asan|odr_asan|ubsan|tsan|lsan|sanitizer|gcov).*")


def main():
    nm, archives = sys.argv[1], sys.argv[2:]
    problems, checked = [], 0
    for archive in archives:
        listing = subprocess.run([nm, "-A", "--defined-only", "--extern-only", archive], check=True,
                                 capture_output=True, text=True).stdout
        for line in listing.splitlines():
            place, name = line.split()[0], line.split()[-1]
            checked += 1
            if not ALLOWED.fullmatch(name):
                problems.append(f"{place.rsplit('/', 1)[-1]} {name}: make it static or give it the prefix nnm_")
    print("\n".join(problems))
    print(f"{checked} names")
    return 1 if problems or not checked else 0


sys.exit(main())
