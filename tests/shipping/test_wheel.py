"""The wheel, away from the clone: what it holds, and what it does in folders that hold other things.

It is built here and unpacked beside folders of others, as in a `site-packages`; `make test-wheel` installs it.
"""

import json
import os
import re
import select
import shutil
import subprocess
import sys
import zipfile

import bill
import pytest
import twice
from children import reaped, spawned

from simtrial import files

pytestmark = [pytest.mark.clone, pytest.mark.processes]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    work = tmp_path_factory.mktemp("wheel")
    return twice.built(twice.copied(root, work / "tree"), "wheel", work / "dist")


def state(folder):
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """Where it is installed: among folders of others with the names of ours, inside a clone of something else."""
    folder = tmp_path_factory.mktemp("foreign")
    cloned(folder)
    place = folder / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    for name in ("notebooks/01_design.ipynb", "tests/reference/simon1989_table1.csv", "params/NCT07022301.yaml"):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text("of another project", encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def untouched(site):
    return state(site)


def cloned(folder):
    subprocess.run(["git", "init", "-q", folder], check=True)
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run(["git", "-C", folder, *who, "commit", "-q", "--allow-empty", "-m", "other"], check=True)


def words(*command):
    return [sys.executable, "-P", *map(str, command)]


def surroundings(site):
    return os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}


def run(site, folder, *command):
    return subprocess.run(
        words(*command), cwd=folder, env=surroundings(site), capture_output=True, text=True, timeout=600
    )


def simtrial(site, folder, *command):
    return run(site, folder, "-m", "simtrial", *command)


