"""The pages, one module each. `workbench.workbench` gives them their addresses."""
