"""The small pages that the explorer shows instead of its own: why something is refused, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from simtrial.phrases import counted

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; form-action 'none'"
"""These pages load nothing and run nothing."""

HEADERS = {
    "Referrer-Policy": "same-origin",  # no-referrer would take the origin from the request that ends a kernel
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""With everything that is no file: addresses stay here, and no page elsewhere holds on to ours."""

OWN_HEADERS = {**HEADERS, "Cache-Control": "no-store", "Content-Security-Policy": POLICY}
"""With our own small pages."""

STYLE = (
    "body { margin: 12vh auto; padding: 0 1.2rem; max-width: 38rem; color: #1a1a1a; background: #fff;"
    ' font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }'
    " main { border-top: 3px solid #0072B2; padding-top: .6rem; } h1 { font-size: 1.35rem; line-height: 1.3; }"
    " code { background: #f4f6f8; padding: .1rem .3rem; border-radius: 3px; overflow-wrap: anywhere; }"
    " a { display: inline-block; color: #fff; background: #0072B2; border-radius: 4px; padding: .35rem 1rem;"
    " font-weight: 600; text-decoration: none; } a:focus-visible { outline: 3px solid #E69F00; outline-offset: 2px; }"
    " p.what { color: #5a5a5a; font-size: .9rem; }"
)

TERMINAL = (
    "The full address, with the token, is printed in the terminal in which <code>simtrial explore</code> runs, "
    "on the line that begins with <code>Design explorer</code>."
)


@dataclass(frozen=True)
class Refusal:
    """Why a request is not served.

    Parameters
    ----------
    status : int
        Of HTTP.
    heading : str
        What is the matter, as text.
    sentences : tuple of str
        What it means and what to do, as HTML: a paragraph each.
    link : str
        Where a button leads; none if empty.
    """

    status: int
    heading: str
    sentences: tuple[str, ...]
    link: str = ""

    def page(self) -> str:
        """The whole page."""
        said = "".join(f"<p>{sentence}</p>\n" for sentence in self.sentences)
        button = f'<p><a href="{escape(self.link)}">Open the explorer</a></p>\n' if self.link else ""
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(self.heading)}</title>\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">\n'
            f'<style>{STYLE}</style></head>\n<body><main>\n<p class="what">simtrial: design explorer</p>\n'
            f"<h1>{escape(self.heading)}</h1>\n{said}{button}</main></body>\n</html>\n"
        )


WITHOUT_TOKEN = Refusal(
    403,
    "This address needs a token",
    (
        "The explorer opens only for the person who started it.",
        f"{TERMINAL} Open that address. The token changes each time the explorer is started.",
    ),
)

ELSEWHERE = Refusal(
    403,
    "The explorer does not open from another page",
    (
        "Another web page asked for this address. The request was refused, and nothing was started.",
        f"{TERMINAL} Copy it into the address bar of the browser.",
    ),
)

EARLY = Refusal(
    503, "The page is not loaded in advance", ("The browser asked for this page before anybody opened it.",)
)

NOT_FOUND = Refusal(404, "There is no such page", ("The explorer has one page only.",), link="/")

WRONG = Refusal(400, "The request cannot be read", ("The browser sent something that the explorer does not take.",))

FAILED = Refusal(
    500,
    "The page could not be computed",
    (
        "The reason is printed in the terminal in which <code>simtrial explore</code> runs.",
        "Reload this page to try again. If it fails again, end the explorer with Ctrl-C and start it again.",
    ),
)


def of(status: int) -> Refusal:
    """What is said where only the status is known."""
    if status >= 500:
        return FAILED
    return NOT_FOUND if status in (403, 404) else replace(WRONG, status=status)


def host(port: int) -> Refusal:
    """The request names another machine."""
    return Refusal(
        403,
        "The explorer has no such address",
        (f"It answers at <code>http://localhost:{port}/</code> only.", TERMINAL),
    )


def followed(token: str) -> Refusal:
    """A link elsewhere holds the right token: nothing starts before somebody agrees."""
    return Refusal(
        403,
        "Open the explorer?",
        ("A link on another page led here. The explorer opens only if you choose so.",),
        link=f"/?token={token}",
    )


def full(most: int, seconds: float) -> Refusal:
    """As many pages are open as may be."""
    return Refusal(
        503,
        "Too many pages of the explorer are open",
        (
            f"At most {counted(most, 'page')} can be open at the same time, because each one takes about 250 MB of "
            "memory. Close a page that you no longer need, then reload this one.",
            f"A page that ended without notice, as when a browser crashes, is counted for another "
            f"{counted(round(seconds), 'second')}. "
            "<code>simtrial explore --kernels N</code> allows another number of pages.",
        ),
    )
