"""The command line: options in, one call of `run`, `ask` or `schedule`, messages and exit codes out."""

from __future__ import annotations

import logging
import os

import click

from procmon import __version__
from procmon.cli.baseline import baseline_group
from procmon.cli.common import Group
from procmon.cli.explaining import explain_command
from procmon.cli.questions import doctor_command, query_command, show_command
from procmon.cli.work import (
    batch_group,
    demo_command,
    ingest_command,
    init_command,
    load_command,
    mapping_group,
    report_command,
    run_command,
    schedule_command,
    send_command,
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="procmon")
def main() -> None:
    """How long administrative procedures take, and whether that has fallen.

    Results go to stdout, words to stderr. Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 done but --fail-on found
    something, 10 settings, 11 no usable input, 12 store, 13 not delivered, 14 another run holds the lock.

    \b
    Example:
      procmon demo
    """
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


for command in (
    init_command,
    demo_command,
    load_command,
    mapping_group,
    ingest_command,
    batch_group,
    run_command,
    baseline_group,
    report_command,
    send_command,
    schedule_command,
    show_command,
    query_command,
    explain_command,
    doctor_command,
):
    main.add_command(command)
