"""Mutation testing of the clock: one small change at a time, and some test must fail. `make mutate`, by hand.

    python tests/mutation/mutate.py [worktime] [unit_calendars] [events] [facts] [units] [dossiers] [--workers 2]

The changes to worktime.py are cosmic-ray's (it need not be installed for SQL), those to SQL are SQL_CHANGES. Each is
written into a copy of the project and tested in a fork of this process, which has imported what is slow to import.
A mutant that no test fails on must be in explained.toml, with the reason why it changes nothing; else this ends 1.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPLAINED = Path(__file__).with_name("explained.toml")
COPIED = ("procmon", "tests", "templates", "sample_logs", "docs", "pyproject.toml")
SLOW_IMPORTS = (
    "alembic", "babel", "click", "deltalake", "duckdb", "holidays.countries.vietnam", "lxml.etree",
    "numpy", "pyarrow.compute", "pyarrow.parquet", "pydantic_settings", "rich", "sqlmodel",
)  # fmt: skip
LOG = "pytest.log"
ENDLESS = "it never ended"
SECONDS = 600
"""A mutant that takes longer never ends: somebody would have noticed. It is told, as a slow machine looks like it."""

BYTES = 8 << 30
"""A mutant that wants more memory joins each row with each other, and is stopped by that: the tests need a tenth."""

CLOCK_TESTS = (
    "tests/unit/test_calendar_official_days.py",
    "tests/unit/test_worktime.py",
    "tests/property/test_clock_equals_twin.py",
)
LOG_TESTS = (
    "tests/spec",
    "tests/unit/test_measure_old_limits.py",
    "tests/unit/test_measure_days.py",
    "tests/unit/test_measure_unit_versions.py",
    "tests/unit/test_measure_order.py",
    "tests/property/test_measure_equals_twin.py",
)


@dataclass(frozen=True)
class Target:
    """A file to change, and the tests that must notice, fast ones first."""

    path: str
    tests: tuple[str, ...]


TARGETS = {
    "worktime": Target("procmon/worktime.py", CLOCK_TESTS),
    "unit_calendars": Target("procmon/unit_calendars.py", CLOCK_TESTS),
    **{name: Target(f"procmon/measure/sql/{name}.sql", LOG_TESTS) for name in ("events", "facts", "units", "dossiers")},
}


@dataclass(frozen=True)
class Mutant:
    """A file with one change in it."""

    path: str
    text: str
    tests: tuple[str, ...]
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}\n  - {self.old}\n  + {self.new}"


def mutants(target: Target) -> Iterator[Mutant]:
    """Every mutant of a file, each once, by place: what one fails on, its neighbour will (`--failed-first`)."""
    original = (ROOT / target.path).read_text(encoding="utf-8")
    changes = python_changes if target.path.endswith(".py") else sql_changes
    texts = dict.fromkeys(changes(original))
    texts.pop(original, None)
    for text in sorted(texts, key=lambda text: first_difference(original, text)):
        old, new = changed_lines(original, text)
        yield Mutant(target.path, text, target.tests, old, new)


def first_difference(one: str, other: str) -> int:
    return next(place for place, letters in enumerate(zip_longest(one, other)) if letters[0] != letters[1])


def changed_lines(before: str, after: str) -> tuple[str, str]:
    diff = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    old, new = ([line[1:].strip() for line in diff if line[0] == sign] for sign in "-+")
    return " ".join(old), " ".join(new)


# ---- changes to Python

PYTHON_CHANGES = re.compile(
    r"core/(AddNot|NumberReplacer|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ReplaceUnaryOperator_Delete_\w+|ReplaceUnaryOperator_USub_UAdd"
    r"|ZeroIterationForLoop|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_FloorDiv|FloorDiv_Mul|Mod_FloorDiv|BitOr_BitAnd|LShift_RShift))"
)


def python_changes(text: str) -> Iterator[str]:
    """cosmic-ray's mutants, without those of annotations, which are never evaluated."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    meant = without_annotations(text)
    for name in sorted(filter(PYTHON_CHANGES.fullmatch, operator_names())):
        occurrence = 0
        while (changed := mutate_code(text, get_operator(name)(), occurrence)) is not None:
            occurrence += 2 if name.endswith("NumberReplacer") else 1  # n + 1 alone, not n - 1
            if without_annotations(changed) != meant:
                yield changed


def without_annotations(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


# ---- changes to SQL

SQL_CHANGES = [
    (r"<>", "="),
    (r"<=", "<"),
    (r">=", ">"),
    (r"(?<![<>])=", "<>"),
    (r"<(?![=>])", "<="),
    (r"(?<![<-])>(?!=)", ">="),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r"\bmin_by\b", "max_by"),
    (r"\bmax_by\b", "min_by"),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bgreatest\b", "least"),
    (r"\bleast\b", "greatest"),
    (r"\blead\(", "lag("),
    (r"\blag\(", "lead("),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT DISTINCT\b", "IS DISTINCT"),
    (r"\bIS DISTINCT\b", "IS NOT DISTINCT"),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"(?<!IS )\bNOT ", ""),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bfollowing_open_day\b", "next_open_day"),
    (r" FILTER \(WHERE [^\n]*?\)(?=,| >| AS)", ""),
    (r"(?<=[ (])s\.\w+ NULLS FIRST,", ""),
    (r"'(?=\w+')", "'not "),
]
"""What stands in SQL → what is put in its place, one occurrence at a time."""

