"""What tests of every level share: real databases, real servers, builders."""
