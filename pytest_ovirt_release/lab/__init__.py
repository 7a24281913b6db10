"""A small oVirt that only has to be true where we look: engine, nodes, download site, and faults on request."""
