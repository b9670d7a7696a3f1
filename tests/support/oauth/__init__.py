"""A real authorization server (oidc-provider), and a person who signs in to it."""
