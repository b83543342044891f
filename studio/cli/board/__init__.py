"""`trimtab board …`: the boards, and what runs on them."""
