"""The API of the labelling desk, a module for each resource."""

READ, WRITE = "examples:read", "examples:write"
