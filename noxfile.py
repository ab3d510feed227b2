# Copyright: (c) 2026, DataStax Astra collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check and tool of this repository, run the same way by hand, by make and in CI (see CONTRIBUTING.md)."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import zipfile
from glob import glob
from pathlib import Path

import nox
from python_discovery import DiskCache, get_interpreter

ROOT = Path(__file__).parent
CACHE = ROOT / ".cache"
BUILD = ROOT / "build"
COLLECTION = "datastax.astra"

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.tags = ["test"]

# For commands whose own output is what the reader wants to see; failures are still shown.
QUIET = bool(os.environ.get("NOX_QUIET"))
if QUIET:
    logging.getLogger("nox").setLevel(logging.WARNING)

# Each supported ansible-core: the release to test with, and the Pythons to run it on, best first.
CORES = {
    "2.16": ("2.16.19", ("3.12", "3.11", "3.10")),
    "2.17": ("2.17.14", ("3.12", "3.11", "3.10")),
    "2.18": ("2.18.19", ("3.13", "3.12", "3.11")),
    "2.19": ("2.19.14", ("3.11", "3.12", "3.13")),
    "2.20": ("2.20.10", ("3.12", "3.13", "3.14")),
    "2.21": ("2.21.5", ("3.14", "3.13", "3.12")),
}
# `make test` runs the oldest, the newest that runs on Python 3.11, and the newest; `nox -s integration` runs them all.
TESTED = ("2.16", "2.19", "2.21")
# For the sessions that need just one: the newest that runs on the Python at hand.
CURRENT = "{}.{}".format(*sys.version_info)
DEFAULT_CORE = max((core for core, (_release, pythons) in CORES.items() if CURRENT in pythons), default=max(CORES))
# The oldest Python that the modules run on, which no supported ansible-core runs on.
OLDEST_FOR_MODULES = "3.9"
# The Pythons for which ansible-test compiles and imports the plugins, where this machine has them.
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

# Stands for the installer of pip that ansible-test would download from a host that is often out of reach.
INSTALL_PIP = """
import os, shutil, sysconfig
for package in {packages!r}:
    shutil.copytree(package, os.path.join(sysconfig.get_path("purelib"), os.path.basename(package)))
"""


