"""The document, its journal, and where both are kept."""
