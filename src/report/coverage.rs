//! What there is and who names it in, a table, Markdown or a JSON document out.

use std::iter;

use comfy_table::Table;
use serde_json::{Value, json};

use super::Look;
use super::mark;
use super::markdown::escape;
use super::sanitizer::{clean, excerpt};
use super::table::grid::BOX;
use super::table::paint::{self, marker};
use super::table::{self, NARROWEST};
use crate::judge::{Excluded, Known, Pair, Share, VerdictKind};
use crate::openapi::Base;
use crate::run::stock::Stock;
use crate::scenario::{Operation, Scenario};

/// The schema of the JSON document; additive within its number.
pub const SCHEMA: &str = "rolecall.coverage/1";

/// Widest table; beyond it the eye loses the line.
const WIDEST: usize = 120;
/// Characters of a name.
const CELL: usize = 100;

/// What is told: a stock, whose it is and what is asked of it.
#[derive(Debug)]
pub struct Sheet<'s> {
    /// The scenario that it was taken of.
    pub scenario: &'s Scenario,
    /// What there is.
    pub stock: &'s Stock,
    /// Percent that must be named.
    pub at_least: u8,
}

/// What a sheet comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Result {
    /// Enough is named, and all was read.
    Enough,
    /// Less than what is asked, or what is left out is not there.
    Short,
    /// Not all was read.
    Unread,
}

impl Result {
    const fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Short => "short",
            Self::Unread => "unread",
        }
    }
}

/// A route, a tool, or both where they are one thing.
struct Row<'s> {
    route: Option<&'s Known>,
    tool: Option<&'s Known>,
    pair: Option<Pair>,
}

impl<'s> Sheet<'s> {
    /// What it comes to, the gravest first.
    pub fn result(&self) -> Result {
        let share = self.share();
        let stale = |one: &Excluded| one.stale.is_some();
        if self.is_short() || self.stock.coverage.left_out.iter().any(stale) {
            Result::Short
        } else if !self.stock.unread.is_empty() || share.all == 0 {
            Result::Unread
        } else {
            Result::Enough
        }
    }

    fn is_short(&self) -> bool {
        let share = self.share();
        share.named * 100 < usize::from(self.at_least) * share.all
    }

    fn share(&self) -> Share {
        let coverage = &self.stock.coverage;
        let shares = [coverage.of_routes(), coverage.of_tools()];
        let shares = shares.into_iter().flatten();
        shares.fold(Share::default(), Share::and)
    }

