"""The first schema: the registry in versions, the ledger.

Revision ID: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_open(table: str, key: Sequence[str]) -> None:
    """At most one open row a key."""
    is_open = sa.text("closed_load_id IS NULL")
    op.create_index(f"uq_{table}_open", table, list(key), unique=True, sqlite_where=is_open, postgresql_where=is_open)


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "baselines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("baseline_from", sa.Date(), nullable=False),
        sa.Column("baseline_to", sa.Date(), nullable=False),
        sa.Column("lake_version", sa.Integer(), nullable=False),
        sa.Column("batches", sa.Text(), nullable=False),
        sa.Column("registry_version", sa.Integer(), nullable=False),
        sa.Column("calendar_version", sa.Text(), nullable=False),
        sa.Column("program_version", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("n_dossiers", sa.Integer(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("log_begins_on", sa.Date(), nullable=True),
        sa.Column("p99_days", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_baselines"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("exported_at", INSTANT, nullable=True),
        sa.Column("n_read", sa.Integer(), nullable=False),
        sa.Column("n_stored", sa.Integer(), nullable=False),
        sa.Column("n_repeated", sa.Integer(), nullable=False),
        sa.Column("n_amended", sa.Integer(), nullable=False),
        sa.Column("n_refused", sa.Integer(), nullable=False),
        sa.Column("lake_version", sa.Integer(), nullable=True),
        sa.Column("retracted_at", INSTANT, nullable=True),
        sa.Column("retracted_why", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_sha256", "batches", ["sha256"])
    op.create_table(
        "loads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("n_added", sa.Integer(), nullable=False),
        sa.Column("n_changed", sa.Integer(), nullable=False),
        sa.Column("n_closed", sa.Integer(), nullable=False),
        sa.Column("n_left", sa.Integer(), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_loads"),
    )
    op.create_table(
        "announced",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("procedure_id", sa.Text(), nullable=False),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_announced_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_announced_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_announced"),
    )
    one_open("announced", ["procedure_id", "announced_on"])
    op.create_table(
        "batch_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_changes_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batch_changes"),
    )
    op.create_index("ix_batch_changes_batch_id", "batch_changes", ["batch_id"])
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("calendar_id", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_calendar_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_calendar_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar"),
    )
    one_open("calendar", ["calendar_id", "on"])
    op.create_table(
        "opening_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("calendar_id", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_opening_hours_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_opening_hours_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_opening_hours"),
    )
    one_open("opening_hours", ["calendar_id", "unit_id", "weekday", "valid_from"])
    op.create_table(
        "procedures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("procedure_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("limit_amount", sa.Text(), nullable=False),
        sa.Column("limit_unit", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("supplement", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("late_receipt", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_procedures_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_procedures_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_procedures"),
    )
    one_open("procedures", ["procedure_id", "valid_from"])
    op.create_table(
        "recipients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_recipients_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_recipients_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recipients"),
    )
    one_open("recipients", ["email", "audience", "scope"])
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("lake_version", sa.Integer(), nullable=True),
        sa.Column("batches", sa.Text(), nullable=False),
        sa.Column("registry_version", sa.Integer(), nullable=False),
        sa.Column("calendar_version", sa.Text(), nullable=False),
        sa.Column("program_version", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("baseline_id", sa.Integer(), nullable=True),
        sa.Column("n_dossiers", sa.Integer(), nullable=False),
        sa.Column("repeat_of", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["baseline_id"], ["baselines.id"], name="fk_runs_baseline_id"),
        sa.ForeignKeyConstraint(["repeat_of"], ["runs.id"], name="fk_runs_repeat_of"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_table(
        "successions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("old_unit_id", sa.Text(), nullable=False),
        sa.Column("new_unit_id", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("extent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_successions_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_successions_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_successions"),
    )
    one_open("successions", ["old_unit_id", "new_unit_id", "effective_on"])
    op.create_table(
        "targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("reduction", sa.Double(), nullable=False),
        sa.Column("baseline_from", sa.Date(), nullable=False),
        sa.Column("baseline_to", sa.Date(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_targets_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_targets_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_targets"),
    )
    one_open("targets", ["name"])
    op.create_table(
        "units",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("closed_load_id", sa.Integer(), nullable=True),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_unit_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["closed_load_id"], ["loads.id"], name="fk_units_closed_load_id"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_units_load_id"),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
    )
    one_open("units", ["unit_id", "valid_from"])
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("previous_run_id", sa.Integer(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Double(), nullable=True),
        sa.Column("after", sa.Double(), nullable=True),
        sa.Column("batches", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["previous_run_id"], ["runs.id"], name="fk_corrections_previous_run_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_corrections_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_index("ix_corrections_run_id", "corrections", ["run_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("mime", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("n_attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_deliveries_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "email",
            "audience",
            "scope",
            "schedule",
            "period",
            name="uq_deliveries_email_audience_scope_schedule_period",
        ),
        sa.UniqueConstraint("key", name="uq_deliveries_key"),
    )
    op.create_index("ix_deliveries_run_id", "deliveries", ["run_id"])
    op.create_table(
        "figures",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("rule_set", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("scope_id", sa.Text(), nullable=True),
        sa.Column("period_from", sa.Date(), nullable=True),
        sa.Column("period_to", sa.Date(), nullable=True),
        sa.Column("numerator", sa.Double(), nullable=True),
        sa.Column("denominator", sa.Double(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("lower", sa.Double(), nullable=True),
        sa.Column("upper", sa.Double(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.Column("n_baseline", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_figures_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_figures"),
    )
    op.create_index("ix_figures_run_id", "figures", ["run_id"])
