"""What users do inside running pods: commands, attaching, ports, logs."""
