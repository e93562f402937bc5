//! One binary for every test that looks at rolecall from outside.

mod reports;
