//! Texts of squares in, a row of the grid, line by line, out.

use comfy_table::{Table, presets};

use super::grid::fixed;

/// Squares side by side: one row of the grid.
#[derive(Default)]
pub(super) struct Band {
    /// From left to right.
    pub(super) squares: Vec<Square>,
}

/// One square of the grid: its lines, each as wide as its column.
#[derive(Default)]
pub(super) struct Square {
    width: usize,
    /// The lines, one after the other.
    text: String,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Band {
    /// Lays squares of these widths side by side; what room they had they keep.
    pub(super) fn lay(&mut self, widths: &[usize]) {
        self.squares.resize_with(widths.len(), Square::default);
        for (square, width) in self.squares.iter_mut().zip(widths) {
            square.width = *width;
        }
    }

    /// Empties the squares.
    pub(super) fn clear(&mut self) {
        for square in &mut self.squares {
            square.text.clear();
            square.ends.clear();
        }
    }

    /// Puts the row, with a border between squares, before the first and after the last.
    pub(super) fn draw(&self, text: &mut String) {
        let height = self.squares.iter().map(|square| square.ends.len()).max();
        for line in 0..height.unwrap_or_default() {
            text.push_str("│ ");
            for square in &self.squares {
                square.draw(line, text);
                text.push_str(" │ ");
            }
            // No blank stands after the last border.
            text.pop();
            text.push('\n');
        }
    }
}

impl Square {
    /// Takes a line of text, in as many lines as it needs.
    pub(super) fn put(&mut self, line: &str) {
        if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.put_line(|text| {
                text.push_str(line);
                line.len()
            });
        } else {
            self.wrap(line);
        }
    }

    /// Takes a line that is put at the end of a text by who says how many columns it takes.
    pub(super) fn put_line(&mut self, put: impl FnOnce(&mut String) -> usize) {
        let start = self.text.len();
        let columns = put(&mut self.text);
        if columns > self.width {
            let line = self.text.split_off(start);
            return self.wrap(&line);
        }
        push_blanks(&mut self.text, self.width - columns);
        self.ends.push(self.text.len());
    }

    fn wrap(&mut self, line: &str) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.add_row([line]);
        table.set_constraints([fixed(self.width)]);
        for column in table.column_iter_mut() {
            column.set_padding((0, 0));
        }
        for line in table.lines() {
            self.text.push_str(&line);
            self.ends.push(self.text.len());
        }
    }

    fn draw(&self, line: usize, text: &mut String) {
        let start = line
            .checked_sub(1)
            .map_or(Some(&0), |before| self.ends.get(before));
        match start.zip(self.ends.get(line)) {
            Some((start, end)) => text.push_str(&self.text[*start..*end]),
            None => push_blanks(text, self.width),
        }
    }
}

/// Puts a line from one side of the grid to the other.
pub(super) fn rule(text: &mut String, widths: &[usize], [left, between, right]: [char; 3]) {
    let mut corner = left;
    for width in widths {
        text.push(corner);
        push_repeated(text, LINE, width + 2);
        corner = between;
    }
    text.push(right);
    text.push('\n');
}

const BLANKS: &str = "                                                                ";
const LINE: &str = "────────────────────────────────────────────────────────────────";

/// Puts so many blanks.
#[inline]
pub(super) fn push_blanks(text: &mut String, count: usize) {
    push_repeated(text, BLANKS, count);
}

/// Puts a character so many times, of which there are some in `run`.
#[inline]
fn push_repeated(text: &mut String, run: &str, count: usize) {
    let bytes = run.chars().next().map_or(1, char::len_utf8);
    let mut left = count * bytes;
    while left > run.len() {
        text.push_str(run);
        left -= run.len();
    }
    if left > 0 {
        text.push_str(&run[..left]);
    }
}
