"""Which paths the real API has: the border between "not implemented by this lab" (501) and "no such path" (404)."""

from __future__ import annotations

ROOT = [
    "clusters",
    "datacenters",
    "events",
    "hosts",
    "networks",
    "roles",
    "storagedomains",
    "tags",
    "bookmarks",
    "icons",
    "templates",
    "instancetypes",
    "users",
    "groups",
    "domains",
    "vmpools",
    "vms",
    "disks",
    "jobs",
    "storageconnections",
    "vnicprofiles",
    "diskprofiles",
    "cpuprofiles",
    "schedulingpolicyunits",
    "schedulingpolicies",
    "permissions",
    "macpools",
    "networkfilters",
    "operatingsystems",
    "externalhostproviders",
    "openstackimageproviders",
    "openstackvolumeproviders",
    "openstacknetworkproviders",
    "katelloerrata",
    "affinitylabels",
    "clusterlevels",
    "imagetransfers",
    "externalvmimports",
    "externaltemplateimports",
]
"""The collections that the API's root links to, in its order."""

SEARCHABLE = frozenset(
    [
        "clusters",
        "datacenters",
        "events",
        "hosts",
        "networks",
        "storagedomains",
        "templates",
        "instancetypes",
        "users",
        "groups",
        "vmpools",
        "vms",
        "disks",
    ]
)

HIDDEN = frozenset({"options"})
"""Collections that are not linked and cannot be listed; what is in them can be asked for by name."""

POST_ONLY = frozenset({"externalvmimports", "externaltemplateimports"})
"""Collections that are linked and cannot be listed either."""

HOST_ACTIONS = (
    "install activate deactivate approve commitnetconfig enrollcertificate fence forceselectspm iscsidiscover "
    "discoveriscsi iscsilogin unregisteredstoragedomainsdiscover upgradecheck upgrade setupnetworks "
    "syncallnetworks copyhostnetworks refresh"
)
HOST_LINKS = (
    "fenceagents devices hooks nics numanodes storage networkattachments storageconnectionextensions "
    "unmanagednetworks externalnetworkproviderconfigurations cpuunits katelloerrata permissions tags "
    "affinitylabels statistics"
)
VM_ACTIONS = (
    "cancelmigration commitsnapshot clone freezefilesystems logon maintenance previewsnapshot "
    "autopincpuandnumanodes reordermacaddresses thawfilesystems undosnapshot screenshot ticket migrate reboot "
    "shutdown start stop suspend reset export detach"
)
VM_LINKS = (
    "diskattachments cdroms mediateddevices snapshots applications nics numanodes watchdogs graphicsconsoles "
    "hostdevices reporteddevices sessions backups checkpoints katelloerrata permissions tags affinitylabels "
    "statistics"
)
DISK_ACTIONS = "sparsify copy export move refreshlun convert reduce"
DISK_LINKS = "disksnapshots permissions statistics"
DATA_CENTER_ACTIONS = "setmaster cleanfinishedtasks"
DATA_CENTER_LINKS = "quotas qoss iscsibonds clusters networks storagedomains permissions"
CLUSTER_ACTIONS = "resetemulatedmachine syncallnetworks refreshglusterhealstatus upgrade"
CLUSTER_LINKS = (
    "affinitygroups glusterhooks glustervolumes enabledfeatures externalnetworkproviders cpuprofiles "
    "networkfilters networks permissions"
)
DOMAIN_ACTIONS = "isattached refreshluns reduceluns updateovfstore"
DOMAIN_LINKS = "disksnapshots diskprofiles disks storageconnections permissions templates vms"
ISO_LINKS = "disksnapshots diskprofiles storageconnections permissions files"
ATTACHED_ACTIONS = "activate deactivate"
ATTACHED_LINKS = "disks"
TRANSFER_ACTIONS = "cancel extend finalize pause resume"
JOB_ACTIONS = "clear end"
JOB_LINKS = "steps"
TEMPLATE_ACTIONS = "export"
TEMPLATE_LINKS = "diskattachments cdroms nics watchdogs graphicsconsoles mediateddevices permissions tags"
NETWORK_LINKS = "permissions vnicprofiles networklabels"

