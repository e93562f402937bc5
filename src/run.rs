//! Plan in, ordered events out: sign in, find the doors, call, read back, clean up, judge.

pub mod event;

pub use event::Event;
