//! Personas with their tokens and what was compared in, one token's sheet, all side by side, or a JSON document out.

use comfy_table::Table;
use serde_json::{Value, json};

use super::Look;
use super::sanitizer::{clean, excerpt};
use super::table::grid::BOX;
use super::table::paint::{self, marker};
use super::table::{self, NARROWEST};
use crate::judge::VerdictKind;
use crate::run;
use crate::scenario::Persona;
use crate::token::claims::Claims;
use crate::token::preflight::{Compared, Comparison, Mismatch, Subject};
use crate::token::{Credential, fidelity};

/// Characters of one value in the table of all personas.
const CELL: usize = 80;
/// Columns that a persona takes where several stand side by side: enough for a GUID in two lines.
const COLUMN: usize = 24;
/// Columns of the subjects' names.
const LABEL: usize = 20;

/// The schema of the JSON document; additive within its number.
pub const SCHEMA: &str = "rolecall.token/1";

/// One persona with what came of its sign-in.
#[derive(Debug)]
pub struct Sheet<'t> {
    /// Who.
    pub persona: &'t Persona,
    /// Its credential, or why it has none.
    pub credential: Result<Credential, String>,
    /// What was compared; empty for a persona without a token.
    pub comparisons: Vec<Comparison>,
}

impl Sheet<'_> {
    /// Whether a difference stands that would stop the persona.
    pub fn is_stopped(&self) -> bool {
        self.comparisons
            .iter()
            .flat_map(Comparison::differences)
            .any(stops)
    }

    /// The claims as text, indented; nothing for a token without claims.
    fn claims(&self) -> Option<Value> {
        let claims = self.credential.as_ref().ok()?.claims.as_ref()?;
        Some(claims.shown())
    }

    /// Kind, hash and names in one line.
    fn summary(&self) -> String {
        match &self.credential {
            Err(why) => clean(why).into_owned(),
            Ok(credential) if credential.authorization.is_none() => "does not sign in".to_owned(),
            Ok(credential) => format!(
                "{} token {}, signature {}",
                kind(self.persona, credential),
                credential.fingerprint,
                clean(&credential.signature.to_string())
            ),
        }
    }
}

fn stops(mismatch: &Mismatch) -> bool {
    run::stops(run::code_of(mismatch))
}

/// A token that no client of the scenario's own asked for is borrowed, whosever it is.
fn kind(persona: &Persona, credential: &Credential) -> String {
    let own = credential
        .claims
        .as_ref()
        .and_then(fidelity::of)
        .or_else(|| fidelity::of_method(&persona.sign_in))
        .map_or("unspecified", fidelity::name);
    if persona.sign_in.client_id().is_none() {
        format!("borrowed, {own}")
    } else {
        own.to_owned()
    }
}

/// One persona's token: what it is, each comparison, the claims.
pub fn one(sheet: &Sheet<'_>, look: Look) -> String {
    let width = look.width.max(NARROWEST);
    let mut text = format!(
        "{}\n\n",
        table::wrapped(
            &format!("{}: {}", sheet.persona.name, sheet.summary()),
            width
        )
    );
    if !sheet.comparisons.is_empty() {
        text.push_str(&rows(sheet, width));
        text.push_str("\n\n");
    }
    if let Some(claims) = sheet.claims() {
        for line in format!("{claims:#}").lines() {
            text.push_str(&clean(line));
            text.push('\n');
        }
    }
    paint::paint(text, look.colour)
}

fn rows(sheet: &Sheet<'_>, width: usize) -> String {
    let mut rows = Table::new();
    rows.load_style(comfy_table::presets::NOTHING);
    for comparison in &sheet.comparisons {
        let label = format!("  {} {}", sign(comparison), comparison.subject.name());
        rows.add_row([label, words(comparison)]);
    }
    rows.set_constraints([table::grid::fixed(LABEL), table::grid::fixed(width - LABEL)]);
    table::unpadded(&mut rows)
}

/// What was found; where it differs, every way in which it does.
fn words(comparison: &Comparison) -> String {
    let differences = comparison.differences();
    if differences.is_empty() {
        return clean(&comparison.found).into_owned();
    }
    let sentences: Vec<String> = differences
        .iter()
        .map(|difference| clean(&difference.to_string()).into_owned())
        .collect();
    sentences.join("; ")
}

fn sign(comparison: &Comparison) -> char {
    marker(match &comparison.result {
        Compared::Same => Some(VerdictKind::Pass),
        Compared::Differs(differences) if differences.iter().any(stops) => Some(VerdictKind::Fail),
        Compared::Differs(_) => Some(VerdictKind::Unproven),
        Compared::Not => None,
    })
}

