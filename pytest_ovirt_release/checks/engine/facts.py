"""What the engine told, as plain records of ours; states are the engine's own words in lower case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class ProductInfo:
    """Name, vendor and full version of the engine."""

    name: str
    vendor: str
    version: str


@dataclass(frozen=True)
class Host:
    """A host; `uuid` (hardware) is known only once it has been up."""

    id: str
    name: str
    address: str
    status: str
    status_detail: str
    comment: str
    cluster_id: str | None
    uuid: str | None


@dataclass(frozen=True)
class Standing:
    """The data center that a cluster belongs to: id, name, and whether it is for local storage."""

    data_center_id: str
    name: str
    is_local: bool


@dataclass(frozen=True)
class Domain:
    """A storage domain as the global collection shows it, where its status is mostly hidden."""

    id: str
    name: str
    comment: str


@dataclass(frozen=True)
class Vm:
    """A VM: `host_id` only while it runs, `firmware` is bios.type (`q35_sea_bios`)."""

    id: str
    name: str
    comment: str
    status: str
    host_id: str | None
    firmware: str | None
    pinned_to: tuple[str, ...]


@dataclass(frozen=True)
class Transfer:
    """An image transfer: its phase and where the bytes go (both addresses of one daemon)."""

    id: str
    phase: str
    transfer_url: str | None
    proxy_url: str | None


@dataclass(frozen=True)
class Event:
    """One line of the engine's audit log; `index` grows, `time` is ISO 8601."""

    index: int
    code: int
    severity: str
    time: str
    text: str
    correlation: str | None
    host_id: str | None
    vm_id: str | None

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True)
class Job:
    """Something that the engine does or did for one request; the moments know their zone."""

    id: str
    description: str
    status: str
    started: datetime | None
    ended: datetime | None

    def __str__(self) -> str:
        return f"{self.status}: {self.description} ({self.id}, started {self.started}, ended {self.ended})"


@dataclass(frozen=True)
class Correlation:
    """A correlation id that this process gave a request, and when."""

    id: str
    at: datetime


def word(value: Any) -> str:  # noqa: ANN401 - any SDK enum
    """Return an enum's own word; the SDK gives None for one that it does not know."""
    return "unknown" if value is None else str(getattr(value, "value", value))


def object_id(value: Any) -> str | None:  # noqa: ANN401 - any SDK type
    """Return the id of a reference, if there is one."""
    return None if value is None else value.id


def host(value: Any) -> Host:  # noqa: ANN401
    """Read a host."""
    hardware = value.hardware_information
    return Host(
        id=value.id,
        name=value.name or "",
        address=value.address or "",
        status=word(value.status),
        status_detail=value.status_detail or "",
        comment=value.comment or "",
        cluster_id=object_id(value.cluster),
        uuid=hardware.uuid if hardware is not None else None,
    )


def vm(value: Any) -> Vm:  # noqa: ANN401
    """Read a VM."""
    policy = value.placement_policy
    hosts = (policy.hosts or []) if policy is not None else []
    return Vm(
        id=value.id,
        name=value.name or "",
        comment=value.comment or "",
        status=word(value.status),
        host_id=object_id(value.host),
        firmware=word(value.bios.type) if value.bios is not None and value.bios.type is not None else None,
        pinned_to=tuple(h.id for h in hosts),
    )


def transfer(value: Any) -> Transfer:  # noqa: ANN401
    """Read an image transfer."""
    return Transfer(value.id, word(value.phase), value.transfer_url, value.proxy_url)


def event(value: Any) -> Event:  # noqa: ANN401
    """Read an event."""
    return Event(
        index=int(value.index if value.index is not None else value.id),
        code=int(value.code or 0),
        severity=word(value.severity),
        time=value.time.isoformat() if value.time is not None else "",
        text=value.description or "",
        correlation=value.correlation_id,
        host_id=object_id(value.host),
        vm_id=object_id(value.vm),
    )
