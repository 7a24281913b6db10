"""Collections of which the lab has nothing: empty ones, and those with which the engine itself has trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, nothing
from pytest_ovirt_release.lab.engine.fault import (
    BAD_REQUEST,
    Fault,
    NoSuchObject,
    Page,
    incomplete,
    not_implemented,
)
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

EMPTY = {
    "affinitylabels": "affinity_labels",
    "bookmarks": "bookmarks",
    "externalhostproviders": "external_host_providers",
    "openstackimageproviders": "openstack_image_providers",
    "openstacknetworkproviders": "openstack_network_providers",
    "vmpools": "vm_pools",
}
"""Collections that nobody has put anything into, and the element they answer."""

NO_ERRATA = (
    "The engine is not associated with a Foreman/Satellite provider. No errata for the engine are available."
)
NO_CINDER = (
    "<html><head><title>ERROR</title></head><body><pre>java.lang.RuntimeException: org.jboss.resteasy.spi."
    "UnhandledException: java.lang.UnsupportedOperationException: Cinder integration replaced by Managed Block "
    "Storage.\nPlease use Managed Block Storage for creating Cinderlib based storage domain.</pre></body></html>"
)


async def get_nothing(_core: Core, _call: Call) -> Reply:
    """GET of an object in a collection that is empty."""
    raise NoSuchObject


async def list_errata(_core: Core, _call: Call) -> Reply:
    """GET /katelloerrata: refused, as there is no provider of errata."""
    raise Fault(BAD_REQUEST, NO_ERRATA)


async def list_volume_providers(_core: Core, _call: Call) -> Reply:
    """GET /openstackvolumeproviders: the engine fails, and shows where."""
    raise Page(500, NO_CINDER)


async def add_connection(_core: Core, call: Call) -> Reply:
    """POST /storageconnections: only what the engine misses; the lab's connections come with their domains."""
    if call.body.text("type") is None:
        raise incomplete("StorageConnection", ["type"])
    raise not_implemented(f"POST {call.path}")


BLANK_HAS_NO = {
    "diskattachments": "disk_attachments",
    "mediateddevices": "vm_mediated_devices",
    "nics": "nics",
    "watchdogs": "watchdogs",
}
"""What the template Blank has none of, and the element that is answered."""

ROUTES = (
    *(Route("GET", f"templates/*/{path}", nothing(tag)) for path, tag in BLANK_HAS_NO.items()),
    *(Route("GET", path, nothing(tag)) for path, tag in EMPTY.items()),
    *(Route("GET", f"{path}/*", get_nothing) for path in EMPTY),
    Route("GET", "katelloerrata", list_errata),
    Route("GET", "openstackvolumeproviders", list_volume_providers),
    Route("POST", "storageconnections", add_connection, "storage_connection"),
)
