//! Lines in, a file of them out, many written at once.

use std::fs::File;
use std::io::{self, Write as _};

/// Bytes that are written at once: the system takes them for half of what eight pages of an eighth cost it.
const PAGE: usize = 64 * 1024;

/// Room for the rest of the line that fills a page.
const MARGIN: usize = 4 * 1024;

/// A file that lines are added to. Lines that still wait are written when it goes.
pub(super) struct Pages {
    file: File,
    /// The lines that wait, and what there is of the next.
    text: String,
    failure: Option<io::Error>,
}

impl Pages {
    /// Adds to a file from where it stands.
    pub(super) fn of(file: File) -> Self {
        Self {
            file,
            text: String::with_capacity(PAGE + MARGIN),
            failure: None,
        }
    }

    /// Where the next line is put, without a line break.
    pub(super) const fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Ends the line; it may wait.
    #[inline]
    pub(super) fn end_line(&mut self) {
        self.text.push('\n');
        if self.text.len() >= PAGE {
            self.write_out();
        }
    }

    /// Hands everything to the system. A file that could not be written once is let be.
    pub(super) fn write_out(&mut self) {
        if self.failure.is_none() && !self.text.is_empty() {
            self.failure = self.file.write_all(self.text.as_bytes()).err();
        }
        self.text.clear();
        // The first line may be very long, and nobody needs so much room again.
        self.text.shrink_to(PAGE + MARGIN);
    }

    /// Writes out what waits, and says why the file is not whole when it is not.
    pub(super) fn close(mut self) -> Option<io::Error> {
        self.write_out();
        self.failure.take()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // Of a line that was not ended nobody has seen yet whether a secret is in it.
        let whole = self.text.rfind('\n').map_or(0, |end| end + 1);
        self.text.truncate(whole);
        self.write_out();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn put(pages: &mut Pages, line: &str) {
        pages.text().push_str(line);
        pages.end_line();
    }

    #[test]
    fn lines_wait_for_a_full_page_and_are_all_there_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let written = || std::fs::read_to_string(&path).unwrap();
        let mut pages = Pages::of(File::create(&path).unwrap());
        put(&mut pages, "first");
        assert_eq!(written(), "");
        put(&mut pages, &"x".repeat(3 * PAGE));
        assert_eq!(written().lines().count(), 2);
        assert_eq!(pages.text.capacity(), PAGE + MARGIN);
        put(&mut pages, "second");
        pages.write_out();
        assert!(written().ends_with("\nsecond\n"));
        put(&mut pages, "last");
        pages.text().push_str("not ended");
        drop(pages);
        assert!(written().ends_with("\nsecond\nlast\n"));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_once_and_takes_no_memory() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut pages = Pages::of(full);
        put(&mut pages, "first");
        pages.write_out();
        for _ in 0..100 {
            put(&mut pages, &"x".repeat(PAGE / 8));
        }
        assert!(pages.text.capacity() <= 2 * PAGE);
        let failure = pages.close().unwrap();
        assert_eq!(failure.kind(), io::ErrorKind::StorageFull);
    }
}