    /// Pairs stand together, in the order of the routes; tools without a route come last.
    fn rows(&self) -> Vec<Row<'s>> {
        let coverage = &self.stock.coverage;
        let routes = coverage.routes.as_deref().unwrap_or_default();
        let tools = coverage.tools.as_deref().unwrap_or_default();
        let mut rows = Vec::with_capacity(routes.len() + tools.len());
        for (index, route) in routes.iter().enumerate() {
            let pair = coverage.pairs.iter().find(|pair| pair.route == index);
            rows.push(Row {
                route: Some(route),
                tool: pair.and_then(|pair| tools.get(pair.tool)),
                pair: pair.copied(),
            });
        }
        for (index, tool) in tools.iter().enumerate() {
            if !coverage.pairs.iter().any(|pair| pair.tool == index) {
                rows.push(Row {
                    route: None,
                    tool: Some(tool),
                    pair: None,
                });
            }
        }
        rows
    }

    fn names(&self, row: &Row<'_>) -> Vec<String> {
        let mut operations: Vec<usize> =
            row.known().flat_map(|one| &one.named_by).copied().collect();
        operations.sort_unstable();
        operations.dedup();
        let operations = operations.into_iter();
        let named = operations.filter_map(|index| self.scenario.operations.get(index));
        named.map(|operation| operation.name.to_string()).collect()
    }

    fn headings(&self) -> Vec<&'static str> {
        let coverage = &self.stock.coverage;
        let columns = [
            ("route", coverage.routes.is_some()),
            ("tool", coverage.tools.is_some()),
            ("named by", true),
            ("tested at", true),
        ];
        let shown = columns.into_iter().filter(|(_, is_shown)| *is_shown);
        shown.map(|(heading, _)| heading).collect()
    }

    fn cells(&self, row: &Row<'_>, sign: fn(Option<VerdictKind>) -> char) -> Vec<String> {
        let coverage = &self.stock.coverage;
        let mut cells = Vec::new();
        cells.extend(coverage.routes.as_ref().map(|_| cell(row.route, sign)));
        cells.extend(coverage.tools.as_ref().map(|_| cell(row.tool, sign)));
        cells.push(excerpt(&self.names(row).join(", "), CELL).into_owned());
        cells.push(row.tested_at().join(", "));
        cells
    }

    fn forgotten(&self) -> Vec<String> {
        let rows = self.rows();
        let known = rows.iter().flat_map(Row::known);
        let forgotten = known.filter(|one| one.is_forgotten());
        forgotten
            .map(|one| excerpt(&one.name, CELL).into_owned())
            .collect()
    }

    /// Operations that the document does not know, with what they ask for.
    fn undocumented(&self) -> Vec<String> {
        let operation = |index: &usize| self.scenario.operations.get(*index);
        let request = |one: &Operation| {
            let call = one.rest.as_ref()?;
            let target = excerpt(call.target.source(), CELL);
            Some(format!("{} ({} {target})", one.name, call.method))
        };
        let missing = self.stock.coverage.undocumented.iter();
        missing.filter_map(operation).filter_map(request).collect()
    }

    fn holes(&self) -> Vec<String> {
        let coverage = &self.stock.coverage;
        let holes = coverage.pairs.iter();
        let holes = holes.filter_map(|pair| coverage.hole(*pair, &self.scenario.operations));
        holes.map(|hole| clean(&hole).into_owned()).collect()
    }

    fn loose(&self) -> Vec<String> {
        let rows = self.rows();
        let loose = rows
            .iter()
            .filter(|row| row.pair.is_some_and(|pair| pair.loosely));
        let told = loose.filter_map(|row| {
            let id = row.route?.id.as_deref().unwrap_or_default();
            let tool = &row.tool?.name;
            Some(format!("{} and {}", excerpt(id, CELL), excerpt(tool, CELL)))
        });
        told.collect()
    }

    /// Everything that is to be told below the table, in order: what it is about, and its lines.
    fn remarks(&self) -> Vec<(&'static str, Vec<String>)> {
        let left_out = self.stock.coverage.left_out.iter().map(left_out);
        let unread = self.stock.unread.iter().map(|why| clean(why).into_owned());
        let remarks = [
            ("No operation names", self.forgotten()),
            ("Could not be read", unread.collect()),
            ("At the other door as well", self.holes()),
            ("One thing, but for case and separators", self.loose()),
            ("Not in the document", self.undocumented()),
            ("Left out", left_out.collect()),
        ];
        let told = remarks.into_iter().filter(|(_, lines)| !lines.is_empty());
        told.collect()
    }

    /// How much is named, in one line.
    fn summary(&self) -> String {
        let coverage = &self.stock.coverage;
        let shares = [
            (coverage.of_routes(), "routes"),
            (coverage.of_tools(), "tools"),
        ];
        let shares = shares
            .into_iter()
            .filter_map(|(share, noun)| Some((share?, noun)));
        let parts: Vec<String> = shares
            .map(|(share, noun)| format!("{} of {} {noun}", share.named, share.all))
            .collect();
        let place = match self.stock.document.as_ref().map(|(_, base)| base) {
            Some(Base::Below(path)) => {
                let path = if path.is_empty() { "/" } else { path };
                format!(
                    "\nThe document's paths were found below {}, not where its servers say.",
                    clean(path)
                )
            }
            Some(Base::Servers) | None => String::new(),
        };
        if parts.is_empty() {
            return "Nothing was read that could be compared.".to_owned();
        }
        format!(
            "{} named by an operation: {} % ({} % asked for){place}",
            parts.join(" and "),
            self.share().percent(),
            self.at_least
        )
    }

    fn next_step(&self) -> &'static str {
        let share = self.share();
        match self.result() {
            Result::Enough if share.named < share.all => "Enough is named, and not all.",
            Result::Enough => "An operation names whatever is not left out with a reason.",
            Result::Short if self.is_short() => {
                "Give each of them an operation, or leave it out with a reason: `ignore` beside the door's URL."
            }
            Result::Short => "Take out of `ignore` what is of no use there.",
            Result::Unread => {
                "What could not be read may hold more: make it readable, and ask again."
            }
        }
    }
}

impl Row<'_> {
    fn known(&self) -> impl Iterator<Item = &Known> {
        [self.route, self.tool].into_iter().flatten()
    }

    fn tested_at(&self) -> Vec<&'static str> {
        let named = self.known().filter(|one| !one.named_by.is_empty());
        named
            .flat_map(|one| &one.doors)
            .map(|door| door.name())
            .collect()
    }
}

fn weight(known: &Known) -> Option<VerdictKind> {
    if known.left_out {
        None
    } else if known.named_by.is_empty() {
        Some(VerdictKind::Fail)
    } else {
        Some(VerdictKind::Pass)
    }
}

fn cell(known: Option<&Known>, sign: fn(Option<VerdictKind>) -> char) -> String {
    known.map_or_else(String::new, |known| {
        format!("{} {}", sign(weight(known)), excerpt(&known.name, CELL))
    })
}

fn left_out(one: &Excluded) -> String {
    let stale = one.stale.as_ref().map(|why| format!(" (of no use: {why})"));
    let line = format!("{}: {}{}", one.name, one.reason, stale.unwrap_or_default());
    clean(&line).into_owned()
}

