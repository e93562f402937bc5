//! What came of every requirement in, findings out: one a requirement, none where another finding tells it already.

use super::checked::{Checked, Place, State, told};
use crate::cell::Door;
use crate::judge::{Code, Finding, Hint};
use crate::requirement::{Level, Requirement};
use crate::waiver::Fate;

/// Findings about requirements. `is_told` says whether the matrix itself shows at a door that a caller without a token, or
/// one with a token for another resource, is not refused as it must be.
pub fn findings(checked: &[Checked], is_told: &dyn Fn(Requirement, Door) -> bool) -> Vec<Finding> {
    checked
        .iter()
        .filter_map(|one| finding(one, is_told))
        .collect()
}

/// What became of the waiver of a requirement; that it is kept is a finding already.
pub fn fate(checked: &[Checked], requirement: Requirement) -> Fate {
    let mut checked = checked.iter();
    let own = checked.find(|one| one.requirement == requirement);
    match own.map(Checked::state) {
        Some(State::Waived) => Fate::Used,
        Some(State::Held) => Fate::Stale,
        Some(State::Violated | State::Unproven | State::NotApplicable) | None => Fate::Idle,
    }
}

fn finding(checked: &Checked, is_told: &dyn Fn(Requirement, Door) -> bool) -> Option<Finding> {
    let requirement = checked.requirement;
    if checked.is_stale() {
        let reason = checked.waived.as_deref().unwrap_or_default();
        let detail = format!("{requirement} is held, and waived: {reason}");
        return Some(about(requirement, Code::StaleWaiver, detail));
    }
    let state = checked.state();
    let untold = |place: &&Place| {
        !place.explained && !place.door.is_some_and(|door| is_told(requirement, door))
    };
    let places: Vec<&Place> = checked.at(state).filter(untold).collect();
    if places.is_empty() {
        return None;
    }
    let hole = places.iter().any(|place| place.hole);
    let code = code(state, requirement.level(), hole)?;
    let why = told(&places);
    let detail = format!("{requirement} {} {why}", requirement.title());
    Some(about(requirement, code, detail))
}

fn code(state: State, level: Level, hole: bool) -> Option<Code> {
    match (state, level) {
        (State::Violated, Level::Must) if hole => Some(Code::OpenWithoutToken),
        (State::Violated, Level::Must) => Some(Code::SpecMust),
        (State::Violated, Level::Should) => Some(Code::SpecShould),
        (State::Unproven, Level::Must) => Some(Code::SpecUnproven),
        (State::Violated | State::Unproven, Level::Informational)
        | (State::Unproven, Level::Should)
        | (State::Held | State::NotApplicable | State::Waived, _) => None,
    }
}

fn about(requirement: Requirement, code: Code, detail: String) -> Finding {
    Finding {
        requirement: Some(requirement),
        hint: (code == Code::OpenWithoutToken).then_some(Hint::ListsUnguarded),
        ..Finding::new(code, detail, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(requirement: Requirement, places: Vec<Place>, waived: bool) -> Checked {
        Checked {
            requirement,
            places,
            waived: waived.then(|| "we know".to_owned()),
        }
    }

    fn codes(checked: Checked, told: bool) -> Vec<Code> {
        let findings = findings(&[checked], &|_, _| told);
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn level_and_word_decide_the_code() {
        use Requirement::{NothingBlamed, OriginChecked, TokenDemanded};
        let wrong = || Place::violated("", None).at(Door::Mcp);
        let hole = || Place {
            hole: true,
            ..wrong()
        };
        let unclear = || Place::unproven("").at(Door::Mcp);
        let table = [
            (checked(OriginChecked, vec![Place::held("")], false), None),
            (
                checked(OriginChecked, vec![wrong()], false),
                Some(Code::SpecMust),
            ),
            (checked(OriginChecked, vec![wrong()], true), None),
            (
                checked(OriginChecked, vec![Place::held("")], true),
                Some(Code::StaleWaiver),
            ),
            (
                checked(NothingBlamed, vec![wrong()], false),
                Some(Code::SpecShould),
            ),
            (checked(NothingBlamed, vec![unclear()], false), None),
            (
                checked(OriginChecked, vec![unclear()], false),
                Some(Code::SpecUnproven),
            ),
            (
                checked(OriginChecked, vec![Place::explained("")], false),
                None,
            ),
            (
                checked(TokenDemanded, vec![wrong(), hole()], false),
                Some(Code::OpenWithoutToken),
            ),
            (
                checked(TokenDemanded, vec![wrong()], false),
                Some(Code::SpecMust),
            ),
        ];
        for (checked, code) in table {
            let told = format!("{checked:?}");
            assert_eq!(codes(checked, false), Vec::from_iter(code), "{told}");
        }
    }

    #[test]
    fn what_the_matrix_tells_is_told_once() {
        let hole = Place {
            hole: true,
            ..Place::violated("open", None)
        };
        let both = checked(
            Requirement::TokenDemanded,
            vec![hole.clone().at(Door::Mcp), hole.at(Door::McpLegacy)],
            false,
        );
        assert_eq!(codes(both.clone(), true), []);
        let at_one = findings(&[both], &|_, door| door == Door::Mcp);
        assert!(at_one[0].detail.ends_with("mcp-legacy: open"), "{at_one:?}");
    }
}
