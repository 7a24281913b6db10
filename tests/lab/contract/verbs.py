"""What a lab's node and a real host may differ in, one row each, with the reason; every other verb and element agrees."""

from __future__ import annotations

POOL = "the lab's engine keeps the storage pool and who is its SPM in its own books"
OVF = "the lab keeps no OVF store: it imports disks, not VMs"
WATCHING = "statistics that the lab's engine does not show"

NOT_IN_LAB: dict[str, str] = {
    "Host.dumpxmls": "asked for when a VM's hash changes; the lab's node tells no hash",
    "Host.getAllTasksInfo": "asked for when a pool comes up. " + POOL,
    "Host.getAllVmIoTunePolicies": "MOM's, not the engine's",
    "Host.getDeviceList": "block storage",
    "Host.getStorageRepoStats": "MOM's, not the engine's; a real host refused it",
    "Host.hostdevListByCaps": "devices of the host for pass-through",
    "Host.setMOMPolicyParameters": "memory policy of the cluster",
    "StorageDomain.activate": POOL,
    "StorageDomain.attach": POOL,
    "StorageDomain.deactivate": POOL,
    "StorageDomain.detach": POOL,
    "StoragePool.connect": POOL,
    "StoragePool.create": POOL,
    "StoragePool.destroy": POOL,
    "StoragePool.disconnect": POOL,
    "StoragePool.getInfo": POOL,
    "StoragePool.getSpmStatus": POOL,
    "StoragePool.spmStart": POOL,
    "StoragePool.spmStop": POOL,
    "VM.getExternalData": "NVRAM and TPM are not kept",
    "VM.hibernate": "the lab's hosts cannot save a VM's memory: the engine is refused, and goes on running the VM",
    "VM.hotplugNic": "VMs of the lab have no network",
    "VM.updateDevice": "consoles are out of scope",
    "Volume.copy": "templates beyond Blank are out of scope",
    "Volume.getQemuImageInfo": "images of the lab are raw",
    "Volume.setDescription": OVF,
}
"""Verbs that the recorded engine used and the lab does not know."""

LEFT_OUT: tuple[tuple[str, str, str], ...] = (
    (
        "Host.getCapabilities",
        (
            "additionalFeatures[] cd_change_pdiv clearBitmapsEnabled coldBackupEnabled connector_info kernelFeatures "
            "hostedEngineDeployed nestedVirtualization openstack_binding_host_ids ovnConfigured tscFrequency tscScaling "
            "nameservers[] numaNodes.*.hugepages"
        ),
        "optional for the engine: without it the function is off, or its default is meant",
    ),
    (
        "Host.getCapabilities",
        (
            "deferred_preallocation hugepages lastClient liveMerge liveSnapshot mailbox_events management_ip "
            "measure_active measure_subchain qemu_image_info_bitmaps realtimeKernel refresh_disk_supported "
            "replicate_extend zerocopy_migrations networks.*.bootproto"
        ),
        "the engine does not read it",
    ),
    (
        "Host.getStats",
        (
            "cpuSysVdsmd cpuUserVdsmd generationID haScore haStats hostQos hugepages ksmMergeAcrossNodes memAvailable "
            "memCommitted memUsed multipathHealth numaNodeMemFree rxRate txRate statsAge timeOffset v2vJobs"
        ),
        WATCHING,
    ),
    (
        "Host.getAllVmStats VM.create",
        (
            "appsList balloonInfo cpuUsage devices disks disksUsage displayIp displayPort displaySecurePort displayType "
            "displayInfo[] guestCPUCount guestFQDN guestIPs hash ioTune memoryStats network pid username vcpuCount "
            "vcpuPeriod vcpuQuota xml"
        ),
        "no guest agent, no console, no network in a VM of the lab; without a hash the engine asks for no domain",
    ),
)
"""Elements of answers that the lab leaves out, with all that is below them: verbs, elements, why."""
