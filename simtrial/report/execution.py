"""One notebook run in a kernel that holds nothing of another one, and what becomes of a cell that has a limit.

A part of a report may be asked for more than it can do: a number too large to be traced back, sizes that a method does
not know. Such a cell ends in an `InputError`. It then says in its place what is left out and why, cells that need what
it would have made say so too, and all others run. Every other error is a fault, and the notebook fails.
"""

from __future__ import annotations

import ast
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simtrial import project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simtrial.report.kernel import Kept

LIMIT = "InputError"
"""Name of the error by which a part says that something is beyond it."""


class NotebookError(RuntimeError):
    """A notebook stopped: which cell, why, and where what it did so far is kept."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a notebook leaves out.

    Attributes
    ----------
    title : str
        Heading of the part, or of its section.
    why : str
        In one line.
    whole : bool
        Whether nothing of the part is left.
    """

    title: str
    why: str
    whole: bool


def execute(template: Path, target: Path, parameters: Mapping[str, object], kernel: Kept) -> tuple[LeftOut, ...]:
    """Run one notebook in a kernel that is cleared first, and keep it without dates, durations and paths.

    Returns
    -------
    tuple of LeftOut
        One for each limit that was met; the notebook kept in `target` says the same.

    Raises
    ------
    NotebookError
        If a cell fails for another reason than a limit; `target` then holds what there is.
    """
    import papermill

    begun: list[Any] = []

    async def cleared(notebook: Any) -> None:
        begun.append(notebook)
        await kernel.cleared(notebook)

    try:
        papermill.execute_notebook(
            template,
            target,
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            cwd=project.ROOT,
            request_save_on_cell_execute=False,  # twice a cell it takes longer than most cells
            km=kernel,
            on_notebook_start=cleared,
            allow_error_names=[LIMIT, "NameError"],  # what they mean is settled below
        )
    except papermill.exceptions.PapermillExecutionError:
        return _settle(template.name, target)
    except OSError:  # the disk may be full: nothing of this run is kept
        raise
    except Exception as error:  # a kernel that died, a template that is no notebook: the run fails the same way
        if _interrupted(error):
            raise KeyboardInterrupt from None
        if begun:  # with what its cells have shown so far
            papermill.iorw.write_ipynb(begun[0], str(target))
        why = f"{' '.join(str(error).split())[:500]}{_told(kernel)}"
        raise NotebookError(f"{template.name} stopped: {why}") from error
    _write(target, _read(target))
    return ()


def _interrupted(error: BaseException | None) -> bool:
    """Whether an error came of Ctrl-C, which a library may answer with an error of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _told(kernel: Kept) -> str:
    said = kernel.last_words
    return f" ({said[:200]})" if said else ""


def _settle(name: str, target: Path) -> tuple[LeftOut, ...]:
    """Tell limits from faults, and write each limit in the place of its cell."""
    notebook = _read(target)
    left, missing = list[LeftOut](), set[str]()
    heading, setup = name, None
    for k, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            title = re.match(r"#{1,2}\s+(.+)", source)
            heading = title[1] if title else heading
        error = next((o for o in cell.get("outputs", ()) if o["output_type"] == "error"), None)
        if error is None:
            continue
        said = " ".join(error["evalue"].split())
        absent = re.match(r"name '(\w+)' is not defined", said) if error["ename"] == "NameError" else None
        if error["ename"] == LIMIT:
            left.append(LeftOut(heading, said, "setup" in cell["metadata"].get("tags", ())))
            cell["outputs"] = [_notice(f"Left out: {said}.")]
            setup = k if left[-1].whole else setup
        elif absent and absent[1] in missing:
            cell["outputs"] = [_notice("Left out as well: it needs what is left out above.")]
        else:
            _write(target, notebook)
            first = next((line for line in source.splitlines() if line.strip()), "")
            raise NotebookError(f"{name}, cell {k + 1} ({first.strip()[:60]}) failed: {error['ename']}: {said[:500]}")
        missing |= _made(source)
    if setup is not None:
        notebook["cells"] = notebook["cells"][: setup + 1]
    _write(target, notebook)
    return tuple(left)


def _made(source: str) -> set[str]:
    """Names that a cell gives to what it makes."""
    nodes = ast.walk(ast.parse(source))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _notice(said: str) -> dict[str, Any]:
    data = {"text/html": f'<div class="warning">{html.escape(said)}</div>', "text/plain": said}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _read(path: Path) -> dict[str, Any]:
    """Read an executed notebook without what papermill adds about an error."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = [
        cell for cell in notebook["cells"] if "papermill-error-cell-tag" not in cell["metadata"].get("tags", ())
    ]
    return notebook


def _write(path: Path, notebook: dict[str, Any]) -> None:
    """Drop what differs from run to run, so that the same inputs give the same bytes."""
    notebook["metadata"].pop("papermill", None)
    for k, cell in enumerate(notebook["cells"]):
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            cell["id"] = f"{path.stem}-injected-{k}"
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
