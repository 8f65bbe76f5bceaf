"""What holds the project together: dependencies said three times the same, nothing tracked that should not be."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from simtrial import project
from simtrial.report import provenance


def split(line):
    name, bounds = re.fullmatch(r"([A-Za-z0-9_-]+)(.*)", line.replace(" ", "")).groups()
    return name.lower().replace("_", "-"), bounds


@pytest.fixture
def pyproject(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def wanted(pyproject):
    return dict(split(line) for line in [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["dev"]])


def test_environment_yml_holds_the_same_names_and_bounds(root, pyproject, wanted):
    conda = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))
    listed = dict(split(line) for line in conda["dependencies"])
    assert listed.pop("python") == pyproject["project"]["requires-python"]
    assert listed.pop("pip") == ""
    assert listed == wanted
    assert conda["channels"] == ["conda-forge"]


def version(text):
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


@pytest.fixture(params=["requirements.lock", "requirements-oldest.lock"])
def lock(request, root):
    return (root / request.param).read_text(encoding="utf-8")


def versions(lock):
    locked = {}
    for name, pinned in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock, flags=re.MULTILINE):
        locked.setdefault(name, []).append(pinned)
    return locked


def test_a_lock_holds_every_dependency_within_its_bounds(lock, wanted):
    locked = versions(lock)
    assert wanted.keys() <= locked.keys()
    for name, bounds in wanted.items():
        low, high = re.fullmatch(r">=([\d.]+),<([\d.]+)", bounds).groups()
        for pinned in locked[name]:
            assert version(low) <= version(pinned) < version(high), name


def test_the_oldest_lock_holds_the_lowest_bounds_themselves(root, wanted):
    locked = versions((root / "requirements-oldest.lock").read_text(encoding="utf-8"))
    for name, bounds in wanted.items():
        low = re.match(r">=([\d.]+)", bounds)[1]
        # 2.2 stands for the first release of its series that fits the others: pandas 2.2.2 is the first for NumPy 2
        assert {version(pinned)[: low.count(".") + 1] for pinned in locked[name]} == {version(low)}, name


def test_a_lock_is_hashed_and_names_no_index(lock):
    blocks = re.split(r"\n(?=[a-z])", lock.strip())
    assert len(blocks) > 80
    assert all("--hash=sha256:" in block for block in blocks)
    assert "//" not in lock
    assert "--index" not in lock
    assert "--find-links" not in lock


def test_the_other_simtrial_is_no_dependency(lock, wanted):
    assert "simtrial" not in wanted
    assert not re.search(r"^simtrial\b", lock, flags=re.MULTILINE)


@pytest.mark.clone
def test_the_top_level_holds_only_what_belongs_there(root):
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout, so what is tracked is not known")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= {
        "notebooks", "simtrial", "params", "tests", "benchmarks", "environment.yml", "README.md", "pyproject.toml",
        "Makefile", "requirements.lock", "requirements-oldest.lock", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
        "CITATION.cff", "docs",
    }  # fmt: skip


@pytest.mark.clone
def test_an_installation_from_a_clone_holds_no_copies_of_its_files():
    installed = [str(file) for file in importlib.metadata.files(project.DISTRIBUTION)]
    assert "_simtrial_orr.pth" in installed
    assert [name for name in installed if name.startswith("simtrial/")] == []


@pytest.mark.parametrize("entry", ["simtrial", "simtrial.cli.app"])
def test_importing_is_light(entry):
    heavy = (
        "scipy",
        "pandas",
        "matplotlib",
        "statsmodels",
        "papermill",
        "nbconvert",
        "IPython",
        "ipywidgets",
        "pydantic",
    )
    program = f"import sys, {entry}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_design_command_loads_nothing_it_does_not_need():
    program = (
        "import sys; from simtrial.cli.app import main;"
        "main(['design', '--p0', '.1', '--p1', '.3', '--alpha', '.05', '--power', '.8', '--json']);"
        "print([m for m in ('pandas', 'matplotlib', 'statsmodels', 'papermill', 'scipy.stats', 'simtrial.cli.explore',"
        "'simtrial.cli.review', 'simtrial.cli.init', 'simtrial.cli.doctor') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_public_names_are_those_of_the_interface():
    program = (
        "from simtrial import Requirements, SingleStage, TwoStage, search, exact, inference;"
        "print(search.single_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)).first.n,"
        "inference.analyze(TwoStage(r1=1, n1=10, r=5, n=29), 6, 0.1).stage)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["25", "2"], done.stderr


def test_a_name_that_the_package_does_not_have_is_no_attribute():
    import simtrial

    assert "inference" in dir(simtrial)
    with pytest.raises(AttributeError, match="no attribute 'inferences'"):
        _ = simtrial.inferences


def test_the_package_that_is_tested_is_the_one_beside_the_tests(root):
    import simtrial

    # a link to the installed one, where a wheel is tested
    assert (root / "simtrial").resolve() == Path(simtrial.__file__).resolve().parent
    assert (project.SHIPPED / project.LOCK).exists() == (project.CLONE is None)


def test_the_package_runs_as_a_program():
    command = [sys.executable, "-m", "simtrial", "oc", "--looks", "1/10,5/29", "--p", "0.1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["en"] == [pytest.approx(15.0141, abs=1e-4)]


def test_the_version_is_stated_in_one_place(root, pyproject):
    import simtrial

    assert "version" not in yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert "version" not in pyproject["project"]
    assert pyproject["tool"]["hatch"]["version"]["path"] == "simtrial/__init__.py"
    head = re.search(r"^## ([\d.]+)", (root / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    assert head == simtrial.__version__


def test_the_commit_is_that_of_the_clone_that_is_used_now(tmp_path, monkeypatch):
    provenance.commit()
    monkeypatch.setattr(project, "CLONE", tmp_path)
    assert provenance.commit() is None


def test_the_citation_file_has_the_fields_that_its_format_asks_for(root):
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    required = {"cff-version", "message", "title", "authors"}
    allowed = required | {"type", "abstract", "license", "keywords"}  # of version 1.2.0, those that are used here
    assert required <= cited.keys() <= allowed
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] in ("software", "dataset")
    assert cited["license"] == "MIT"
    # somebody without a given and a family name is an entity, which has a name
    assert [set(author) for author in cited["authors"]] == [{"name"}]
    texts = [cited["message"], cited["title"], cited["abstract"], *cited["keywords"], cited["authors"][0]["name"]]
    assert all(isinstance(text, str) and text == text.strip() and text for text in texts)
    assert len(set(cited["keywords"])) == len(cited["keywords"])


def printed(*program):
    done = subprocess.run([sys.executable, "-c", "\n".join(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


POSTPONED = ("import sys", "from simtrial import libraries", "libraries.postpone()", "from scipy import special")


def test_parts_of_numpy_that_nobody_asked_for_are_loaded_when_somebody_does():
    lines = printed(
        *POSTPONED,
        "special.logsumexp([0.0])",
        "print([m for m in sys.modules if m.startswith(('numpy.f2py.', 'numpy.testing.'))])",
        "import numpy.f2py",
        "print(callable(numpy.f2py.get_include), callable(numpy.testing.assert_allclose))",
        "print('numpy.f2py.crackfortran' in sys.modules, 'numpy.testing._private.utils' in sys.modules)",
    )
    assert lines == ["[]", "True True", "True True"]


def test_a_compiled_function_of_scipy_is_the_same_before_the_rest_is_loaded_and_after():
    lines = printed(
        *POSTPONED,
        "before = special.bdtrc, special.betaln",
        "print('scipy.special._basic' in sys.modules)",
        "from scipy.special import logsumexp",
        "print('scipy.special._basic' in sys.modules, type(special).__name__, hasattr(special, 'no_such_name'))",
        "print(before == (special.bdtrc, special.betaln), sys.modules['scipy.special'] is special)",
        "from scipy import stats",
        "print(stats.binom.sf(0, 1, 0.25))",
    )
    assert lines == ["False", "True module False", "True True", "0.25"]


def test_a_design_loads_no_more_of_scipy_than_its_compiled_functions():
    words = ["design", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--power", "0.8", "--json"]
    lines = printed(
        "import sys",
        f"sys.argv[1:] = {words}",
        "from simtrial.cli.start import main",
        "main()",
        "print(type(sys.modules['scipy.special']).__name__, 'scipy.special._ufuncs' in sys.modules)",
    )
    assert lines[-1] == "_Functions True"
