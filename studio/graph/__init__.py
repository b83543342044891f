"""The immutable model: facts, coupling groups, scopes, layout."""
