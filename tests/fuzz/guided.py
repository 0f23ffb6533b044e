"""Inputs guided by coverage: `python tests/fuzz/guided.py`, the second half of `make fuzz`.

Atheris runs each target in a process of its own, under limits of memory and time; where one crashes, hangs or lets an
error through that is not ours, libFuzzer writes the input beside its last word, and the exit code is 1. What was found
to reach new code is kept in benchmarks/out/fuzz/, and begun with the next time.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
SHARES = {"csv": 0.25, "json": 0.25, "xes": 0.25, "excel": 0.15, "mapping": 0.1}
"""Target → share of all inputs."""
MEMORY = 6 << 30
MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None
MISSING = """\
make fuzz: atheris is not installed, so nothing was guided by coverage. It is not part of the locked environment, as it
has no build for every Python: .venv/bin/python -m pip install 'atheris>=3'"""


@click.command(help=(__doc__ or "").split("\n")[0])
@click.option("--inputs", default=100_000, show_default=True, help="inputs in all")
@click.option("--seconds", default=1200, show_default=True, help="time for each target")
@click.option("--target", type=click.Choice(list(SHARES)), hidden=True)
@click.option("--corpus", default=ROOT / "benchmarks/out/fuzz", type=click.Path(path_type=Path), help="what is kept")
@click.option("--scratch", type=click.Path(path_type=Path), hidden=True)
def main(inputs: int, seconds: int, target: str | None, corpus: Path, scratch: Path) -> None:
    if target:
        guide(target, inputs, seconds, corpus, scratch)
    try:
        import atheris  # noqa: F401
    except ImportError:
        sys.exit(MISSING)
    began, n_done = time.monotonic(), 0
    failed: list[str] = []
    for name, share in SHARES.items():
        n = round(inputs * share)
        command = [sys.executable, __file__, "--target", name, "--inputs", str(n), "--seconds", str(seconds)]
        with TemporaryDirectory(prefix="procmon-fuzz-", dir=MEMORY_DISK) as folder:
            code, said = _ended([*command, "--corpus", str(corpus), "--scratch", folder], seconds + 120)
        done = [line for line in said.splitlines() if line.startswith("Done ")]
        if code or not done:
            failed.append(name)
            print("\n".join(said.splitlines()[-40:]), file=sys.stderr)
        n_done += sum(int(line.split()[1]) for line in done)
        print(f"{name}: {'a finding' if code or not done else done[0]}", flush=True)
    seconds_taken = time.monotonic() - began
    print(f"{n_done:,} inputs guided by coverage in {seconds_taken:.0f} s: {', '.join(failed) or 'no finding'}")
    sys.exit(bool(failed))


def _ended(command: list[str], seconds: int) -> tuple[int, str]:
    """The exit code of a target, 1 where it does not end, and what libFuzzer said."""
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return 1, f"does not end within {seconds} s"
    return done.returncode, done.stderr.decode(errors="replace")


def guide(target: str, inputs: int, seconds: int, corpus: Path, scratch: Path) -> None:
    """Run one target until its inputs or seconds are used up; does not return."""
    import atheris

    with atheris.instrument_imports(include=["procmon.ingest"]):
        import tests.fuzz.outcome  # noqa: F401 - it imports all that is guided
        from tests.fuzz.inputs import WORDS

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    kept = corpus / target
    kept.mkdir(parents=True, exist_ok=True)
    seeds, words = scratch / "seeds", scratch / "words"
    seeds.mkdir()
    for number, seed in enumerate(_seeds(target)):
        (seeds / str(number)).write_bytes(seed)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS[target] if word), "ascii")
    options = [
        f"-dict={words}", f"-runs={inputs}", f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY >> 20}",
        "-max_len=65536", f"-artifact_prefix={corpus}/{target}-",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], str(kept), str(seeds), *options], _check(target, scratch))
    atheris.Fuzz()


SHEETS = ("xl/worksheets/sheet1.xml", "content.xml")


def _seeds(target: str) -> list[bytes]:
    """What is changed: of a workbook its sheet, since of a zip little but the checksums would be tried."""
    from tests.fuzz.inputs import parts_of, seeds

    if target != "excel":
        return list(seeds(target))
    return [content for book in seeds(target) for name, content in parts_of(book).items() if name in SHEETS]


def _check(target: str, folder: Path) -> Callable[[bytes], None]:
    """What is done with each input; its length decides under which mapping it is read, and without one."""
    from tests.fuzz.inputs import mappings, parts_of, seeds, zipped
    from tests.fuzz.outcome import of_mapping, of_reader

    def read(data: bytes) -> None:
        of_reader(data, choice[len(data) % len(choice)], folder)

    def read_sheet(data: bytes) -> None:
        sheet = SHEETS[b"office:" in data]
        read(zipped({**books[sheet], sheet: data}))

    def read_mapping(data: bytes) -> None:
        of_mapping(data)

    choice = (*mappings(target), None)
    books = {sheet: parts for book in seeds("excel") for sheet in SHEETS if sheet in (parts := parts_of(book))}
    return {"excel": read_sheet, "mapping": read_mapping}.get(target, read)


def _escaped(word: bytes) -> str:
    return "".join(chr(byte) if 0x20 < byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
