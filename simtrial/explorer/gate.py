"""Who may ask the explorer for anything: one rule before every page, file, socket and command.

Three kinds of strangers are kept out. A page elsewhere makes the browser of the user ask: browsers say so in
``Sec-Fetch-Site`` and ``Origin``. A name of another machine that is made to lead here (DNS rebinding) stands in
``Host``. Another user of this machine needs no browser, but does not know the token, which is new at each start.

The token enters by the address that is printed, and is exchanged for a cookie that no script reads (``HttpOnly``) and
that no page elsewhere makes the browser send (``SameSite=Strict``); the browser is then led to the address without it.
A link elsewhere without the token is refused although the browser may hold the cookie: any page could follow such a
link, as often as it likes. A link elsewhere with the right token (in a mail, in a terminal that is itself a web page)
starts nothing either before the person has agreed by a click on a page of ours, which nobody else can make.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simtrial.explorer import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.explorer.refusals import Refusal

TICKET_SECONDS = 60.0
"""For how long the browser that the explorer opens can enter by its ticket."""


class Ticket:
    """A token that admits once, for the browser that is opened: others can read its command line."""

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(32)
        self._until = time.monotonic() + TICKET_SECONDS

    def fits(self, given: str) -> bool:
        """Whether this is the ticket, and still good."""
        return _same(given, self.text) and time.monotonic() < self._until

    def spend(self) -> None:
        """It has admitted."""
        self._until = 0.0


@dataclass(frozen=True)
class Welcome:
    """A browser that came by the printed address: it gets the cookie, and the address without the token."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The rule.

    Parameters
    ----------
    port : int
        Where the explorer listens.
    token : str or None
        What is asked for; None asks for nothing, and keeps out pages elsewhere only.
    """

    port: int
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def cookie_name(self) -> str:
        """Cookies of one machine are shared by its ports."""
        return f"simtrial-explorer-{self.port}"

    @property
    def address(self) -> str:
        """What is printed."""
        return f"http://localhost:{self.port}/" + (f"?token={self.token}" if self.token else "")

    def ticket_address(self) -> str:
        """What the browser is opened with."""
        if self.token is None:
            return self.address
        self.tickets.append(Ticket())
        return f"http://localhost:{self.port}/?token={self.tickets[-1].text}"

    def check(
        self, path: str, headers: Mapping[str, str], *, given: str | None = None, cookie: str | None = None
    ) -> Refusal | Welcome | None:
        """Judge a request by what it says.

        Parameters
        ----------
        path : str
            Of the address, without the query.
        headers : mapping
            Headers of the request.
        given : str or None
            The token in the address.
        cookie : str or None
            The value of our cookie.

        Returns
        -------
        Refusal, Welcome or None
            None where it is served.
        """
        host = headers.get("Host", "").lower()
        if host not in {f"{name}:{self.port}" for name in ("localhost", "127.0.0.1", "[::1]")}:
            return refusals.host(self.port)
        site = headers.get("Sec-Fetch-Site", "").lower()
        ours = headers.get("Origin", f"http://{host}").lower() == f"http://{host}"
        by_address = given is not None and self._knows(given)
        if not ours or not _begun_here(site, headers):
            followed = ours and path == "/" and by_address and _is_visit(headers, strictly=True)
            return refusals.followed(str(given)) if followed else refusals.ELSEWHERE
        if self.token is None:
            return None
        if by_address and site and path == "/":
            return Welcome()
        if by_address or _same(cookie or "", self.cookie) or self._knows(_authorization(headers)):
            return None
        return refusals.WITHOUT_TOKEN

    def _knows(self, given: str) -> bool:
        return (self.token is not None and _same(given, self.token)) or any(t.fits(given) for t in self.tickets)

    def spend(self, given: str) -> None:
        """A ticket has admitted its browser."""
        for ticket in self.tickets:
            if ticket.fits(given):
                ticket.spend()


def _begun_here(site: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from our own page, from the address bar, or from no browser."""
    return site in ("", "same-origin") or (site == "none" and _is_visit(headers))


def _is_visit(headers: Mapping[str, str], *, strictly: bool = False) -> bool:
    """Whether somebody goes to a page, in a tab of its own, and nothing else is loaded or fetched."""
    unsaid = ("navigate", "document") if not strictly else ("", "")
    mode, kind = headers.get("Sec-Fetch-Mode", unsaid[0]), headers.get("Sec-Fetch-Dest", unsaid[1])
    return (mode.lower(), kind.lower()) == ("navigate", "document")


def _authorization(headers: Mapping[str, str]) -> str:
    """The token that a program gives in a header, as Jupyter takes it."""
    found = re.fullmatch(r"(?:token|bearer)\s+(\S+)", headers.get("Authorization", ""), re.IGNORECASE)
    return found[1] if found else ""


def _same(one: str, other: str) -> bool:
    """Compare in a time that says nothing of how much agrees."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