def find_python(version: str) -> str | None:
    """Return the path of an interpreter of this version that really runs, or None.

    pyenv puts shims on PATH that refuse to run unless their version is switched on, so what pyenv has installed is
    offered by its path.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    installed = sorted(str(path) for path in pyenv.glob(f"versions/*/bin/python{version}"))
    found = get_interpreter(version, installed, cache=DiskCache(CACHE / "python-discovery"))
    return found and found.system_executable


def each_core(function):
    """Turn a function into a session for each ansible-core, on the best Python that this machine has for it."""
    parameters = []
    for core, (_release, pythons) in CORES.items():
        python = next(filter(None, map(find_python, pythons)), None)
        parameters.append(nox.param(python, core, id=core, tags=["test"] if core in TESTED else []))
    return nox.session(nox.parametrize(("python", "core"), parameters)(function))


def each_combination(function):
    """Turn a function into a session for each ansible-core on each Python that this machine has for it."""
    parameters = []
    for core, (_release, pythons) in CORES.items():
        for version in reversed(pythons):
            if python := find_python(version):
                parameters.append(nox.param(python, core, id=f"{core} on {version}"))
    return nox.session(nox.parametrize(("python", "core"), parameters)(function))


def install(session: nox.Session, *names: str, core: str | None = None) -> None:
    """Install requirements/NAME.txt for each name and an ansible-core; skip the session if no Python runs that core."""
    if core and session.python is None:
        session.skip(f"ansible-core {core} runs on Python {' or '.join(CORES[core][1])}, and none of them was found")
    if QUIET and not (Path(session.bin) / "ansible").exists():
        print(f"Preparing the environment of the session {session.name} (once) ...", flush=True)
    files = [f"--requirements={ROOT / 'requirements' / name}.txt" for name in names]
    session.install(f"ansible-core=={CORES[core or DEFAULT_CORE][0]}", *files)


def make_python(session: nox.Session, version: str, requirements: Path, kind: str = "") -> Path:
    """Make a virtual environment that sessions share; returns its interpreter."""
    environment = CACHE / "pythons" / f"{kind}{version}"
    python = environment / "bin" / "python"
    uv = shutil.which("uv", path=Path(sys.executable).parent) or "uv"
    session.run(
        uv, "venv", "--quiet", "--allow-existing", f"--python={find_python(version)}", str(environment), external=True
    )
    session.run(uv, "pip", "install", "--quiet", f"--python={python}", f"--requirement={requirements}", external=True)
    return python


def copy_collection(session: nox.Session) -> tuple[Path, dict[str, str | None]]:
    """Copy what git tracks, or would track, to ansible_collections/datastax/astra in a fresh directory of the session.

    Returns the copy, and the environment in which Ansible finds it and none of the developer's own settings.
    """
    work = CACHE / "sessions" / re.sub(r"\W+", "-", session.name).strip("-")
    shutil.rmtree(work, ignore_errors=True)
    collection = work / "ansible_collections" / COLLECTION.replace(".", "/")
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        # Git still lists a file that was deleted and not yet committed.
        if (ROOT / name).is_file():
            (collection / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, collection / name)
    session.chdir(collection)
    # Several tools take their list of files from git, and would ask the repository around the copy, which ignores it.
    session.run("git", "init", "--quiet", ".", external=True)
    (work / "ansible.cfg").touch()
    environment = dict.fromkeys(name for name in os.environ if name.startswith(("ANSIBLE_", "ASTRA_", "MOLECULE_")))
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(work),
        "ANSIBLE_CONFIG": str(work / "ansible.cfg"),
        "ANSIBLE_HOME": str(work / "ansible-home"),
        "ANSIBLE_NOCOWS": "1",
    }
    return collection, environment


def fetch_awx_collection(session: nox.Session) -> Path:
    """Take the collection awx.awx out of the package that PyPI has it in; returns the directory to look for it."""
    requirement = ROOT / "requirements" / "awx.txt"
    collections = CACHE / "awx-collection"
    fetched = collections / requirement.name
    if not fetched.exists() or fetched.read_text() != requirement.read_text():
        shutil.rmtree(collections, ignore_errors=True)
        options = ["--no-deps", "--only-binary=:all:", "--quiet", "--dest", str(collections)]
        session.run("python", "-m", "pip", "download", *options, f"--requirement={requirement}")
        [wheel] = collections.glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            names = [name for name in package.namelist() if name.startswith("ansible_collections/awx/awx/")]
            package.extractall(collections, names)
        wheel.unlink()
        shutil.copy(requirement, fetched)
    return collections


def build_artifact(session: nox.Session, environment: dict[str, str | None], destination: Path) -> Path:
    """Build the collection in the working directory; returns the path of the artifact."""
    shutil.rmtree(destination, ignore_errors=True)
    command = ["ansible-galaxy", "collection", "build", "--output-path", str(destination)]
    session.run(*command, env=environment, silent=True)
    return next(destination.glob("*.tar.gz"))


def check_artifact(session: nox.Session, environment: dict[str, str | None], artifact: Path) -> None:
    """Ask Galaxy's own importer whether it would take the artifact; it reports what it dislikes and exits with 0."""
    strict = {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true", "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true"}
    output = session.run("python", "-m", "galaxy_importer.main", str(artifact), env=environment | strict, silent=True)
    if complaints := re.findall(r"^(?:WARNING|ERROR|CRITICAL).*", output, re.MULTILINE):
        session.error("galaxy-importer: " + "\n".join(complaints))


def render_docs(session: nox.Session, collection: Path, environment: dict[str, str | None]) -> None:
    """Render docs/docsite and the plugins of a copy of the collection into build/docs."""
    rst = collection / "build/rst"
    # antsibull-docs refuses to write where others may write.
    rst.mkdir(parents=True, mode=0o755)
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(rst)]
    session.run("antsibull-docs", "collection", *options, COLLECTION, env=environment)
    html = BUILD / "docs"
    shutil.rmtree(html, ignore_errors=True)
    session.run("sphinx-build", "-W", "--keep-going", "--quiet", "-c", "docs", str(rst), str(html), env=environment)


