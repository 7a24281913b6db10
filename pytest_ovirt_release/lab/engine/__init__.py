"""The lab's engine: REST API v4, SSO, the unauthenticated services, and their state machines.

What it answers, in which order and how slowly, follows what was recorded from a real engine.
"""
