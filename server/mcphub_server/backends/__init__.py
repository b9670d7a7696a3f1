"""The databases: one package a kind, and what watches over all of them."""
