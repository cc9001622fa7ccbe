"""The operator API, the dispatch cycle and the register."""