/// All personas side by side, then every difference in a sentence.
pub fn all(sheets: &[Sheet<'_>], look: Look) -> String {
    let mut text = grid(sheets, look.width.max(NARROWEST));
    text.push('\n');
    for sheet in sheets {
        if sheet.comparisons.is_empty() {
            text.push_str(&told(None, sheet, &sheet.summary(), look));
        }
        for comparison in &sheet.comparisons {
            if !comparison.differences().is_empty() {
                text.push_str(&told(Some(comparison), sheet, &words(comparison), look));
            }
        }
    }
    paint::paint(text, look.colour)
}

fn told(about: Option<&Comparison>, sheet: &Sheet<'_>, words: &str, look: Look) -> String {
    let lacking = if sheet.credential.is_err() {
        Some(VerdictKind::Fail)
    } else {
        None
    };
    let sign = about.map_or_else(|| marker(lacking), sign);
    let line = format!("{sign} {}: {words}", sheet.persona.name);
    format!("{}\n", table::wrapped(&line, look.width.max(NARROWEST)))
}

/// The personas that signed in, as many side by side as can be read, and three at least.
fn grid(sheets: &[Sheet<'_>], width: usize) -> String {
    let signed_in: Vec<&Sheet<'_>> = sheets
        .iter()
        .filter(|sheet| !sheet.comparisons.is_empty())
        .collect();
    let beside = (width.saturating_sub(LABEL) / COLUMN).max(3);
    let blocks = signed_in
        .chunks(beside)
        .map(|signed_in| block(signed_in, width));
    blocks.collect()
}

fn block(signed_in: &[&Sheet<'_>], width: usize) -> String {
    let mut grid = Table::new();
    grid.load_style(BOX);
    grid.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    grid.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    let names = signed_in.iter().map(|sheet| sheet.persona.name.to_string());
    grid.set_header(std::iter::once(String::new()).chain(names));
    for subject in Subject::ALL {
        let cells = signed_in.iter().map(|sheet| cell(sheet, subject));
        grid.add_row(std::iter::once(subject.name().to_owned()).chain(cells));
    }
    let hashes = signed_in.iter().map(|sheet| hash(sheet));
    grid.add_row(std::iter::once("hash".to_owned()).chain(hashes));
    format!("{grid}\n")
}

fn cell(sheet: &Sheet<'_>, subject: Subject) -> String {
    let comparison = sheet
        .comparisons
        .iter()
        .find(|comparison| comparison.subject == subject);
    comparison.map_or_else(String::new, |comparison| {
        format!("{} {}", sign(comparison), excerpt(&comparison.found, CELL))
    })
}

fn hash(sheet: &Sheet<'_>) -> String {
    let credential = sheet.credential.as_ref().ok();
    credential.map_or_else(String::new, |credential| credential.fingerprint.clone())
}

/// The same for machines: one member a persona.
pub fn document(sheets: &[Sheet<'_>]) -> Value {
    json!({ "schema": SCHEMA, "personas": sheets.iter().map(member).collect::<Vec<_>>() })
}

fn member(sheet: &Sheet<'_>) -> Value {
    let differs: Vec<String> = sheet
        .comparisons
        .iter()
        .flat_map(Comparison::differences)
        .map(ToString::to_string)
        .collect();
    let mut member = json!({
        "persona": sheet.persona.name,
        "declared_roles": sheet.persona.roles,
        "signs_in": sheet.persona.identity.is_some(),
        "compared": sheet.comparisons.iter().map(compared).collect::<Vec<_>>(),
        "differs": differs,
    });
    match &sheet.credential {
        Ok(credential) if credential.authorization.is_some() => {
            member["claims"] = json!(credential.claims.as_ref().map(Claims::shown));
            member["kind"] = kind(sheet.persona, credential).into();
            member["signature"] = credential.signature.to_string().into();
            member["fingerprint"] = credential.fingerprint.as_str().into();
        }
        Ok(_) => {}
        Err(why) => member["refused"] = why.as_str().into(),
    }
    member
}

fn compared(comparison: &Comparison) -> Value {
    let codes: Vec<&str> = comparison
        .differences()
        .iter()
        .map(|difference| run::code_of(difference).name())
        .collect();
    json!({
        "subject": comparison.subject.name(),
        "result": match comparison.result {
            Compared::Same => "same",
            Compared::Differs(_) => "differs",
            Compared::Not => "not-compared",
        },
        "found": comparison.found,
        "codes": codes,
    })
}
