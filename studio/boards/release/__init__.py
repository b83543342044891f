"""What a release is, how it travels, how it is proved."""
