"""Where pods go: filters, scores, placement. Pure."""