def ansible_test(session: nox.Session, environment: dict[str, str | None], *command: str) -> None:
    """Run ansible-test in the copy of the collection, or a program that calls it."""
    # It makes virtual environments below the home directory, which is kept to make the next run faster.
    environment_path = Path(session.bin).parent
    home = CACHE / "ansible-test" / environment_path.name
    installers = home / ".ansible/test/cache"
    installers.mkdir(parents=True, exist_ok=True)
    packages = [str(path) for path in environment_path.glob("lib/python*/site-packages/pip*")]
    for version in ("23.1.2", "24.2", "25.2"):
        installer = installers / f"get_pip_{version.replace('.', '_')}.py"
        installer.write_text(INSTALL_PIP.format(packages=packages))
    for settings in (".pip", ".config/pip"):
        if (Path.home() / settings).is_dir() and not (home / settings).exists():
            (home / settings).parent.mkdir(parents=True, exist_ok=True)
            (home / settings).symlink_to(Path.home() / settings)
    # ansible-test looks for interpreters on PATH, where pyenv's shims would fail.
    pythons = [str(Path(python).parent) for python in map(find_python, PYTHONS) if python]
    path = os.pathsep.join([session.bin, *pythons, os.environ["PATH"]])
    session.run(*command, env=environment | {"HOME": str(home), "PATH": path})


@nox.session(tags=["test"])
def lint(session: nox.Session) -> None:
    """Check style, types, documentation and changelog, and that Galaxy takes the artifact."""
    install(session, "lint")
    collection, environment = copy_collection(session)
    # ansible-lint checks the arguments of the modules in examples/awx.
    environment["ANSIBLE_COLLECTIONS_PATH"] += os.pathsep + str(fetch_awx_collection(session))
    # GitHub itself complains only after a push.
    schemas = {
        "github-workflows": sorted(glob(".github/workflows/*.yml")),
        "github-issue-forms": sorted(glob(".github/ISSUE_TEMPLATE/*_*.yml")),
        "github-issue-config": [".github/ISSUE_TEMPLATE/config.yml"],
        "dependabot": [".github/dependabot.yml"],
    }
    docs_options = ["--plugin-docs", "--check-extra-docs-refs", "--validate-collection-refs", "self"]
    commands = [
        ["ruff", "check", "--quiet"],
        ["ruff", "format", "--check", "--quiet"],
        ["mypy", "--no-error-summary", f"--cache-dir={CACHE / 'mypy'}"],
        ["ansible-lint"],
        ["antsibull-changelog", "lint"],
        ["antsibull-docs", "lint-collection-docs", *docs_options, "."],
        *(["check-jsonschema", f"--builtin-schema=vendor.{schema}", *names] for schema, names in schemas.items()),
    ]
    failed = []
    for command in commands:
        try:
            session.run(*command, env=environment)
        except nox.command.CommandFailed:
            failed.append(" ".join(command[:2]))
    if failed:
        session.error("look above for what was found by: " + ", ".join(failed))
    check_artifact(session, environment, build_artifact(session, environment, collection / "build"))


@each_core
def sanity(session: nox.Session, core: str) -> None:
    """Run every sanity test of ansible-test; arguments choose others."""
    install(session, "sanity", core=core)
    _collection, environment = copy_collection(session)
    ansible_test(session, environment, "ansible-test", "sanity", "--color", "no", *session.posargs)


