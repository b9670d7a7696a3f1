"""Who the caller is: bearer tokens from files or from an issuer."""
