"""Everything said to the engine: the official SDK behind one adapter with deadlines and errors of our own."""

from pytest_ovirt_release.checks.engine.client import Engine
from pytest_ovirt_release.checks.engine.errors import EngineFault, EngineUntrusted, WrongPassword
from pytest_ovirt_release.checks.engine.facts import Domain, Event, Host, ProductInfo, Transfer, Vm

__all__ = [
    "Domain",
    "Engine",
    "EngineFault",
    "EngineUntrusted",
    "Event",
    "Host",
    "ProductInfo",
    "Transfer",
    "Vm",
    "WrongPassword",
]