NUMBER = re.compile(r"(?<![\w'-])\d+(?![\w'-])")
COMMENT = re.compile(r"--[^\n]*")


def sql_changes(text: str) -> Iterator[str]:
    """Every occurrence outside comments of what SQL_CHANGES and NUMBER find, changed."""
    comments = [found.span() for found in COMMENT.finditer(text)]
    changes = [(re.compile(pattern), new) for pattern, new in SQL_CHANGES]
    for pattern, new in [*changes, (NUMBER, None)]:
        for found in pattern.finditer(text):
            if not any(start <= found.start() < end for start, end in comments):
                put = str(int(found.group()) + 1) if new is None else new
                yield text[: found.start()] + put + text[found.end() :]


# ---- testing


def make_copy() -> Path:
    """A copy of the project to change."""
    folder = Path(tempfile.mkdtemp(prefix="procmon-mutation-"))
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def tested(todo: Iterable[Mutant], n_workers: int) -> Iterator[tuple[Mutant, str]]:
    """Each mutant, in the order in which they are done, and what pytest said where a test failed on it."""
    free = [make_copy() for _ in range(n_workers)]
    at_work: dict[int, tuple[Mutant, Path, str]] = {}
    waiting = enumerate(todo, start=1)
    try:
        while True:
            while free and (numbered := next(waiting, None)):
                number, mutant = numbered
                folder = free.pop()
                original = (folder / mutant.path).read_text(encoding="utf-8")
                (folder / mutant.path).write_text(mutant.text, encoding="utf-8")
                os.utime(folder / mutant.path, (number, number))  # Python tells stale bytecode by whole seconds
                at_work[start_tests(folder, mutant.tests)] = mutant, folder, original
            if not at_work:
                return
            child, status = os.wait()
            mutant, folder, original = at_work.pop(child)
            (folder / mutant.path).write_text(original, encoding="utf-8")
            free.append(folder)
            said = (folder / LOG).read_text(encoding="utf-8") or "nothing was said"
            yield mutant, "" if status == 0 else ENDLESS if os.WIFSIGNALED(status) else said
    finally:
        for folder in free:
            shutil.rmtree(folder)


def start_tests(folder: Path, tests: tuple[str, ...]) -> int:
    """The number of a fork of this process that runs pytest on the copy in `folder`; it ends 0 if all hold."""
    child = os.fork()
    if child:
        return child
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    os.chdir(folder)
    sys.path[:0] = [str(folder), str(folder / "tests")]
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        words = ["-x", "--failed-first", "-q", "-n", "0", "--hypothesis-profile", "mutation"]
        code = pytest.main([*words, *tests])
    finally:
        os._exit(code)


def must_hold_unchanged(targets: Iterable[Target]) -> None:
    """A test that fails without any change would kill every mutant."""
    unchanged = [
        Mutant(target.path, (ROOT / target.path).read_text(encoding="utf-8"), target.tests, "", "")
        for target in targets
    ]
    for _, failure in tested(unchanged, 1):
        if failure:
            raise SystemExit(f"{failure}\na test fails before anything is changed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="what to change (default: all)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print the mutants and test none")
    parser.add_argument("--only", default="", metavar="REGEX", help="only what matches, before or after")
    parser.add_argument("--after", type=int, default=0, metavar="N", help="leave the first N out: to go on")
    asked = parser.parse_args()
    every = (mutant for name in asked.targets or TARGETS for mutant in mutants(TARGETS[name]))
    todo = [mutant for mutant in every if re.search(asked.only, str(mutant))][asked.after :]
    if asked.list:
        print(*todo, sep="\n")
        return 0
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    must_hold_unchanged(TARGETS[name] for name in asked.targets or TARGETS)
    explained = {(row["path"], row["new"]) for row in tomllib.loads(EXPLAINED.read_text("utf-8"))["mutant"]}
    survivors = []
    for n, (mutant, failure) in enumerate(tested(todo, asked.workers), start=1):
        if n % 25 == 0:
            print(f"{n} of {len(todo)} done", file=sys.stderr, flush=True)
        if failure == ENDLESS:
            print("never ended:", mutant, flush=True)
        elif not failure:
            is_known = (mutant.path, mutant.new) in explained
            survivors.append(is_known)
            print("explained:" if is_known else "SURVIVED:", mutant, flush=True)
    print(f"{len(todo)} mutants: {len(todo) - len(survivors)} killed, {sum(survivors)} explained,", end=" ")
    print(f"{survivors.count(False)} survived")
    return int(not all(survivors))


if __name__ == "__main__":
    sys.exit(main())
