"""Take the pictures of README.md from the report of a run: `python tools/docs/pictures.py DIR`.

They are screenshots of the run's own report.html; only the parts that the picture is not about are hidden. Needs
chromium. The README uses a run of `--dut haproxy`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
DEPLOYMENT = "rdp-cookie"
ROW = f"{DEPLOYMENT}.RDP-FAIL-01"

# Picture: (width, height, CSS that hides the rest: the other deployments' cards; all but one row).
PICTURES = {
    "report.png": (1000, 1185, f".outcome:not(:has([href='#{DEPLOYMENT}'])) {{ display: none }}"),
    "failure.png": (1000, 990, "header, main > * { display: none } "
                    f"main > details:has([id='{ROW}']) {{ display: block; margin-top: 0 }}"),
}  # fmt: skip


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    page = (Path(sys.argv[1]) / "report.html").read_text(encoding="utf-8")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print("no chromium here; as root: apt-get install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, (width, height, hide) in PICTURES.items():
            copy = Path(scratch) / f"{name}.html"
            copy.write_text(page.replace("</head>", f"<style>{hide}</style></head>"), encoding="utf-8")
            # As root (in a container) chromium wants --no-sandbox; the page is ours and has no script.
            subprocess.run([browser, "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={scratch}/profile",
                            f"--window-size={width},{height}", f"--screenshot={IMAGES / name}", copy.as_uri()],
                           check=True, capture_output=True)  # fmt: skip
            print(f"{IMAGES / name}: {(IMAGES / name).stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
