//! End-to-end tests of the program; the tests stand in `tests/`.
