//! Runs the in-file tests of a policy set and says what no test reached.
