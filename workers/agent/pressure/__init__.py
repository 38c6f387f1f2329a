"""What a machine may run short of, and which pods go then."""
