"""The lab's engine: REST API v4, SSO, the unauthenticated services, and their state machines."""
