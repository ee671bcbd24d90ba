"""What we know, as data: one small file each, found by its name, with its proof in the tests."""
