"""The API of webhooks."""

READ, WRITE = "webhooks:read", "webhooks:write"
