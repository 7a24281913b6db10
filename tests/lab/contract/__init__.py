"""The lab held against what a real ovirt-engine answered: facts derived from recordings, replayed in order."""
