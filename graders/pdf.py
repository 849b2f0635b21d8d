"""HTML on paper, printed by a Chromium that runs without a window."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from graders.errors import UserError
from graders.files import write_atomically

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 120
# A file is printed: there is nothing to fetch, to keep, or to tell anyone.
QUIET = (
    "--headless", "--disable-gpu", "--no-pdf-header-footer", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic",
)  # fmt: skip


class PdfError(UserError):
    """No PDF. The message is for the user."""


def find_browser() -> str:
    """The path of a Chromium.

    Raises:
        PdfError: saying how to get one.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise PdfError(
            f"a PDF is printed by Chromium, and none of {', '.join(BROWSERS)} was found: install one "
            "(apt-get install chromium), or print the HTML page from a browser"
        )
    return found


def write_pdf(html: str, target: Path) -> None:
    """Prints a page.

    Raises:
        PdfError: there is no browser, or it does not print.
    """
    browser = find_browser()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target: a browser in a snap sees the home folder and little else.
    with tempfile.TemporaryDirectory(prefix="kata-pdf-", dir=target.parent) as name:
        folder = Path(name).resolve()
        page, printed = folder / "page.html", folder / "page.pdf"
        page.write_text(html, encoding="utf-8")
        command = [browser, *QUIET, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={printed}", page.as_uri()]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium's own sandbox refuses root
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise PdfError(f"{browser} has not printed the page within {SECONDS} s: try again") from None
        if not printed.is_file():
            said = (done.stderr.strip() or "it gives no reason").splitlines()[-1]
            raise PdfError(f"{browser} does not print ({said}): print the HTML page from a browser")
        write_atomically(target, printed.read_bytes())
