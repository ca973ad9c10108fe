"""The project's words, on a fresh machine with nothing but Python 3.11 or newer.

    python3 run.py demo     make a small film project, pack it, verify it, render it, describe it
    python3 run.py demo --serve    and show all of it in the dashboard
    python3 run.py test     run every test
    python3 run.py check    format, lint, types, imports, docs, then every test
    python3 run.py fix      format, mend what the linter can mend, write the reference pages
    python3 run.py bench    measure against peers:  python3 run.py bench package
    python3 run.py serve    answer by HTTP on this machine

What follows a word is passed on. The first run makes `.venv` beside this file and installs into it, by the versions
in constraints.txt; later runs install again only when those files have changed.
"""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE / os.environ.get("STORYCORE_VENV", ".venv")  # CI keeps one for each Python
BIN = HOME / ("Scripts" if os.name == "nt" else "bin")
ASK_VERSION = "import sys; print(*sys.version_info[:3])"
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def main(words: Sequence[str]) -> int:
    """Does what the first word says; gives the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before anything has checked the version
        print("StoryCore needs Python 3.11 or newer.", file=sys.stderr)
        return 2
    word = words[0] if words else ""
    rest = list(words[1:])
    actions = {"demo": demo, "test": test, "check": check, "fix": fix, "bench": bench, "serve": serve}
    if word not in actions:
        print(__doc__)
        return 0 if word in ("-h", "--help", "help") else 2
    return actions[word](rest)


def demo(rest: list[str]) -> int:
    """The demo, with what it needs."""
    install(tests=False)
    return run("-m", "storycore", "demo", *rest)


def serve(rest: list[str]) -> int:
    """The HTTP server."""
    install(tests=False)
    return run("-m", "storycore", "serve", *rest)


def test(rest: list[str]) -> int:
    """Every test, on all cores; arguments go to pytest."""
    install(tests=True)
    # One more than there are processors: tests wait for servers, programs and disks half of their time. Each one takes
    # tests that stand together, so that what a file of tests makes once is not made by several.
    workers = (os.cpu_count() or 1) + 1
    return run("-m", "pytest", "-n", str(workers), "--dist", "worksteal", *rest)


def check(rest: list[str]) -> int:
    """All that must hold before a change lands; `--without-tests` leaves the tests out."""
    install(tests=True)
    steps = (
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "ruff", "check", "."),
        ("-m", "mypy"),
        ("-c", "import sys; from importlinter.cli import lint_imports_command as c; sys.argv[1:] = []; c()"),
        ("-m", "deptry", "."),
    )
    for step in steps:
        code = run(*step)
        if code:
            return code
    if "--without-tests" in rest:
        return 0
    return test(rest)


def fix(rest: list[str]) -> int:
    """Formats, mends what the linter can mend, and writes what is made from the code anew."""
    install(tests=True)
    steps = (
        ("-m", "ruff", "check", "--fix", ".", *rest), ("-m", "ruff", "format", "."),
        ("docs/reference.py",), ("docs/monitoring.py",),
    )  # fmt: skip
    return next((code for step in steps if (code := run(*step))), 0)


def bench(rest: list[str]) -> int:
    """Measures one subject against its peers."""
    install(tests=True)
    subjects = sorted(path.stem for path in (HERE / "bench").glob("[a-z]*.py"))
    if not rest or rest[0] not in subjects:
        print(f"Say what to measure: {', '.join(subjects)}", file=sys.stderr)
        return 2
    return run(str(HERE / "bench" / f"{rest[0]}.py"), *rest[1:])


def install(*, tests: bool) -> None:
    """Makes `.venv` and installs into it, unless that has been done for these very files."""
    files = [HERE / "pyproject.toml", HERE / "constraints.txt"]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()
    mark = HOME / f"installed-{'test' if tests else 'demo'}"
    if PYTHON.exists() and mark.exists() and mark.read_text() == wanted:
        return
    print(f"Installing into {HOME} …", file=sys.stderr)
    if _version_of(PYTHON) != list(sys.version_info[:3]):  # none yet, or that of a Python since replaced
        venv.create(HOME, with_pip=True, clear=True)
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(HERE / "constraints.txt"))
    groups = _test_group() if tests else []
    code = run(*pip, "-e", f"{HERE}[demo]", *groups)
    if code:
        print("Installing failed; what pip says stands above.", file=sys.stderr)
        raise SystemExit(code)
    mark.write_text(wanted)


def _version_of(python: Path) -> list[int]:
    try:
        told = subprocess.run([python, "-c", ASK_VERSION], check=False, capture_output=True, text=True)
    except OSError:
        return []
    return [int(part) for part in told.stdout.split()]


def _test_group() -> list[str]:
    # pip learnt about dependency groups in 25.1; older ones get the names themselves.
    import tomllib

    facts = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    return list(facts["dependency-groups"]["test"])


def run(*arguments: str) -> int:
    """Runs the Python of `.venv` here, and gives its exit code."""
    try:
        return subprocess.run([str(PYTHON), *arguments], cwd=HERE, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