BELOW = {
    "hosts": HOST_ACTIONS + " " + HOST_LINKS,
    "vms": VM_ACTIONS + " " + VM_LINKS,
    "disks": DISK_ACTIONS + " " + DISK_LINKS,
    "datacenters": DATA_CENTER_ACTIONS + " " + DATA_CENTER_LINKS,
    "clusters": CLUSTER_ACTIONS + " " + CLUSTER_LINKS,
    "storagedomains": DOMAIN_ACTIONS + " " + DOMAIN_LINKS + " files images",
    "imagetransfers": TRANSFER_ACTIONS,
    "jobs": JOB_ACTIONS + " " + JOB_LINKS,
    "templates": TEMPLATE_ACTIONS + " " + TEMPLATE_LINKS,
    "networks": NETWORK_LINKS,
    "events": "undelete",
}
"""What stands below one object of a collection; collections not named here are taken as they come."""

ACTIONS = {
    "hosts": HOST_ACTIONS,
    "vms": VM_ACTIONS,
    "disks": DISK_ACTIONS,
    "datacenters": DATA_CENTER_ACTIONS,
    "clusters": CLUSTER_ACTIONS,
    "storagedomains": DOMAIN_ACTIONS,
    "imagetransfers": TRANSFER_ACTIONS,
    "jobs": JOB_ACTIONS,
}

COLLECTION_METHODS = "HEAD, POST, GET, OPTIONS"
OBJECT_METHODS = "HEAD, DELETE, GET, OPTIONS, PUT"
ACTION_METHODS = "POST, OPTIONS"
ROOT_METHODS = "HEAD, GET, OPTIONS"
REMOVED_ONLY_METHODS = "HEAD, DELETE, GET, OPTIONS"

READ_ONLY = frozenset(
    [
        "clusterlevels",
        "clusterlevels/*",
        "clusterlevels/*/clusterfeatures",
        "clusters/*/externalnetworkproviders",
        "clusters/*/glusterhooks",
        "disks/*/disksnapshots",
        "disks/*/statistics",
        "domains",
        "domains/*",
        "domains/*/groups",
        "domains/*/users",
        "groups/*/roles",
        "hosts/*/cpuunits",
        "hosts/*/devices",
        "hosts/*/externalnetworkproviderconfigurations",
        "hosts/*/hooks",
        "hosts/*/katelloerrata",
        "hosts/*/nics",
        "hosts/*/numanodes",
        "hosts/*/statistics",
        "hosts/*/storage",
        "hosts/*/unmanagednetworks",
        "icons",
        "icons/*",
        "imagetransfers/*",
        "jobs/*",
        "katelloerrata",
        "katelloerrata/*",
        "networkfilters",
        "networkfilters/*",
        "operatingsystems",
        "operatingsystems/*",
        "options/*",
        "schedulingpolicyunits",
        "storagedomains/*/files",
        "storagedomains/*/images",
        "storagedomains/*/templates",
        "storagedomains/*/vms",
        "templates/*/cdroms",
        "templates/*/diskattachments",
        "users/*/groups",
        "vms/*/applications",
        "vms/*/checkpoints",
        "vms/*/reporteddevices",
        "vms/*/sessions",
        "vms/*/statistics",
    ]
)
"""Paths of which the API's description knows only how to read them."""

REMOVED_ONLY = frozenset(["events/*", "groups/*", "permissions/*", "schedulingpolicyunits/*"])
"""Objects that can be removed and not updated."""


def exists(parts: tuple[str, ...]) -> bool:
    """Return whether the real API has a path of this shape."""
    if not parts:
        return True
    if parts[0] not in ROOT and (parts[0] not in HIDDEN or len(parts) == 1):
        return False
    below = BELOW.get(parts[0])
    return len(parts) <= 2 or below is None or parts[2] in below.split()  # noqa: PLR2004 - collection, id, below


def methods(parts: tuple[str, ...]) -> str:
    """Return the methods that a path of this shape takes, as the header Allow lists them."""
    if not parts:
        return ROOT_METHODS
    if parts[0] in POST_ONLY:
        return ACTION_METHODS
    pattern = "/".join("*" if place % 2 else part for place, part in enumerate(parts))
    if pattern in READ_ONLY:
        return ROOT_METHODS
    if pattern in REMOVED_ONLY:
        return REMOVED_ONLY_METHODS
    if len(parts) % 2:
        is_action = len(parts) > 1 and parts[-1] in ACTIONS.get(parts[0], "").split()
        is_action = is_action or (parts[0] == "datacenters" and parts[-1] in ATTACHED_ACTIONS.split())
        return ACTION_METHODS if is_action else COLLECTION_METHODS
    return OBJECT_METHODS
