//! All that was seen and told of a run in, its verdicts and findings out: the same at its end and whenever its record is read.

use crate::judge::{
    self, Attempt, Code, Conclusion, Finding, Listed, Lists, Roll, Sights, Waivers,
};
use crate::plan::Matrix;
use crate::probe::{self, Checked};
use crate::scenario::{LeftOut, RefusalShape, Undeclared};
use crate::waiver::{Area, Fate};

/// All that a run is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'e> {
    /// The shape of the run.
    pub matrix: &'e Matrix,
    /// What was seen of each cell, by matrix index.
    pub sights: Sights<'e>,
    /// How the MCP doors are declared to refuse.
    pub mcp_refuses: RefusalShape,
    /// Findings that no cell's answer can show.
    pub earlier: &'e [Finding],
    /// What came of the requirements of the MCP authorization chapter.
    pub checked: &'e [Checked],
    /// The tool that each operation names, by its index.
    pub tools: &'e [Option<&'e str>],
    /// Operations that are on a route of the deployment's document.
    pub on_routes: &'e [usize],
    /// The tools that each persona is shown.
    pub lists: &'e [Listed],
    /// Calls of tools that no operation names.
    pub attempts: &'e [Attempt],
    /// What such tools are to the author.
    pub undeclared: Undeclared,
    /// Tools that no operation has to name.
    pub left_out: &'e [LeftOut],
    /// What somebody accepts for a while.
    pub waivers: Waivers<'e>,
    /// Whether everything was looked at that no cell calls: then what was not found is not there.
    pub looked: bool,
    /// Whether cells were chosen: then nobody asked for redirects.
    pub chosen: bool,
}

impl Evidence<'_> {
    /// Judges it, and says what became of each waiver. `others` are findings that no waiver of a cell can cover; `is_whole`
    /// says whether every cell of an area was to be called.
    ///
    /// A shard alone does not say that a requirement is unproven, or that a waiver is no longer needed: what shows it may be
    /// another's.
    pub fn conclude(
        &self,
        others: Vec<Finding>,
        is_whole: &dyn Fn(&Area) -> bool,
    ) -> (Vec<Fate>, Conclusion) {
        let roll = Roll {
            matrix: self.matrix,
            sights: self.sights,
            mcp_refuses: self.mcp_refuses,
            earlier: self.earlier,
            shown: &judge::shown(self.matrix, self.tools, self.on_routes, self.lists),
        };
        let conclusion = roll.conclude_under(self.waivers);
        let findings = probe::findings(self.checked, &conclusion.tells_of_strangers(self.matrix));
        let conclusion = conclusion.with(findings).with(others);
        let (mut fates, mut conclusion) = self.weighed(&roll, conclusion, is_whole);
        if self.matrix.is_part() {
            let is_anothers =
                |finding: &Finding| matches!(finding.code, Code::SpecUnproven | Code::StaleWaiver);
            conclusion.findings.retain(|finding| !is_anothers(finding));
            for fate in fates.iter_mut().filter(|fate| **fate == Fate::Stale) {
                *fate = Fate::Idle;
            }
        }
        (fates, conclusion)
    }

    fn weighed(
        &self,
        roll: &Roll<'_>,
        conclusion: Conclusion,
        is_whole: &dyn Fn(&Area) -> bool,
    ) -> (Vec<Fate>, Conclusion) {
        let lists = Lists {
            roll,
            tools: self.tools,
            lists: self.lists,
            attempts: self.attempts,
            undeclared: self.undeclared,
            left_out: self.left_out,
            waivers: self.waivers,
        };
        let conclusion = lists.add_to(conclusion).under(self.waivers);
        let unregistered = |name: &str| {
            let mut findings = self.earlier.iter();
            findings.any(|finding| finding.about.iter().any(|one| one == name))
        };
        let requirement = |requirement| probe::fate(self.checked, requirement);
        let is_sound = |code, name: &str| match code {
            Code::RedirectUnregistered => self.looked && !self.chosen && !unregistered(name),
            other => self.looked && lists.is_sound(other, name),
        };
        conclusion.weighed(self.matrix, self.waivers, &requirement, &is_sound, is_whole)
    }
}

/// Whether a finding is one that [`Evidence::conclude`] comes to, and not one of those that it is given.
pub fn is_concluded(finding: &Finding) -> bool {
    let of_cells_or_lists = matches!(
        finding.code,
        Code::Leak
            | Code::EffectDespiteRefusal
            | Code::CrashedNotRefused
            | Code::Lockout
            | Code::Broken
            | Code::NoEffect
            | Code::DoorsDisagree
            | Code::Flips
            | Code::WrongRefusal
            | Code::Intercepted
            | Code::NoAnswer
            | Code::EffectUnread
            | Code::NoControl
            | Code::NotShown
            | Code::Incomplete
            | Code::ExpiredWaiver
            | Code::StaleWaiver
            | Code::WaiverEnds
            | Code::DenyList
            | Code::UndeclaredTool
            | Code::UndeclaredToolNoted
            | Code::ListUnread
            | Code::DeclaredToolMissing
            | Code::HiddenButCallable
            | Code::ListedButRefused
    );
    of_cells_or_lists || finding.requirement.is_some()
}
