//! Record and width in, the grid out: personas down, operations and their doors across, in blocks that fit.

use std::ops::Range;

use comfy_table::{ColumnConstraint, ContentLineStyle, LineStyle, Table, TableStyle, Width};

use super::paint::marker;
use crate::plan::Column;
use crate::report::mark::{Mark, heading};
use crate::report::record::Record;
use crate::report::sanitizer::excerpt;
use crate::report::wording;

/// What a column takes besides its content: a blank on either side and its border.
const FRAME: usize = 3;

/// Characters of a name or role.
const WORD: usize = 80;
/// Columns that an operation's name may add to its doors; longer names wrap.
const NAME: usize = 24;

/// Blanks before roles that stand under their persona, where there is room: often enough both have the same name.
const INDENT: usize = 2;

pub(in crate::report) const BOX: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('╭', '─', '┬', '╮'))
    .header_lines(ContentLineStyle::new('│', '│', '│'))
    .header_separator(LineStyle::new('├', '─', '┼', '┤'))
    .content_lines(ContentLineStyle::new('│', '│', '│'))
    .bottom_border(LineStyle::new('╰', '─', '┴', '╯'));

/// The grid's blocks, each a table no wider than `width` columns. An operation is broken only where it alone is too wide.
pub(super) fn blocks(record: &Record, width: usize) -> Vec<String> {
    let sheet = Sheet::of(record);
    let layouts = [
        Layout {
            stacked: false,
            gap: 2,
        },
        Layout {
            stacked: true,
            gap: 2,
        },
        Layout {
            stacked: true,
            gap: 1,
        },
    ];
    let fits = layouts.map(|layout| layout.fit(&sheet, width));
    let Some(best) = fits.into_iter().min_by_key(|fit| fit.blocks.len()) else {
        return Vec::new();
    };
    best.blocks
        .iter()
        .map(|block| best.draw(&sheet, block))
        .collect()
}

/// The grid's words, laid out nowhere yet.
struct Sheet {
    personas: Vec<(String, String)>,
    operations: Vec<Group>,
}

/// An operation with one lane a door that it has.
struct Group {
    name: String,
    lanes: Vec<Lane>,
}

/// One operation at one door: its heading's lines and one mark a persona.
struct Lane {
    heading: Vec<&'static str>,
    marks: Vec<Mark>,
    width: usize,
}

impl Sheet {
    fn of(record: &Record) -> Self {
        let matrix = record.matrix();
        let rows: Vec<usize> = (0..matrix.personas.len())
            .filter(|persona| record.has_row(*persona))
            .collect();
        let personas = rows.iter().map(|persona| {
            let row = &matrix.personas[*persona];
            let name = excerpt(row.name.as_str(), WORD).into_owned();
            let roles = wording::roles(row, |role| excerpt(role, WORD).into_owned());
            (name, roles)
        });
        let operations = matrix.operations.iter().enumerate();
        Self {
            personas: personas.collect(),
            operations: operations
                .map(|(index, column)| Group::of(record, index, column, &rows))
                .filter(|group| !group.lanes.is_empty())
                .collect(),
        }
    }
}

impl Group {
    fn of(record: &Record, operation: usize, column: &Column, rows: &[usize]) -> Self {
        let matrix = record.matrix();
        let lanes =
            (0..matrix.doors.len()).filter_map(|door| Lane::of(record, operation, door, rows));
        Self {
            name: excerpt(column.name.as_str(), WORD).into_owned(),
            lanes: lanes.collect(),
        }
    }

    /// Columns that these lanes take beside each other.
    fn inner(&self, lanes: Range<usize>, gap: usize) -> usize {
        let lanes = self.lanes[lanes].iter().map(|lane| lane.width + gap);
        lanes.sum::<usize>().saturating_sub(gap)
    }
}

impl Lane {
    fn of(record: &Record, operation: usize, door: usize, rows: &[usize]) -> Option<Self> {
        let matrix = record.matrix();
        let entries: Vec<_> = rows
            .iter()
            .map(|persona| record.entry(matrix.index(operation, door, *persona)))
            .collect();
        if entries.iter().all(Option::is_none) {
            return None;
        }
        let marks: Vec<Mark> = entries
            .iter()
            .map(|entry| entry.as_ref().map_or(Mark::ABSENT, Mark::of))
            .collect();
        let heading: Vec<_> = heading(matrix.doors[door]).split(' ').collect();
        let words = heading.iter().map(|word| word.chars().count());
        let width = words
            .chain(marks.iter().map(Mark::width))
            .max()
            .unwrap_or_default();
        Some(Self {
            heading,
            marks,
            width,
        })
    }
}

/// One way to lay the sheet out.
#[derive(Clone, Copy)]
struct Layout {
    /// Whether roles stand under the persona rather than beside it.
    stacked: bool,
    /// Blanks between two doors.
    gap: usize,
}

/// A part of an operation: its lanes from one to another.
#[derive(Clone)]
struct Piece {
    operation: usize,
    lanes: Range<usize>,
    width: usize,
}

/// A layout with the widths and blocks that it leads to.
struct Fit {
    layout: Layout,
    sides: Vec<usize>,
    blocks: Vec<Vec<Piece>>,
}

impl Layout {
    fn fit(self, sheet: &Sheet, width: usize) -> Fit {
        let sides = self.sides(sheet, width);
        let taken: usize = sides.iter().map(|side| side + FRAME).sum();
        let room = width.saturating_sub(taken + 1).max(FRAME + 1);
        let pieces: Vec<Piece> = (0..sheet.operations.len())
            .flat_map(|operation| {
                self.pieces(&sheet.operations[operation], operation, room - FRAME)
            })
            .collect();
        let least = pack(&pieces, room, usize::MAX);
        // As many blocks, but of like size.
        let even = pack(&pieces, room, pieces.len().div_ceil(least.len().max(1)));
        let blocks = if even.len() == least.len() {
            even
        } else {
            least
        };
        Fit {
            layout: self,
            sides,
            blocks,
        }
    }

