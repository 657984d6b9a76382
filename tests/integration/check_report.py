"""The report in a browser: its script runs without an error, draws every chart, and nothing of a file runs.

Usage: check_report.py TEST_REPORT CHROMIUM: the path of the unit test program, which can write a page, and of the
browser. Exits with 77, which ctest counts as skipped, where there is no browser.
"""

import collections
import html.parser
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zlib

FIRST = (0x1F, 0x5F, 0xBF)  # the colours of page.css
FIRST_DARK = (0x79, 0xAA, 0xF2)
CHARTS = ["accuracy", "sizes", "staircase", "spread", "passes", "marks", "iterations"]


def browse(chromium, folder, page, *options):
    """Runs the browser; what it prints, and what its console says."""
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--hide-scrollbars", f"--user-data-dir={folder}/profile", "--virtual-time-budget=5000",
               "--enable-logging=stderr", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=100, check=True)
    console = [line for line in done.stderr.decode(errors="replace").splitlines() if ":CONSOLE" in line]
    return done.stdout.decode(errors="replace"), console


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and the page's title."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.title, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "title":
            self.title += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def colours(path):
    """The size of a PNG of 8-bit RGB or RGBA, and how many pixels have each colour."""
    data = path.read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6), (depth, kind)
    size, at, packed = 3 if kind == 2 else 4, 8, b""
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    raw, counts, before = zlib.decompress(packed), collections.Counter(), bytes(width * size)
    for row in range(height):
        begin = row * (width * size + 1)
        method, line = raw[begin], bytearray(raw[begin + 1:begin + 1 + width * size])
        if method:
            unfilter(method, line, before, size)
        counts.update(zip(line[0::size], line[1::size], line[2::size]))
        before = line
    return (width, height), counts


def unfilter(method, line, before, size):
    if method == 2:
        line[:] = bytes((a + b) & 255 for a, b in zip(line, before))
        return
    for i in range(len(line)):
        left = line[i - size] if i >= size else 0
        above = before[i]
        corner = before[i - size] if i >= size else 0
        if method == 1:
            guess = left
        elif method == 3:
            guess = (left + above) // 2
        else:
            by_left, by_above, by_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
            guess = (left if by_left <= by_above and by_left <= by_corner else above if by_above <= by_corner else corner)
        line[i] = (line[i] + guess) & 255


def check_dom(chromium, folder, page, charts):
    """Everything is drawn, or without the library stands in tables."""
    text, console = browse(chromium, folder, page, "--window-size=1280,6000", "--dump-dom")
    assert not console, "the console says:\n" + "\n".join(console)
    dom = Page(text)
    assert dom.all("html")[0].get("data-ready") == "yes", "the script did not come to its end"
    assert dom.title == Page(page.read_text(errors="replace")).title, f"something changed the title: {dom.title}"
    assert not dom.all("img"), "a file brought an image with it"
    figures = [f for f in dom.all("figure") if "data-chart" in f]
    assert [f["data-chart"] for f in figures] == CHARTS, figures
    assert all(c.get("role") == "img" and c.get("aria-label") for c in dom.all("canvas")), "a canvas without a text"
    if charts:
        missing = [f["data-chart"] for f in figures if f.get("data-drawn") != "yes"]
        assert not missing, f"not drawn: {missing}"
        assert all(int(c["width"]) > 300 and int(c["height"]) > 100 for c in dom.all("canvas")), "a canvas is too small"
    else:
        assert len(dom.all("table")) == 2 + len(CHARTS), "the rows of the charts are no tables"
        assert text.count("<td") > 300, "the tables are empty"


def check_picture(chromium, folder, page, colour, *options):
    """The charts are to be seen: their colour covers more than the links and the bar of the table can."""
    picture = folder / "page.png"
    browse(chromium, folder, page, "--window-size=1280,2600", "--force-device-scale-factor=0.5",
           f"--screenshot={picture}", *options)
    size, counts = colours(picture)
    assert size == (640, 1300), size
    assert counts.get(colour, 0) > 1500, f"only {counts.get(colour, 0)} pixels have the colour of the charts"
    assert len(counts) > 50, "the picture is empty"


def main():
    program, chromium = sys.argv[1:3]
    if not chromium or "NOTFOUND" in chromium:
        print("skipped: there is no Chromium; scripts/setup.sh --test installs it")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "write", name], check=True)
        page = folder / "ws/predictor_build/results/report.html"
        text = page.read_text(errors="replace")
        library = re.search(r"<script>\n/\*! The library.*?</script>", text, re.DOTALL)
        if library:
            check_dom(chromium, folder, page, True)
            check_picture(chromium, folder, page, FIRST)
            check_picture(chromium, folder, page, FIRST_DARK, "--blink-settings=preferredColorScheme=0")
            text = text.replace(library.group(0), "")
        bare = folder / "bare.html"
        bare.write_text(text)
        check_dom(chromium, folder, bare, False)
    return 0


sys.exit(main())
