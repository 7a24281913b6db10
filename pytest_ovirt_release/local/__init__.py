"""Programs run on this machine, each with a deadline and an end: used by checks and by the lab alike."""
