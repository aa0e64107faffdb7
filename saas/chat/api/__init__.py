"""The API of chat, a module for each resource."""

READ, WRITE = "knowledge:read", "knowledge:write"
