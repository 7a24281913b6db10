"""The units of which scheduling policies are made: filters, weights and load balancers that come with the engine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Unit:
    """One unit; the two selectors have no type."""

    id: str
    name: str
    type: str
    description: str
    properties: tuple[str, ...] = ()


PROPERTIES = {
    "MinFreeMemoryForUnderUtilized": r"^([1-9][0-9]*)$",
    "HighUtilization": r"^([5-9][0-9])$",
    "CpuOverCommitDurationMinutes": r"^([1-9][0-9]*)$",
    "VCpuToPhysicalCpuRatio": r"^([0-2](\.([0-9]+))?)$",
    "MaxFreeMemoryForOverUtilized": r"^([1-9][0-9]*)$",
    "HostsInReserve": r"^[0-9][0-9]*$",
    "LowUtilization": r"^([0-9]|[1-4][0-9])$",
    "EnableAutomaticHostPowerManagement": r"^(true|false)$",
    "HeSparesCount": r"^([0-9][0-9]*)$",
    "MaximumAllowedSwapUsage": r"^1?[0-9]?[0-9]$",
    "HighVmCount": r"^([0-9]|[1-9][0-9]+)$",
    "SpmVmGrace": r"^([0-9]|[1-9][0-9]+)$",
    "MigrationThreshold": r"^([2-9]|[1-9][0-9]+)$",
    "ScaleDown": r"(100|[1-9]|[1-9][0-9])$",
}
"""What the value of each property must look like."""


def _read() -> tuple[Unit, ...]:
    table = (files(__package__) / "scheduling_units.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return tuple(Unit(id_, name, type_, text, tuple(names.split())) for id_, name, type_, names, text in rows)


UNITS = _read()
