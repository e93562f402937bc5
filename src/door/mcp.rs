//! A tool call in, observation out: both eras, sessions.
