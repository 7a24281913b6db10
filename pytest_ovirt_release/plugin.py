"""pytest hooks: glue only, no decisions."""
