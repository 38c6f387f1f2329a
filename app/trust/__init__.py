"""What the cluster's trust rests on: keys, signed tokens, certificates. No files but those it is told of, no network."""
