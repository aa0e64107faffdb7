"""The API of the catalog, of what customers did, and of what they are offered."""
