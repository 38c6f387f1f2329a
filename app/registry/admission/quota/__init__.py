"""ResourceQuota: exact, however many processes create at the same time."""
