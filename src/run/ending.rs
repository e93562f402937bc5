//! Everything seen in, verdicts, findings and the last line out.

use super::Settings;
use super::beginning::Beginning;
use super::conclusion::Evidence;
use super::document::Routes;
use super::event::{Covered, Event};
use super::hall::Hall;
use super::passes::{others_than, simply_passed, stretches};
use super::standing::stops;
use crate::judge::{self, Code, Coverage, Finding, Gap, Inventory, Sight, Sightings};
use crate::plan::{Check, Matrix, Plan};
use crate::scenario::Location;
use crate::waiver::Area;

/// Judges the run and tells verdicts in matrix order, findings by gravity, and the end. `others` are the findings
/// about what no cell calls: redirects, and doors that are not listed.
pub(super) fn judge_and_tell(hall: &Hall<'_>, others: Vec<Finding>) {
    let sights = hall.sights.borrow();
    let mut earlier = earlier(hall, &sights);
    earlier.extend(others);
    let deployment = &hall.plan.scenario.deployment;
    let evidence = Evidence {
        matrix: &hall.plan.matrix,
        sights: sights.view(),
        mcp_refuses: deployment.mcp_refuses,
        earlier: &earlier,
        checked: &hall.checked.borrow(),
        tools: &hall.plan.scenario.tools(),
        on_routes: &on_routes(hall),
        lists: &hall.lists.borrow(),
        attempts: &hall.attempts.borrow(),
        undeclared: deployment.requirements.undeclared,
        left_out: &deployment.extent.left_out_tools,
        waivers: hall.waivers(),
        looked: !hall.stop.is_stopped(),
        chosen: !hall.plan.is_whole(),
    };
    let is_whole = |area: &Area| is_whole(hall, area);
    let (fates, conclusion) = evidence.conclude(covered(hall), &is_whole);
    let passes = |index: usize| {
        let verdict = conclusion.verdicts[index].as_deref();
        verdict.is_some_and(|verdict| simply_passed(verdict, &sights[index]))
    };
    let green = stretches(&hall.plan.matrix, passes);
    if !green.is_empty() {
        let cells = green.clone();
        hall.tell(Event::CellsPassed { cells });
    }
    for (check, verdict) in others_than(&green, &hall.plan.matrix)
        .filter_map(|check| Some((check, conclusion.verdicts[check.index].as_deref()?)))
    {
        let cell = hall.plan.matrix.cell(&check);
        hall.tell(Event::CellFinished {
            persona: cell.persona,
            operation: cell.operation,
            door: cell.door,
            verdict: verdict.clone(),
            repeats: Some(sights[check.index].repeats).filter(|it| it.are_worth_telling()),
        });
    }
    for finding in conclusion.findings {
        hall.tell(Event::FindingMade(finding));
    }
    for (waiver, fate) in (0..).zip(fates) {
        hall.tell(Event::WaiverWeighed { waiver, fate });
    }
    let mut checks = hall.plan.matrix.checks();
    let complete = checks.all(|check| sights[check.index].gap != Some(Gap::NotReached));
    hall.tell(Event::RunFinished {
        complete: complete && !hall.stop.is_stopped() && !hall.limit.is_reached(),
        enough: hall.limit.met(),
        took_ms: hall.elapsed_ms(),
    });
}

/// The whole story of a shard that has no cells: it begins and it ends.
pub(super) fn tell_nothing(plan: &Plan, settings: &Settings, tell: &mut dyn FnMut(Event)) {
    tell(Event::RunStarted(Box::new(Beginning::of(plan, settings))));
    tell(Event::RunFinished {
        complete: true,
        enough: None,
        took_ms: 0,
    });
}

/// Operations that are on a route of the document, which are told where nobody's call can show that they exist.
fn on_routes(hall: &Hall<'_>) -> Vec<usize> {
    let matrix = &hall.plan.matrix;
    if !judge::needs_showing(matrix) {
        return Vec::new();
    }
    let Some((_, matching)) = hall.routes.known() else {
        return Vec::new();
    };
    let on = matching.on.iter().enumerate();
    let on = on.filter(|(_, routes)| !routes.is_empty());
    let operations: Vec<usize> = on.map(|(operation, _)| operation).collect();
    hall.tell(Event::RoutesKnown {
        operations: operations.clone(),
    });
    operations
}

