"""What a release asks for: page, candidate, timeline, components, signers, gaps."""