    /// Widths of the columns left of the operations.
    fn sides(self, sheet: &Sheet, width: usize) -> Vec<usize> {
        let names = sheet.personas.iter().map(|(name, _)| columns(name));
        let names = names.max().max(Some("persona".len())).unwrap_or_default();
        let roles = sheet.personas.iter().map(|(_, roles)| columns(roles));
        let roles = roles.max().max(Some("roles".len())).unwrap_or_default();
        if self.stacked {
            vec![names.max(roles).min(width * 7 / 20)]
        } else {
            vec![names.min(width / 4), roles.min(width / 4)]
        }
    }

    /// The operation in one piece, or in as few as its doors need; a long name wraps and tears nothing.
    fn pieces(self, group: &Group, operation: usize, room: usize) -> Vec<Piece> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        for lane in 0..group.lanes.len() {
            match parts.last_mut() {
                Some(part) if group.inner(part.start..lane + 1, self.gap) <= room => {
                    part.end = lane + 1;
                }
                _ => parts.push(lane..lane + 1),
            }
        }
        let piece = |lanes: Range<usize>| {
            let named = columns(&group.name).min(NAME);
            let width = group.inner(lanes.clone(), self.gap).max(named).min(room);
            Piece {
                operation,
                lanes,
                width,
            }
        };
        parts.into_iter().map(piece).collect()
    }
}

/// Fills blocks from the left; an operation that fits into one block is not torn apart.
fn pack(pieces: &[Piece], room: usize, most: usize) -> Vec<Vec<Piece>> {
    let mut blocks: Vec<Vec<Piece>> = Vec::new();
    let mut left = 0;
    for piece in pieces {
        match blocks.last_mut() {
            Some(block) if piece.width + FRAME <= left && block.len() < most => {
                left -= piece.width + FRAME;
                block.push(piece.clone());
            }
            _ => {
                left = room.saturating_sub(piece.width + FRAME);
                blocks.push(vec![piece.clone()]);
            }
        }
    }
    blocks
}

impl Fit {
    fn draw(&self, sheet: &Sheet, block: &[Piece]) -> String {
        let mut table = Table::new();
        table.load_style(BOX);
        let indent = self.indent(sheet);
        let sides = if self.layout.stacked {
            vec![format!("persona\n{indent}roles")]
        } else {
            vec!["persona".to_owned(), "roles".to_owned()]
        };
        table.set_header(
            sides
                .into_iter()
                .chain(block.iter().map(|piece| self.header(sheet, piece))),
        );
        for (persona, (name, roles)) in sheet.personas.iter().enumerate() {
            let sides = if self.layout.stacked {
                vec![format!("{name}\n{indent}{roles}")]
            } else {
                vec![name.clone(), roles.clone()]
            };
            table.add_row(
                sides
                    .into_iter()
                    .chain(block.iter().map(|piece| self.row(sheet, piece, persona))),
            );
        }
        let widths = self
            .sides
            .iter()
            .copied()
            .chain(block.iter().map(|piece| piece.width));
        table.set_constraints(widths.map(|width| fixed(width + FRAME - 1)));
        table.to_string()
    }

    fn indent(&self, sheet: &Sheet) -> String {
        let roles = sheet.personas.iter().map(|(_, roles)| columns(roles));
        let room = self.sides[0].saturating_sub(roles.max().unwrap_or_default());
        " ".repeat(room.min(INDENT))
    }

    fn header(&self, sheet: &Sheet, piece: &Piece) -> String {
        let group = &sheet.operations[piece.operation];
        let lanes = &group.lanes[piece.lanes.clone()];
        let height = group
            .lanes
            .iter()
            .map(|lane| lane.heading.len())
            .max()
            .unwrap_or_default();
        let mut header = vec![group.name.clone()];
        header.extend((0..height).map(|line| {
            let words = lanes.iter().map(|lane| {
                (
                    lane.heading
                        .get(line)
                        .copied()
                        .unwrap_or_default()
                        .to_owned(),
                    lane.width,
                )
            });
            self.spread(words)
        }));
        header.join("\n")
    }

    fn row(&self, sheet: &Sheet, piece: &Piece, persona: usize) -> String {
        let lanes = &sheet.operations[piece.operation].lanes[piece.lanes.clone()];
        self.spread(lanes.iter().map(|lane| {
            let mark = &lane.marks[persona];
            let words = mark.words();
            let gap = if words.is_empty() { "" } else { " " };
            (format!("{}{gap}{words}", marker(mark.kind)), lane.width)
        }))
    }

    fn spread(&self, words: impl Iterator<Item = (String, usize)>) -> String {
        let padded: Vec<String> = words
            .map(|(word, width)| format!("{word:width$}"))
            .collect();
        padded
            .join(&" ".repeat(self.layout.gap))
            .trim_end()
            .to_owned()
    }
}

/// A constraint to exactly so many columns, the blanks on either side included.
pub(in crate::report) fn fixed(width: usize) -> ColumnConstraint {
    ColumnConstraint::Absolute(Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX)))
}

/// Columns that a text is likely to take; where a script is wider than thought, the text wraps.
fn columns(text: &str) -> usize {
    let wide =
        |it: char| matches!(it, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffdc}' | '\u{1f000}'..);
    text.chars()
        .map(|character| if wide(character) { 2 } else { 1 })
        .sum()
}
