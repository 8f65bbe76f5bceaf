"""Damage: what a sweep or a report has written is cut, emptied, zeroed, flipped, swapped or lost at random.

A damaged result is computed again; a damaged manifest is rebuilt, or refused in one line that names it. In the end the
digest is that of a sweep that nothing has damaged.
"""

import json
import shutil

import sweeping


def cut(path, draw):
    path.write_bytes(path.read_bytes()[: draw.randrange(max(path.stat().st_size, 1))])


def empty(path, _):
    path.write_bytes(b"")


def zeros(path, _):
    path.write_bytes(b"\0" * path.stat().st_size)


def flip(path, draw):
    held = bytearray(path.read_bytes())
    if held:
        held[draw.randrange(len(held))] ^= 1 << draw.randrange(8)
    path.write_bytes(held)


def noise(path, draw):
    path.write_bytes(draw.randbytes(draw.randrange(1, 5000)))


def lose(path, _):
    path.unlink()


def swap(path, draw):
    """Exchange the bytes with another file of the kind; those that stand alone are doubled."""
    others = sorted(other for other in path.parent.parent.rglob(f"*{path.suffix}") if other != path)
    if not others:
        path.write_bytes(path.read_bytes() * 2)
        return
    other = draw.choice(others)
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)


def folder_in_place(path, _):
    path.unlink()
    path.mkdir()


def stray(path, draw):
    """Leave files beside it as a killed run might."""
    (path.parent / f".{draw.randrange(9999)}.tmp").write_bytes(b"half")


WAYS = (cut, empty, zeros, flip, noise, lose, swap, folder_in_place, stray)


def sweep(whole, in_parts, folder, draw):
    """Damage what a finished sweep has written, a place or several, and run it again."""
    calm = draw.choice((whole, in_parts))
    out = folder / "out"
    shutil.copytree(calm.out, out)
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != ".lock")
    done = []
    for _ in range(draw.choice((1, 1, 2, 4))):
        manifest = out / "manifest.json"
        path = manifest if manifest.is_file() and draw.random() < 0.3 else draw.choice(files)
        if path.is_file():
            way = draw.choice(WAYS)
            way(path, draw)
            done.append(f"{way.__name__} {path.relative_to(out)}")
    said = f"{', '.join(done)}: "
    code, found, err = sweeping.run(calm.file, out)
    lines = [line for line in err.splitlines() if line.startswith("simtrial: ")]
    if "Traceback" in err or "was not foreseen" in err:
        return said + " ".join(err.split())[-300:]
    told = [line for line in lines if "written again" not in line]  # a manifest is rebuilt
    if code in (1, 2) and len(told) == 1 and str(out) in told[0]:
        return ""
    if code:
        return f"{said}exit code {code}, {lines}"
    if found["digest"] != calm.said["digest"]:
        return f"{said}another digest"
    if (out / "table.csv").read_bytes() != (calm.out / "table.csv").read_bytes():
        return f"{said}another table.csv"
    return ""


def manifest_of_report(made, folder, draw):
    """Damage the manifest of an older report: the next one replaces it, or says in one line that it does not."""
    from kills import ROOT, ended, environment, started

    out = folder / "build"
    shutil.copytree(made, out)
    way = draw.choice((cut, empty, zeros, flip, noise, lose, folder_in_place))
    way(out / "SMOKE/manifest.json", draw)
    with started(["report", ROOT / "params/smoke.yaml", "--out", out, "--no-docx"], env=environment()) as process:
        code, _, err = ended(process, sweeping.SECONDS)
    lines = [line for line in err.splitlines() if line.startswith("simtrial: ")]
    if "Traceback" in err or "was not foreseen" in err:
        return f"{way.__name__}: {' '.join(err.split())[-300:]}"
    if code == 2 and len(lines) == 1 and "SMOKE" in lines[0]:
        return ""
    if code:
        return f"{way.__name__}: exit code {code}, {lines}"
    json.loads((out / "SMOKE/manifest.json").read_text(encoding="utf-8"))
    return ""