@each_core
def artifact(session: nox.Session, core: str) -> None:
    """Install the built artifact, show its documentation, render a report, and check its playbooks' syntax."""
    install(session, core=core)
    collection, environment = copy_collection(session)
    built = build_artifact(session, environment, collection / "build")
    # Away from the copy, which must not be what is found.
    installed = collection.parents[2] / "installed"
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(installed)
    session.chdir(collection.parents[2])
    command = ["ansible-galaxy", "collection", "install", "--offline", "--collections-path", str(installed), str(built)]
    session.run(*command, env=environment, silent=True)
    content = {
        "module": (collection / "plugins/modules").glob("*.py"),
        "filter": (collection / "plugins/filter").glob("*.py"),
        "role": (collection / "roles").iterdir(),
    }
    for kind, paths in content.items():
        names = [f"{COLLECTION}.{path.stem}" for path in paths]
        command = ["ansible-doc", "--type", kind, "--json", *names]
        shown = session.run(*command, env=environment, silent=True, stderr=None)
        if missing := set(names) - set(json.loads(shown)):
            session.error(f"ansible-doc shows nothing for {', '.join(sorted(missing))}")
    # It is made of files that are no Python, which nobody would miss before an audit.
    render = "from tests.evidence.samples import audit, mixed_fleet; print(as_html.render(audit(mixed_fleet())))"
    program = f"from ansible_collections.{COLLECTION}.plugins.plugin_utils.evidence import as_html; {render}"
    session.run("python", "-c", program, env={"PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"}, silent=True)
    for playbook in (collection / "playbooks").glob("*.yml"):
        session.run("ansible-playbook", "--syntax-check", f"{COLLECTION}.{playbook.stem}", env=environment)


@nox.session(tags=["test"])
def unit(session: nox.Session) -> None:
    """Run pytest: the pure parts, the modules and playbooks against the emulator, and the emulator itself."""
    install(session, "unit")
    fetch_awx_collection(session)
    # By file, so that what a file sets up, such as the runs of the example for AWX, is set up once.
    session.run("pytest", "--numprocesses=auto", "--dist=loadfile", *session.posargs)


@nox.session(tags=["test"])
def pulsar(session: nox.Session) -> None:
    """Test against a real Apache Pulsar, which Maven downloads once; --pulsar-version=3.3.6 chooses another one."""
    version = [word.replace("pulsar-", "") for word in session.posargs if word.startswith("--pulsar-version=")]
    command = [sys.executable, "-m", "tests.pulsar.distribution", "--connector=http", *version]
    got = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    if got.returncode == 3:  # something has to be installed first, and it says what
        session.skip(got.stdout.strip())
    elif got.returncode:
        session.error("Apache Pulsar could not be had")
    install(session, "pulsar")
    session.run("pytest", "tests/pulsar", "--numprocesses=2", "--dist=loadfile", *session.posargs)


@nox.session(tags=["test"])
def evidence(session: nox.Session) -> None:
    """Check the audit's files: by their readers, in a browser, and that every Python writes the same bytes.

    What the machine has to bring is Chromium and npm; where they are missing, their tests are skipped and say so.
    """
    install(session, "evidence")
    if shutil.which("npm"):
        (CACHE / "npm").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests/evidence/package.json", CACHE / "npm")
        session.run(
            "npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(CACHE / "npm"), external=True
        )
    found = [version for version in PYTHONS if find_python(version)]
    pythons = [make_python(session, version, ROOT / "requirements/report.txt", "report-") for version in found]
    environment = {"EVIDENCE_PYTHONS": os.pathsep.join(map(str, pythons))}
    session.run("pytest", *(session.posargs or ["tests/evidence"]), env=environment)


