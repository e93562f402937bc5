//! What was found at one point of the way, with whose it is and what to do.

use serde::{Serialize, Serializer};

use crate::judge::Layer;

/// One point of the way.
#[derive(Clone, Debug, Serialize)]
pub struct Station {
    /// What is examined, such as `door rest` or `persona reader`.
    pub branch: String,
    /// Which step of it, such as `TLS`.
    pub step: String,
    /// How it is.
    pub health: Health,
    /// What was found; redacted.
    pub detail: String,
    /// Whose it is, where it is broken.
    #[serde(serialize_with = "named", skip_serializing_if = "Option::is_none")]
    pub whose: Option<Layer>,
    /// What to do first, where it is broken.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

/// How a station is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It works.
    Whole,
    /// It is broken: the branch ends here.
    Broken,
    /// Nothing to examine, or not reached.
    Passed,
}

impl Station {
    /// A station that works.
    pub(super) fn whole(branch: &str, step: &str, detail: impl Into<String>) -> Self {
        Self {
            branch: branch.to_owned(),
            step: step.to_owned(),
            health: Health::Whole,
            detail: detail.into(),
            whose: None,
            fix: String::new(),
        }
    }

    /// A station with nothing to examine, or one that was not reached; says why.
    pub(super) fn passed(branch: &str, step: &str, why: impl Into<String>) -> Self {
        Self {
            health: Health::Passed,
            ..Self::whole(branch, step, why)
        }
    }

    /// A broken station.
    pub(super) fn broken(
        branch: &str,
        step: &str,
        detail: impl Into<String>,
        whose: Layer,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Broken,
            whose: Some(whose),
            fix: fix.into(),
            ..Self::whole(branch, step, detail)
        }
    }
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn named<S: Serializer>(layer: &Option<Layer>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(layer.map_or("", Layer::name))
}
