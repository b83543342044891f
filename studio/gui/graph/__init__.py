"""The native graph view: one canvas that draws thousands of boxes without an item for each."""