/// Tells how much of the deployment the operations name, where the author says how much they are to.
fn covered(hall: &Hall<'_>) -> Vec<Finding> {
    let scenario = &hall.plan.scenario;
    let extent = &scenario.deployment.extent;
    // Who chooses cells, or ends the run early, has not asked what else there is.
    if extent.is_usual() || !hall.plan.is_whole() || hall.limit.is_reached() {
        return Vec::new();
    }
    let document = hall.routes.known();
    let lists = &hall.lists.borrow();
    let coverage = Coverage::of(&Inventory {
        scenario,
        document,
        lists,
    });
    let location = extent.openapi.as_ref();
    let source = location.map(Location::shown).unwrap_or_default();
    let mut findings = coverage.findings(scenario);
    if let Routes::Unread(why) = &hall.routes {
        findings.extend(judge::unread(extent.routes, &source, why));
    }
    hall.tell(Event::CoverageCompared(Covered {
        document: document.map(|_| source),
        routes: coverage.of_routes(),
        tools: coverage.of_tools(),
        left_out: coverage.left_out,
    }));
    findings
}

/// Whether the run was to call every cell of an area that the scenario has.
fn is_whole(hall: &Hall<'_>, area: &Area) -> bool {
    if !hall.plan.is_partial() {
        return true;
    }
    let scenario = &hall.plan.scenario;
    let all = Matrix::of(scenario, scenario.deployment.doors.clone());
    let cells = |matrix: &Matrix| {
        let lies_in = |check: &Check<'_>| {
            let cell = matrix.cell(check);
            area.holds(&cell.persona, &cell.operation, cell.door)
        };
        matrix.checks().filter(lies_in).count()
    };
    cells(&all) == cells(&hall.plan.matrix)
}

/// Findings that no cell's answer can show: about tokens, fixtures, doors and what was left behind.
fn earlier(hall: &Hall<'_>, sights: &Sightings) -> Vec<Finding> {
    let mut findings = refused_entry(hall, sights);
    findings.extend(
        hall.objects
            .failures()
            .into_iter()
            .filter_map(|(fixture, reason)| failed_fixture(hall, sights, fixture, &reason)),
    );
    findings.extend(withheld_fixtures(hall, sights));
    findings.extend(hall.doors.closed.iter().map(|door| {
        let said = hall
            .doors
            .found
            .iter()
            .find(|found| found.door == *door)
            .map_or("", |found| found.detail.as_str());
        Finding::new(
            Code::DoorClosed,
            format!("{door}: {said}"),
            cells(hall, |check| check.door == *door),
        )
    }));
    findings.extend(
        hall.objects
            .left_behind()
            .into_iter()
            .map(|words| Finding::new(Code::LeftBehind, words, Vec::new())),
    );
    findings
}

/// What is wrong with sign-ins and tokens; what several personas have in common is one defect.
fn refused_entry(hall: &Hall<'_>, sights: &Sightings) -> Vec<Finding> {
    let name = |persona: usize| hall.plan.scenario.personas[persona].name.as_str();
    let mut defects: Vec<Defect<'_>> = Vec::new();
    for persona in 0..hall.standings.len() {
        for (code, fault, cells) in faults(hall, sights, persona) {
            let known = defects
                .iter_mut()
                .find(|known| (known.code, known.fault) == (code, fault));
            match known {
                Some(known) => {
                    known.personas.push(persona);
                    known.cells.extend(cells);
                }
                None => defects.push(Defect {
                    code,
                    fault,
                    personas: vec![persona],
                    cells,
                }),
            }
        }
    }
    let finding = |mut defect: Defect<'_>| {
        let names = defect.personas.iter().map(|persona| name(*persona));
        let words = format!("{}{}", together(names.collect()), defect.fault);
        defect.cells.sort_unstable();
        Finding::new(defect.code, words, defect.cells)
    };
    defects.into_iter().map(finding).collect()
}

/// What is wrong with the tokens of some personas alike.
struct Defect<'h> {
    code: Code,
    fault: &'h str,
    personas: Vec<usize>,
    cells: Vec<usize>,
}

