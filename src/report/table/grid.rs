//! Record and width in, the grid out: personas down, operations and their doors across, in blocks that fit.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::iter;
use std::ops::Range;

use comfy_table::{ColumnConstraint, ContentLineStyle, LineStyle, TableStyle, Width};

use super::band::{Band, Square, push_blanks, rule};
use crate::cell::Door;
use crate::judge::VerdictKind;
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

/// The grid, laid out; its words are made block by block.
pub(super) struct Grid<'r> {
    sheet: Sheet<'r>,
    fit: Fit,
}

impl<'r> Grid<'r> {
    /// The layout that takes the fewest blocks of at most `width` columns. An operation is broken only where it alone is too wide.
    pub(super) fn of(record: &'r Record, width: usize, sign: Sign) -> Self {
        let sheet = Sheet::of(record, sign);
        let beside = Layout {
            stacked: false,
            gap: 2,
        };
        let others = [
            Layout {
                stacked: true,
                gap: 2,
            },
            Layout {
                stacked: true,
                gap: 1,
            },
        ];
        let mut fit = beside.fit(&sheet, width);
        for layout in others {
            let other = layout.fit(&sheet, width);
            if other.blocks.len() < fit.blocks.len() {
                fit = other;
            }
        }
        Self { sheet, fit }
    }

    /// What its marks are.
    pub(super) fn seen(&self) -> &Seen {
        &self.sheet.seen
    }

    /// The blocks, each a table.
    pub(super) fn blocks(&self) -> impl Iterator<Item = String> {
        let (mut band, mut room) = (Band::default(), 0);
        self.fit.blocks.iter().map(move |block| {
            let mut text = String::with_capacity(room);
            let pieces = &self.fit.pieces[block.clone()];
            self.fit.draw(&self.sheet, pieces, &mut band, &mut text);
            room = text.len();
            text
        })
    }
}

/// What marks there are, so that a legend can say what they mean.
#[derive(Default)]
pub(super) struct Seen {
    /// The verdicts behind them, each once.
    pub(super) kinds: Vec<VerdictKind>,
    /// What words in place of a status mean.
    pub(super) glosses: BTreeSet<&'static str>,
}

impl Seen {
    fn add(&mut self, mark: &Mark<'_>) {
        if let Some(kind) = mark.kind.filter(|kind| !self.kinds.contains(kind)) {
            self.kinds.push(kind);
        }
        if let Some(gloss) = mark.gloss() {
            self.glosses.insert(gloss);
        }
    }
}

/// What stands for a verdict: its sign, or what holds the sign's place until it is painted.
pub(super) type Sign = fn(Option<VerdictKind>) -> char;

/// The grid's words, laid out nowhere yet.
struct Sheet<'r> {
    record: &'r Record,
    sign: Sign,
    /// Those that have a cell.
    personas: Vec<Persona>,
    operations: Vec<Group>,
    seen: Seen,
}

/// Who calls, by its index, with the words that it is known by.
struct Persona {
    place: usize,
    name: String,
    roles: String,
}

/// An operation with one lane a door that it has.
struct Group {
    operation: usize,
    /// Columns that its name takes on one line.
    named: usize,
    lanes: Vec<Lane>,
}

/// One operation at one door: which, and the columns that its heading and its marks take.
#[derive(Clone, Copy)]
struct Lane {
    door: usize,
    width: usize,
}

impl<'r> Sheet<'r> {
    fn of(record: &'r Record, sign: Sign) -> Self {
        let matrix = record.matrix();
        let rows: Vec<usize> = (0..matrix.personas.len())
            .filter(|persona| record.has_row(*persona))
            .collect();
        let personas = rows.iter().map(|place| {
            let row = &matrix.personas[*place];
            Persona {
                place: *place,
                name: excerpt(row.name.as_str(), WORD).into_owned(),
                roles: wording::roles(row, |role| excerpt(role, WORD).into_owned()),
            }
        });
        let told = (0..matrix.personas.len()).map(|persona| rows.contains(&persona));
        let mut survey = Survey {
            record,
            told: told.collect(),
            headings: matrix.doors.iter().map(|door| widest_word(*door)).collect(),
            seen: Seen::default(),
        };
        let operations = (0..matrix.operations.len())
            .map(|operation| survey.group(operation))
            .filter(|group| !group.lanes.is_empty());
        Self {
            record,
            sign,
            operations: operations.collect(),
            personas: personas.collect(),
            seen: survey.seen,
        }
    }

