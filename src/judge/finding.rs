//! One coded reason with its cells and its evidence.

use serde::{Deserialize, Serialize};

use super::hint::Hint;
use super::mark::Mark;
use super::signature::Signature;
use crate::code::{Class, Code};
use crate::layer::Layer;
use crate::requirement::Requirement;

/// One defect, one finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Which kind.
    pub code: Code,
    /// One sentence about this very case, naming personas, operations or doors; redacted.
    pub detail: String,
    /// The recognised signature behind it, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// The scenario's fingerprint behind it, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Mark>,
    /// The pattern of its cells, when it points at one cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// Whose the answers of its cells are, where their marks tell and the answers are what is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Layer>,
    /// The requirement of the MCP authorization chapter that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<Requirement>,
    /// The waiver that accepts it, by its place among those of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<u16>,
    /// Tools or redirects that it is about, where a waiver can name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// Matrix indices of the cells that it covers, ascending; empty when it is about no cell.
    pub cells: Vec<usize>,
}

impl Finding {
    /// A finding without signature or hint: the code, one redacted sentence, and matrix indices in ascending order.
    pub fn new(code: Code, detail: impl Into<String>, cells: Vec<usize>) -> Self {
        Self {
            code,
            detail: detail.into(),
            signature: None,
            fingerprint: None,
            hint: None,
            answered_by: None,
            requirement: None,
            waiver: None,
            about: Vec::new(),
            cells,
        }
    }

    /// The same about these tools or redirects.
    #[must_use]
    pub fn about(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.about = names.into_iter().map(Into::into).collect();
        self
    }

    /// The likely cause: the pattern's where there is one, else the signature's, else the requirement's, else the code's.
    pub fn cause(&self) -> &'static str {
        let known = self
            .hint
            .map(Hint::cause)
            .or_else(|| self.signature.map(Signature::cause))
            .or_else(|| self.violated().map(Requirement::cause));
        known.unwrap_or_else(|| self.code.cause())
    }

    /// The first thing to do about it: the pattern's, else the signature's, else the requirement's, else the code's.
    pub fn remedy(&self) -> &'static str {
        let known = self
            .hint
            .map(Hint::remedy)
            .or_else(|| self.signature.map(Signature::remedy))
            .or_else(|| self.violated().map(Requirement::remedy));
        known.unwrap_or_else(|| self.code.remedy())
    }

    /// Where to look first: the pattern's layer, else the signature's, else that of whoever answered, else the requirement's,
    /// else the code's.
    pub fn layer(&self) -> Layer {
        let known = self
            .hint
            .map(Hint::layer)
            .or_else(|| self.signature.map(Signature::layer))
            .or(self.answered_by)
            .or_else(|| self.violated().map(Layer::of_requirement));
        known.unwrap_or_else(|| self.code.layer())
    }

    /// Whether this says of cells that another finding tells only that two doors disagree about them.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.code == Code::DoorsDisagree && other.code != self.code && self.lies_within(other)
    }

    fn lies_within(&self, other: &Self) -> bool {
        let told = |cell: &usize| other.cells.binary_search(cell).is_ok();
        other.code.class() == Class::Fail && !self.cells.is_empty() && self.cells.iter().all(told)
    }

    /// The requirement, where the finding is that it is not kept.
    fn violated(&self) -> Option<Requirement> {
        let kept = matches!(self.code, Code::StaleWaiver | Code::SpecUnproven);
        self.requirement.filter(|_| !kept)
    }

    /// What findings are sorted by: severity, then code, then first cell, then words.
    pub(super) fn order(&self) -> (Code, Option<usize>, Option<Signature>, &str) {
        (
            self.code,
            self.cells.first().copied(),
            self.signature,
            &self.detail,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disagreement_is_beside_whatever_fails_in_all_its_cells() {
        use Code::{DoorsDisagree as Disagree, Intercepted, Leak, Lockout};
        type Told<'c> = (Code, &'c [usize]);
        let table: [(Told<'_>, Told<'_>, bool); 6] = [
            ((Disagree, &[1, 2]), (Leak, &[1, 2, 3]), true),
            ((Disagree, &[1, 4]), (Leak, &[1, 2, 3]), false),
            ((Disagree, &[]), (Leak, &[1]), false),
            ((Disagree, &[1]), (Disagree, &[1]), false),
            ((Disagree, &[1]), (Intercepted, &[1]), false),
            ((Lockout, &[1]), (Leak, &[1]), false),
        ];
        for ((code, cells), (other, told), beside) in table {
            let finding = Finding::new(code, "", cells.to_vec());
            let other = Finding::new(other, "", told.to_vec());
            assert_eq!(finding.is_beside(&other), beside, "{finding:?} {other:?}");
        }
    }

    /// The more is known of a case, the nearer its words.
    #[test]
    fn the_pattern_speaks_before_the_signature_the_answerer_the_requirement_and_the_code() {
        let requirement = Requirement::IssuerServed;
        let signature = Signature::Quota;
        let hint = Hint::ToolMissing;
        let violated = Finding {
            requirement: Some(requirement),
            ..Finding::new(Code::SpecMust, "", Vec::new())
        };
        let answered = Finding {
            answered_by: Some(Layer::Edge),
            ..violated.clone()
        };
        let signed = Finding {
            signature: Some(signature),
            ..answered.clone()
        };
        let hinted = Finding {
            hint: Some(hint),
            ..signed.clone()
        };
        let of_requirement = Layer::of_requirement(requirement);
        for (finding, cause, remedy, layer) in [
            (hinted, hint.cause(), hint.remedy(), hint.layer()),
            (
                signed,
                signature.cause(),
                signature.remedy(),
                signature.layer(),
            ),
            (
                answered,
                requirement.cause(),
                requirement.remedy(),
                Layer::Edge,
            ),
            (
                violated,
                requirement.cause(),
                requirement.remedy(),
                of_requirement,
            ),
        ] {
            assert_eq!(
                (finding.cause(), finding.remedy(), finding.layer()),
                (cause, remedy, layer),
                "{finding:?}"
            );
        }
    }

    #[test]
    fn a_requirement_that_is_kept_or_was_not_tried_is_nobodys_fault() {
        for code in [Code::StaleWaiver, Code::SpecUnproven] {
            let finding = Finding {
                requirement: Some(Requirement::IssuerServed),
                ..Finding::new(code, "", Vec::new())
            };
            assert_eq!(
                (finding.cause(), finding.remedy(), finding.layer()),
                (code.cause(), code.remedy(), code.layer()),
                "{code}"
            );
        }
    }
}