/// What is wrong with a persona's tokens, each with the cells that it concerns: of its first token all, of one that was to
/// take its place those that could not be judged any more.
fn faults<'h>(
    hall: &'h Hall<'_>,
    sights: &Sightings,
    persona: usize,
) -> Vec<(Code, &'h str, Vec<usize>)> {
    let own = |check: &Check<'_>| check.persona == persona;
    let has_lapsed =
        |sight: &Sight| matches!(sight.gap, Some(Gap::TokenRanOut | Gap::PersonaStopped));
    // Seldom has any, and then no cell is looked at.
    let some = sights.may_hold(has_lapsed);
    let lapsed = |check: &Check<'_>| own(check) && has_lapsed(&sights[check.index]);
    let lapsed = || {
        if some {
            cells(hall, lapsed)
        } else {
            Vec::new()
        }
    };
    let first = hall.standings[persona].faults.iter();
    let mut faults: Vec<_> = first
        .map(|(code, fault)| (*code, fault.as_str(), cells(hall, own)))
        .collect();
    let later = hall.renewed[persona].iter().filter_map(|place| place.get());
    let later = later.flat_map(|standing| &standing.faults);
    faults.extend(later.map(|(code, fault)| (*code, fault.as_str(), lapsed())));
    if faults.iter().all(|(code, ..)| !stops(*code)) {
        let cells = lapsed();
        let fault = unreplaced(
            hall.renewed[persona]
                .iter()
                .any(|place| place.get().is_some()),
        );
        faults.extend((!cells.is_empty()).then_some((Code::TokenRanOut, fault, cells)));
    }
    faults
}

const fn unreplaced(renewed: bool) -> &'static str {
    if renewed {
        ": the token ran out, and so did the one in its place: a run renews each once"
    } else {
        ": the token ran out before cells for which none is renewed, because they ask how tokens are refused"
    }
}

/// "a", "a and b", "a, b and c".
fn together(mut names: Vec<&str>) -> String {
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default().to_owned(),
    }
}

/// A fixture that could not be made is a finding of its own, unless its owner's cells show the very reason already.
fn failed_fixture(
    hall: &Hall<'_>,
    sights: &Sightings,
    fixture: usize,
    reason: &str,
) -> Option<Finding> {
    let plan = &hall.plan.scenario.fixtures[fixture];
    let missed = missed(hall, sights, fixture);
    let told = hall.standing(plan.owner).gap.is_some() || owner_fails(hall, sights, plan.owner);
    if missed.is_empty() && told {
        return None;
    }
    let creates = |index: &usize| {
        let check = hall.plan.matrix.check(*index);
        check.is_some_and(|check| {
            hall.plan.scenario.operations[check.operation]
                .creates
                .is_some()
        })
    };
    let withheld = if missed.iter().any(creates) {
        "; what it could not remove again was not made by others either"
    } else {
        ""
    };
    let owner = &hall.plan.scenario.personas[plan.owner].name;
    Some(Finding::new(
        Code::FixtureFailed,
        format!("{owner} could not make a {}: {reason}{withheld}", plan.name),
        missed,
    ))
}

/// Cells that were not called for want of such an object.
fn missed(hall: &Hall<'_>, sights: &Sightings, fixture: usize) -> Vec<usize> {
    cells(hall, |check| {
        let operation = &hall.plan.scenario.operations[check.operation];
        matches!(
            sights[check.index].gap,
            Some(Gap::FixtureFailed | Gap::CreationWithheld | Gap::DecoyDoubtful)
        ) && (operation.uses.contains(&fixture) || operation.creates == Some(fixture))
    })
}

/// Fixtures of which no more were made, because one before cannot be accounted for, and those whose decoy may be somebody's
/// object; what its owner could not make is told otherwise.
fn withheld_fixtures(hall: &Hall<'_>, sights: &Sightings) -> Vec<Finding> {
    let failures = hall.objects.failures();
    let failed = |fixture: usize| failures.iter().any(|(known, _)| *known == fixture);
    let name = |fixture: usize| &hall.plan.scenario.fixtures[fixture].name;
    let lost = hall.objects.lost().into_iter();
    let lost = lost.filter(|(fixture, _)| !failed(*fixture));
    let lost = lost.map(|(fixture, words)| {
        let name = name(fixture);
        let detail = format!("no more of {name} was made, because one may still be there: {words}");
        (fixture, detail)
    });
    lost.chain(hall.objects.spoilt_decoys())
        .filter_map(|(fixture, detail)| {
            let missed = missed(hall, sights, fixture);
            (!missed.is_empty()).then(|| Finding::new(Code::FixtureFailed, detail, missed))
        })
        .collect()
}

fn owner_fails(hall: &Hall<'_>, sights: &Sightings, owner: usize) -> bool {
    hall.plan
        .matrix
        .checks()
        .filter(|check| check.persona == owner)
        .any(|check| {
            let sight = &sights[check.index];
            sight
                .reading
                .is_some_and(|reading| !hall.as_demanded(&check, reading, sight.status))
        })
}

fn cells(hall: &Hall<'_>, mut wanted: impl FnMut(&Check<'_>) -> bool) -> Vec<usize> {
    hall.plan
        .matrix
        .checks()
        .filter(|check| wanted(check))
        .map(|check| check.index)
        .collect()
}
