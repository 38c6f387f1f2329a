"""What a verb does to a kind: defaulting, validation, admission, patch, conflict. No HTTP."""
