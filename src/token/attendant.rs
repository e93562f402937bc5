//! Words for the person at the terminal in, whether somebody is there out.

use std::fmt;

/// Speaks to the person at the terminal, for rooms that may not.
pub trait Attendant: fmt::Debug + Send + Sync {
    /// Why nobody can be asked; `None` when somebody is there.
    fn absent(&self) -> Option<&str>;

    /// Tells something in whole sentences. Parts of it may be a provider's words: they are to be cleaned before they are shown.
    fn tell(&self, words: &str);

    /// Opens a page in a browser, where the user wants that.
    fn open(&self, url: &str);
}

/// Where nobody is.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Attendant for Nobody {
    fn absent(&self) -> Option<&str> {
        Some("nobody is there to be asked")
    }

    fn tell(&self, _: &str) {}

    fn open(&self, _: &str) {}
}