/// For a terminal: a table, what is missing, what is offered, what to do.
pub fn table(sheet: &Sheet<'_>, look: Look) -> String {
    let width = look.width.clamp(NARROWEST, WIDEST);
    let wrapped = |text: &str| table::wrapped(text, width);
    let mut blocks = vec![wrapped(&clean(&sheet.scenario.name))];
    blocks.extend(grid(sheet, width));
    for (about, lines) in sheet.remarks() {
        let lines = lines.iter().map(|line| wrapped(&format!("  {line}")));
        let lines: Vec<String> = iter::once(format!("{about}:")).chain(lines).collect();
        blocks.push(lines.join("\n"));
    }
    blocks.push(format!(
        "{}\n{}",
        wrapped(&sheet.summary()),
        wrapped(sheet.next_step())
    ));
    for offer in sheet.scenario.offers() {
        let heading = format!("Not among the rows: {}. {}", offer.row, offer.why);
        let place = format!("To add it, {}:", offer.place);
        let lines = offer.lines.lines().map(|line| format!("  {}", clean(line)));
        let lines: Vec<String> = [wrapped(&heading), place]
            .into_iter()
            .chain(lines)
            .collect();
        blocks.push(lines.join("\n"));
    }
    paint::paint(blocks.join("\n\n") + "\n", look.colour)
}

/// The table; none where there is nothing.
fn grid(sheet: &Sheet<'_>, width: usize) -> Option<String> {
    let rows = sheet.rows();
    let mut grid = Table::new();
    grid.load_style(BOX);
    grid.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    grid.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    grid.set_header(sheet.headings());
    for row in &rows {
        grid.add_row(sheet.cells(row, marker));
    }
    (!rows.is_empty()).then(|| grid.to_string())
}

/// For a job summary or a committed file.
pub fn markdown(sheet: &Sheet<'_>) -> String {
    let mut lines = vec![
        format!("# Coverage of {}", escape(&sheet.scenario.name)),
        String::new(),
        format!("**{}**", escape(&sheet.summary())),
    ];
    let rows = sheet.rows();
    if !rows.is_empty() {
        let headings = sheet.headings();
        lines.extend([
            String::new(),
            format!("| {} |", headings.join(" | ")),
            format!("|{}", "---|".repeat(headings.len())),
        ]);
        lines.extend(rows.iter().map(|row| {
            let cells = sheet.cells(row, mark::sign);
            let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
            format!("| {} |", cells.join(" | "))
        }));
    }
    for (about, remarks) in sheet.remarks() {
        lines.extend([String::new(), format!("## {about}"), String::new()]);
        lines.extend(remarks.iter().map(|line| format!("- {}", escape(line))));
    }
    let offers = sheet.scenario.offers();
    if !offers.is_empty() {
        lines.extend([String::new(), "## Rows that are not there".to_owned()]);
    }
    for offer in &offers {
        let heading = format!("{}: {} To add it, {}:", offer.row, offer.why, offer.place);
        lines.extend([String::new(), heading, String::new(), "```yaml".to_owned()]);
        lines.extend(offer.lines.lines().map(|line| clean(line).into_owned()));
        lines.push("```".to_owned());
    }
    lines.join("\n") + "\n"
}

/// For machines.
pub fn document(sheet: &Sheet<'_>) -> Value {
    let coverage = &sheet.stock.coverage;
    let items = sheet.rows();
    let items = items.iter().map(|row| {
        json!({
            "route": row.route.map(one),
            "tool": row.tool.map(one),
            "loosely_paired": row.pair.is_some_and(|pair| pair.loosely),
            "named_by": sheet.names(row),
            "tested_at": row.tested_at(),
        })
    });
    json!({
        "schema": SCHEMA,
        "scenario": clean(&sheet.scenario.name),
        "document": sheet.stock.document.as_ref().map(|(source, _)| clean(source)),
        "found_below": sheet.stock.document.as_ref().and_then(|(_, base)| match base {
            Base::Below(path) => Some(clean(path)),
            Base::Servers => None,
        }),
        "routes": coverage.of_routes(),
        "tools": coverage.of_tools(),
        "percent": sheet.share().percent(),
        "at_least": sheet.at_least,
        "result": sheet.result().name(),
        "items": items.collect::<Vec<_>>(),
        "forgotten": sheet.forgotten(),
        "holes": sheet.holes(),
        "undocumented": sheet.undocumented(),
        "left_out": coverage.left_out,
        "unread": sheet.stock.unread,
        "offers": sheet.scenario.offers(),
    })
}

fn one(known: &Known) -> Value {
    json!({
        "name": clean(&known.name),
        "id": known.id.as_deref().map(clean),
        "doors": known.doors,
        "left_out": known.left_out,
    })
}
