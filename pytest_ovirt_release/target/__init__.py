"""What is under test: the target file, the engine, its nodes and storage, and how to recognise a lab."""