@each_core
def integration(session: nox.Session, core: str) -> None:
    """Run the integration targets of ansible-test against the emulator; arguments choose targets."""
    install(session, "integration", core=core)
    if core == min(CORES):
        # The oldest requests that is allowed goes with the oldest ansible-core.
        [oldest] = re.findall(r"^requests>=(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        session.install(f"requests=={oldest}")
    _collection, environment = copy_collection(session)
    ansible_test(session, environment, "python", "-m", "tests.integration.run", *session.posargs)


@each_combination
def compatibility(session: nox.Session, core: str) -> None:
    """Run the integration targets on one Python, with modules on Python 3.9 where this machine has it."""
    session.install(f"ansible-core=={CORES[core][0]}", f"--requirement={ROOT / 'requirements.txt'}")
    # The emulator needs a newer Python than some ansible-core do.
    options = [f"--emulator-python={make_python(session, CURRENT, ROOT / 'requirements/emulator.txt')}"]
    if find_python(OLDEST_FOR_MODULES):
        options.append(f"--module-python={make_python(session, OLDEST_FOR_MODULES, ROOT / 'requirements.txt')}")
    else:
        session.warn(f"Python {OLDEST_FOR_MODULES} was not found: modules run on that of the session alone")
    _collection, environment = copy_collection(session)
    ansible_test(session, environment, "python", "-m", "tests.integration.run", *options, *session.posargs)


@nox.session(tags=["test"])
def molecule(session: nox.Session) -> None:
    """Run the role's scenarios against the emulator."""
    install(session, "molecule")
    collection, environment = copy_collection(session)
    session.chdir(collection / "extensions")
    environment["PYTHONPATH"] = str(collection)
    session.run("molecule", "test", *(session.posargs or ["--all"]), env=environment)


@nox.session(tags=["test"])
def docs(session: nox.Session) -> None:
    """Build the guides and the plugins' documentation as HTML; a warning is an error."""
    install(session, "docs")
    collection, environment = copy_collection(session)
    render_docs(session, collection, environment)
    session.log(f"Open {BUILD / 'docs' / 'index.html'}")


@nox.session
def demo(session: nox.Session) -> None:
    """Go from an empty, emulated service to organizations that stream; with --pulsar, prove that events arrive."""
    install(session, "demo", *(["pulsar"] if "--pulsar" in session.posargs else []))
    session.run("python", "examples/demo.py", *session.posargs)


@nox.session
def recording(session: nox.Session) -> None:
    """Draw the pictures of the README into docs/images: the demo's screen, and the report of an audit (by Chromium)."""
    install(session, "recording")
    session.run("python", "docs/record_demo.py")
    session.run("python", "docs/record_audit.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the speed at fleet scale; arguments go to the program."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build the artifact into build/artifact."""
    install(session)
    _collection, environment = copy_collection(session)
    print(build_artifact(session, environment, BUILD / "artifact").relative_to(ROOT))


@nox.session
def release(session: nox.Session) -> None:
    """Turn the changelog's fragments into the entry of the version that galaxy.yml names."""
    install(session, "lint")
    session.run("antsibull-changelog", "release", *session.posargs)


@nox.session
def release_check(session: nox.Session) -> None:
    """Check that what is committed can be released as the version that galaxy.yml names."""
    install(session, "lint", "docs")
    if session.run("git", "status", "--porcelain", external=True, silent=True):
        session.error("the working tree holds changes: commit them, or put them away")
    tags = session.run("git", "tag", "--points-at", "HEAD", external=True, silent=True).split()
    collection, environment = copy_collection(session)
    [version] = re.findall(r"^version: (\S+)$", Path("galaxy.yml").read_text(), re.MULTILINE)
    if set(tags) - {version}:
        session.error(f"the commit has the tag {' '.join(tags)}, and galaxy.yml the version {version}")
    if f"\n  {version}:\n" not in Path("changelogs/changelog.yaml").read_text():
        session.error(
            f"the changelog has no entry for {version}: run `antsibull-changelog release` and commit its changes"
        )
    if fragments := sorted(path.name for path in Path("changelogs/fragments").glob("*")):
        session.error(f"changelogs/fragments still holds {', '.join(fragments)}: they belong to a version of their own")
    session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml", env=environment)
    session.run("antsibull-changelog", "generate", env=environment)
    if Path("CHANGELOG.md").read_text() != (ROOT / "CHANGELOG.md").read_text():
        session.error("CHANGELOG.md is not what changelogs/changelog.yaml gives: undo what was changed by hand")
    render_docs(session, collection, environment)
    artifact = build_artifact(session, environment, BUILD / "artifact")
    check_artifact(session, environment, artifact)
    print(f"Ready to be released as {version}: {artifact.relative_to(ROOT)}")