def answer(site, folder, program):
    done = run(site, folder, "-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tracked(root, *folders):
    listed = subprocess.run(["git", "ls-files", *folders], cwd=root, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.splitlines() if (root / name).is_file()}


def test_the_wheel_holds_the_package_and_what_it_reads_and_nothing_else(root, wheel):
    read = tracked(root, "notebooks", "params", "tests/reference", "requirements.lock")
    wanted = tracked(root, "simtrial") | {f"simtrial/shipped/{name}" for name in read}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted
    assert "simtrial/py.typed" in held


def test_a_file_that_git_does_not_track_is_not_built(tmp_path, capsys):
    cloned(tmp_path)
    for name in ("params/known.yaml", "params/patients.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "-C", tmp_path, "add", "params/known.yaml"], check=True)
    assert twice.listed(tmp_path) == ["params/known.yaml"]
    assert "params/patients.csv" in capsys.readouterr().out


def test_the_code_has_the_same_digest_as_in_the_clone(site, tmp_path):
    assert answer(site, tmp_path, "from simtrial import files; print(files.code_digest())") == files.code_digest()


def test_the_reference_tables_have_the_same_digest_as_in_the_clone(site, tmp_path):
    from simtrial.report import qualified

    program = "from simtrial.report import qualified; print(qualified._tables())"
    assert answer(site, tmp_path, program) == qualified._tables()


def test_a_commit_of_another_repository_is_not_stated_as_ours(site, tmp_path):
    cloned(tmp_path)
    assert answer(site, tmp_path, "from simtrial.report import provenance; print(provenance.commit())") == "None"


PLACE = "import pathlib; from simtrial.trial import params; print(params.read('params/NCT07022301.yaml')[1].path)"


def test_an_example_is_found_in_the_package_from_any_folder(site, tmp_path):
    assert answer(site, tmp_path, PLACE) == str(site / "simtrial/shipped/params/NCT07022301.yaml")


def test_a_file_of_the_user_comes_before_an_example_of_the_same_name(root, site, tmp_path):
    (tmp_path / "params").mkdir()
    shutil.copy(root / "params/smoke.yaml", tmp_path / "params/NCT07022301.yaml")
    assert answer(site, tmp_path, PLACE) == "params/NCT07022301.yaml"
    (tmp_path / "params/NCT07022301.yaml").rename(tmp_path / "params/other.yaml")
    assert answer(site, tmp_path, PLACE) == str(site / "simtrial/shipped/params/NCT07022301.yaml")


def test_an_example_is_recorded_without_the_place_of_the_installation(site, tmp_path):
    program = (
        "from pathlib import Path; from simtrial import project; from simtrial.report import replacement;"
        "print(replacement.place(project.found(Path('params/smoke.yaml')), Path('build/SMOKE')))"
    )
    assert answer(site, tmp_path, program) == "params/smoke.yaml"


def test_a_design_is_found_in_a_folder_that_is_gone(site, tmp_path):
    (tmp_path / "gone").mkdir()
    asked = ["design", "--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8", "--json"]
    leave = ["sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", str(tmp_path / "gone")]
    command = [*leave, *words("-m", "simtrial", *asked)]
    done = subprocess.run(command, env=surroundings(site), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["single_stage"]["first"]["n"] == 25


def test_a_report_in_a_folder_that_is_gone_is_refused_in_one_line(site, tmp_path):
    (tmp_path / "gone").mkdir()
    leave = ["sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", str(tmp_path / "gone")]
    command = [*leave, *words("-m", "simtrial", "report", "params/smoke.yaml")]
    done = subprocess.run(command, env=surroundings(site), capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2)
    assert re.fullmatch(r"simtrial: [^\n]+\n", done.stderr), done.stderr


HOSTILE = ("random.py", "pandas.py", "fnmatch.py", "simtrial/__init__.py", "notebooks/01_design.ipynb", "tests/x.py")
"""Names of libraries and of our folders, which a user may have given to files."""


@pytest.fixture(scope="module")
def reported(root, site, untouched, tmp_path_factory):
    """A report on a finished trial, in a folder that is somebody's clone, with a file of patients beside."""
    assert untouched  # the state of the site before
    folder = tmp_path_factory.mktemp("user")
    cloned(folder)
    for name in HOSTILE:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"raise SystemExit({name!r})", encoding="utf-8")
    (folder / "params").mkdir()
    made = simtrial(site, folder, "synthetic", "params/smoke.yaml")
    assert made.returncode == 0, made.stderr
    (folder / "patients.csv").write_text(made.stdout, encoding="utf-8")
    text = (root / "params/smoke.yaml").read_text(encoding="utf-8").rstrip()
    (folder / "params/mine.yaml").write_text(f"{text}\n  analysis: {{patients: ../patients.csv}}\n", encoding="utf-8")
    done = simtrial(site, folder, "report", "params/mine.yaml", "--parts", "analysis")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.kernel
def test_a_report_takes_no_file_of_the_working_folder_for_a_library(reported):
    held = json.loads((reported / "build/SMOKE/manifest.json").read_text(encoding="utf-8"))
    assert (held["parameter_path"], held["commit"]) == ("../params/mine.yaml", None)


@pytest.mark.kernel
def test_a_report_names_no_folder_of_the_machine(reported, site):
    made = [path for path in (reported / "build").rglob("*") if path.is_file()]
    assert len(made) > 10
    places = [str(reported).encode(), str(site).encode()]
    assert [path.name for path in made if any(place in path.read_bytes() for place in places)] == []


@pytest.mark.kernel
def test_a_report_writes_nothing_where_the_package_is_installed(reported, site, untouched):
    assert (reported / "build/SMOKE/report.html").exists()
    assert state(site) == untouched


@pytest.mark.kernel
def test_a_report_on_another_file_is_not_replaced(reported, site):
    shutil.copy(reported / "params/mine.yaml", reported / "params/second.yaml")
    done = simtrial(site, reported, "report", "params/second.yaml", "--parts", "analysis")
    assert done.returncode == 2
    assert "has a report already: build/SMOKE, made from ../params/mine.yaml" in done.stderr


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no chromium on this machine")
def test_the_explorer_draws_and_answers_from_an_empty_folder(site, tmp_path):
    from playwright.sync_api import sync_playwright

    command = words("-m", "simtrial", "explore", "--no-browser")
    options = {"cwd": tmp_path, "env": surroundings(site), "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with reaped(spawned(command, **options)) as server, sync_playwright() as playwright:
        said = b""
        while b"(Ctrl-C ends it)" not in said:
            assert select.select([server.stderr], [], [], 120)[0], said
            more = os.read(server.stderr.fileno(), 4096)
            assert more, said
            said += more
        address = re.search(r"http://localhost:\d+/\?token=[\w-]+", said.decode())[0]
        # Chromium's own sandbox does not start for root, as which CI runs
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=os.getuid() != 0)
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector(".simtrial-calendar section")
        page.get_by_role("slider", name=re.compile("^p1:")).focus()
        page.keyboard.press("ArrowRight")
        moved = "document.querySelector('.simtrial-calendar').innerText.includes('p1 = 0.31')"
        page.wait_for_function(moved)
        browser.close()
        server.terminate()
        server.wait(60)


@pytest.mark.long
def test_the_bill_of_materials_lists_every_pin_with_its_hashes_and_names_no_index(root):
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pins = {
        (name, version, frozenset(re.findall(r"sha256:(\w{64})", block)))
        for block in re.split(r"\n(?=[a-z])", lock)
        for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", block, flags=re.MULTILINE)
    }
    made = bill.bill(root)
    listed = {
        (part["name"], part["version"], frozenset(one["content"] for one in part["externalReferences"][0]["hashes"]))
        for part in made["components"]
    }
    assert len(pins) > 80
    assert listed == pins
    assert made["metadata"]["component"]["version"] == bill.version(root)
    assert "//" not in json.dumps(made).replace("http://cyclonedx.org/schema/", "")


def test_a_bill_of_materials_that_breaks_the_scheme_is_refused():
    with pytest.raises(SystemExit, match="does not follow CycloneDX"):
        bill.checked({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "numpy"}]})
