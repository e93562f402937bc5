//! The tool tested from outside: its corridor, its inputs, its outputs, its faults.

/// The law of imports.
mod corridor;
