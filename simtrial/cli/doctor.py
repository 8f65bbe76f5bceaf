"""`simtrial doctor`: whether this installation is sound, and what to do where it is not."""

from __future__ import annotations

import typer

from simtrial.cli import exit_codes, options
from simtrial.show import loudness, terminal

MARKS = {"ok": "ok", "note": "note", "warning": "WARNING", "failed": "FAILED"}


def doctor(as_json: options.Json = False) -> None:
    """Check the installation: versions, browser, fonts, folders, and a self-test of two seconds.

    Warnings and notes concern what is optional. If a check fails, the exit code is 1.
    """
    from simtrial import __version__
    from simtrial.cli import selftest, surroundings
    from simtrial.phrases import counted

    with terminal.timed("looking around"):
        found = list(surroundings.all_found())
    with terminal.timed("self-test"):
        found += selftest.all_results()
    bad = [one for one in found if one.status == "failed"]
    if as_json:
        checks = [
            {"name": one.name, "status": one.status, "found": one.found, "remedy": one.remedy or None} for one in found
        ]
        terminal.print_json({"version": __version__, "ok": not bad, "checks": checks})
    else:
        # notes and what is in order are no news to whoever asked for quiet
        shown = [one for one in found if one.status in ("warning", "failed") or not loudness.quiet()]
        wide = max((len(one.name) for one in shown), default=0)
        for one in shown:
            remedy = f"; {one.remedy}" if one.remedy else ""
            terminal.tell(f"{MARKS[one.status]:8}{one.name:{wide}}  {terminal.one_line(one.found + remedy)}")
        warned = [one for one in found if one.status == "warning"]
        terminal.tell(
            f"{counted(len(found), 'check')}: {counted(len(bad), 'failure')}, {counted(len(warned), 'warning')}"
        )
    if bad:
        raise typer.Exit(exit_codes.FAILED)
