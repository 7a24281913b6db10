"""The lab's nodes: SSH, registration, storage with real bytes, and a hypervisor that really executes."""