    fn name(&self, group: &Group) -> Cow<'r, str> {
        let column = &self.record.matrix().operations[group.operation];
        excerpt(column.name.as_str(), WORD)
    }

    fn words(&self, lane: Lane) -> impl Iterator<Item = &'static str> {
        heading(self.record.matrix().doors[lane.door]).split(' ')
    }

    fn mark(&self, group: &Group, lane: Lane, persona: usize) -> Mark<'r> {
        mark(self.record, group.operation, lane.door, persona).unwrap_or(Mark::ABSENT)
    }
}

fn mark(record: &Record, operation: usize, door: usize, persona: usize) -> Option<Mark<'_>> {
    let entry = record.entry_at(operation, door, persona);
    entry.map(|entry| Mark::of(&entry))
}

impl Group {
    /// Columns that these lanes take beside each other.
    fn inner(&self, lanes: Range<usize>, gap: usize) -> usize {
        let lanes = self.lanes[lanes].iter().map(|lane| lane.width + gap);
        lanes.sum::<usize>().saturating_sub(gap)
    }
}

/// Looks at every mark once, for what the columns must hold.
struct Survey<'r> {
    record: &'r Record,
    /// By persona: whether it has a row.
    told: Vec<bool>,
    /// By door: columns that the widest word of its heading takes.
    headings: Vec<usize>,
    seen: Seen,
}

impl Survey<'_> {
    fn group(&mut self, operation: usize) -> Group {
        let name = self.record.matrix().operations[operation].name.as_str();
        let doors = 0..self.headings.len();
        Group {
            operation,
            named: columns(&excerpt(name, WORD)),
            lanes: doors
                .filter_map(|door| self.lane(operation, door))
                .collect(),
        }
    }

    fn lane(&mut self, operation: usize, door: usize) -> Option<Lane> {
        let entries = self.record.lane(operation, door).zip(&self.told);
        let told = entries.filter_map(|(entry, told)| entry.filter(|_| *told));
        let mut widest = None;
        for mark in told.map(|entry| Mark::of(&entry)) {
            self.seen.add(&mark);
            widest = widest.max(Some(mark.width()));
        }
        Some(Lane {
            door,
            width: widest?.max(self.headings[door]),
        })
    }
}

fn widest_word(door: Door) -> usize {
    let words = heading(door).split(' ').map(|word| word.chars().count());
    words.max().unwrap_or_default()
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
struct Piece {
    /// The operation's place on the sheet.
    group: usize,
    lanes: Range<usize>,
    width: usize,
}

/// A layout with the widths and blocks that it leads to.
struct Fit {
    layout: Layout,
    sides: Vec<usize>,
    /// The heading of roles, and each persona's, as they stand in a line.
    roles: Vec<String>,
    pieces: Vec<Piece>,
    /// Which pieces stand beside each other.
    blocks: Vec<Range<usize>>,
}

impl Layout {
    fn fit(self, sheet: &Sheet<'_>, width: usize) -> Fit {
        let sides = self.sides(sheet, width);
        let taken: usize = sides.iter().map(|side| side + FRAME).sum();
        let room = width.saturating_sub(taken + 1).max(FRAME + 1);
        let mut pieces = Vec::with_capacity(sheet.operations.len());
        for group in 0..sheet.operations.len() {
            self.put_pieces(sheet, group, room - FRAME, &mut pieces);
        }
        let least = pack(&pieces, room, usize::MAX);
        // As many blocks, but of like size.
        let even = pack(&pieces, room, pieces.len().div_ceil(least.len().max(1)));
        let blocks = if even.len() == least.len() {
            even
        } else {
            least
        };
        let roles = sheet.personas.iter().map(|persona| columns(&persona.roles));
        let room = sides[0].saturating_sub(roles.max().unwrap_or_default());
        let indent = if self.stacked { room.min(INDENT) } else { 0 };
        let personas = sheet.personas.iter().map(|persona| persona.roles.as_str());
        let roles = iter::once("roles").chain(personas);
        let roles = roles.map(|roles| " ".repeat(indent) + roles);
        Fit {
            layout: self,
            roles: roles.collect(),
            sides,
            pieces,
            blocks,
        }
    }

    /// Widths of the columns left of the operations.
    fn sides(self, sheet: &Sheet<'_>, width: usize) -> Vec<usize> {
        let names = sheet.personas.iter().map(|persona| columns(&persona.name));
        let names = names.max().max(Some("persona".len())).unwrap_or_default();
        let roles = sheet.personas.iter().map(|persona| columns(&persona.roles));
        let roles = roles.max().max(Some("roles".len())).unwrap_or_default();
        if self.stacked {
            vec![names.max(roles).min(width * 7 / 20)]
        } else {
            vec![names.min(width / 4), roles.min(width / 4)]
        }
    }

    /// The operation in one piece, or in as few as its doors need; a long name wraps and tears nothing.
    fn put_pieces(self, sheet: &Sheet<'_>, place: usize, room: usize, pieces: &mut Vec<Piece>) {
        let group = &sheet.operations[place];
        let named = group.named.min(NAME);
        let mut start = 0;
        for end in 1..=group.lanes.len() {
            let is_last = end == group.lanes.len();
            if is_last || group.inner(start..end + 1, self.gap) > room {
                let width = group.inner(start..end, self.gap).max(named).min(room);
                pieces.push(Piece {
                    group: place,
                    lanes: start..end,
                    width,
                });
                start = end;
            }
        }
    }
}

/// Fills blocks from the left; an operation that fits into one block is not torn apart.
fn pack(pieces: &[Piece], room: usize, most: usize) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut left = 0;
    for (place, piece) in pieces.iter().enumerate() {
        match blocks.last_mut() {
            Some(block) if piece.width + FRAME <= left && block.len() < most => {
                left -= piece.width + FRAME;
                block.end = place + 1;
            }
            _ => {
                left = room.saturating_sub(piece.width + FRAME);
                blocks.push(place..place + 1);
            }
        }
    }
    blocks
}

impl Fit {
    fn draw(&self, sheet: &Sheet<'_>, block: &[Piece], band: &mut Band, text: &mut String) {
        let pieces = block.iter().map(|piece| piece.width);
        let widths: Vec<usize> = self.sides.iter().copied().chain(pieces).collect();
        band.lay(&widths);
        rule(text, &widths, ['╭', '┬', '╮']);
        self.header(sheet, block, band);
        band.draw(text);
        rule(text, &widths, ['├', '┼', '┤']);
        for persona in sheet.personas.iter().zip(&self.roles[1..]) {
            self.row(sheet, block, persona, band);
            band.draw(text);
        }
        rule(text, &widths, ['╰', '┴', '╯']);
    }

    fn header(&self, sheet: &Sheet<'_>, block: &[Piece], band: &mut Band) {
        band.clear();
        self.side(("persona", &self.roles[0]), band);
        let squares = band.squares[self.sides.len()..].iter_mut();
        for (piece, square) in block.iter().zip(squares) {
            self.heading(sheet, piece, square);
        }
    }

    fn row(
        &self,
        sheet: &Sheet<'_>,
        block: &[Piece],
        (persona, roles): (&Persona, &String),
        band: &mut Band,
    ) {
        band.clear();
        self.side((&persona.name, roles), band);
        let squares = band.squares[self.sides.len()..].iter_mut();
        for (piece, square) in block.iter().zip(squares) {
            self.marks(sheet, piece, persona.place, square);
        }
    }

    /// Puts what stands left of the operations.
    fn side(&self, (name, roles): (&str, &str), band: &mut Band) {
        band.squares[0].put(name);
        if self.layout.stacked {
            band.squares[0].put(roles);
        } else {
            band.squares[1].put(roles);
        }
    }

    fn heading(&self, sheet: &Sheet<'_>, piece: &Piece, square: &mut Square) {
        let group = &sheet.operations[piece.group];
        let lanes = group.lanes[piece.lanes.clone()].iter();
        let height = lanes.map(|lane| sheet.words(*lane).count());
        square.put(&sheet.name(group));
        for line in 0..height.max().unwrap_or_default() {
            let lanes = group.lanes[piece.lanes.clone()].iter();
            self.spread(square, lanes.copied(), |lane, text| {
                let word = sheet.words(lane).nth(line).unwrap_or_default();
                text.push_str(word);
                word.len()
            });
        }
    }

    fn marks(&self, sheet: &Sheet<'_>, piece: &Piece, persona: usize, square: &mut Square) {
        let group = &sheet.operations[piece.group];
        let lanes = group.lanes[piece.lanes.clone()].iter();
        self.spread(square, lanes.copied(), |lane, text| {
            let mark = sheet.mark(group, lane, persona);
            text.push((sheet.sign)(mark.kind));
            mark.put_words(text);
            mark.width()
        });
    }

    /// Puts a line of each lane's words, which say how wide they are, with the blanks up to the next lane.
    fn spread(
        &self,
        square: &mut Square,
        lanes: impl Iterator<Item = Lane>,
        put: impl Fn(Lane, &mut String) -> usize,
    ) {
        square.put_line(|line| {
            let (mut gap, mut width) = (0, 0);
            for lane in lanes {
                let end = line.len();
                push_blanks(line, gap);
                let taken = put(lane, line);
                if taken > 0 {
                    width += gap + taken;
                    gap = 0;
                } else {
                    // No line ends in blanks.
                    line.truncate(end);
                }
                gap += lane.width.saturating_sub(taken) + self.layout.gap;
            }
            width
        });
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
