//! Scenario file in, every request that a run would send out; sends nothing.

use serde_json::json;

use super::Context;
use super::args::{self, Listing};
use super::{guard, loading, shard};
use crate::day::Day;
use crate::exit::Exit;
use crate::plan::{Conduct, Guarded, Plan, Planned, Stage};
use crate::probe;
use crate::report::sanitizer;
use crate::run::unlisted;
use crate::scenario::Missing;
use crate::waiver::Waiver;

/// Prints the plan. Variables without a value stay as they stand in the file.
pub(super) fn plan(arguments: &args::Plan, context: &Context) -> Exit {
    let scenario = match loading::load(
        &arguments.scenario,
        &arguments.values,
        Missing::Kept,
        context,
    ) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let selection = match guard::selection(&arguments.selection, context) {
        Ok(selection) => selection,
        Err(exit) => return exit,
    };
    let only = &selection.only;
    if let Err(exit) = loading::known(only, std::slice::from_ref(&scenario), context) {
        return exit;
    }
    let shard = match shard::wanted(arguments.selection.shard, context) {
        Ok(shard) => shard,
        Err(exit) => return exit,
    };
    let whole = Plan::lay(scenario, selection);
    let nothing = whole.checks() == 0;
    let plan = match shard {
        Some(shard) => whole.part(shard),
        None => whole,
    };
    let text = match arguments.format {
        Listing::Json => as_json(&plan),
        Listing::Text => as_text(&plan, context.environment.today),
    };
    let redacted = context.redactor.redact(&text);
    if context.terminal.print(redacted.as_bytes()).is_err() {
        return Exit::ReportUnwritten;
    }
    if nothing {
        Exit::NothingSelected
    } else {
        Exit::Conforms
    }
}

/// Every request, those that no cell makes before the clean-up.
fn requests(plan: &Plan) -> Vec<Planned> {
    let mut requests = plan.requests();
    if !plan.is_whole() {
        return requests;
    }
    let place = requests
        .iter()
        .position(|planned| matches!(planned.stage, Stage::Cleanup | Stage::Farewell))
        .unwrap_or(requests.len());
    let others = [probe::planned(plan), unlisted::planned(plan)];
    requests.splice(place..place, others.concat());
    requests
}

fn as_json(plan: &Plan) -> String {
    let document = json!({
        "schema": "rolecall.plan/1",
        "scenario": plan.scenario.name,
        "digest": plan.digest,
        "shard": plan.shard.map(|shard| json!({"number": shard.number(), "of": shard.of()})),
        "checks": plan.checks(),
        "production": plan.guard.hosts.iter().map(guarded).collect::<Vec<_>>(),
        "forbidden": plan.guard.forbids().next().is_some(),
        "waivers": plan.scenario.waivers,
        "requests": requests(plan),
    });
    format!("{document:#}\n")
}

fn as_text(plan: &Plan, today: Day) -> String {
    let shard = plan.shard.map(|shard| format!("{shard}, "));
    let mut text = format!(
        "{}: {} checks, {}plan {}\n",
        plan.scenario.name,
        plan.checks(),
        shard.unwrap_or_default(),
        plan.digest
    );
    for guarded in &plan.guard.hosts {
        text.push_str(&sanitizer::clean(&told(guarded)));
        text.push('\n');
    }
    if plan.guard.forbids().next().is_some() {
        text.push_str("A run of this plan is refused: it would change things there.\n");
    }
    text.push_str(&waived(plan, today));
    let mut stage = None;
    for planned in requests(plan) {
        if stage.replace(planned.stage) != Some(planned.stage) {
            text.push_str(heading(planned.stage));
        }
        text.push_str(&line(&planned));
    }
    text
}

fn guarded(guarded: &Guarded) -> serde_json::Value {
    json!({
        "host": guarded.host,
        "line": guarded.line,
        "pattern": guarded.pattern.to_string(),
        "pattern_line": guarded.pattern.line,
        "meant": guarded.meant,
    })
}

fn told(guarded: &Guarded) -> String {
    let (host, origin) = (&guarded.host, guard::origin(guarded));
    if guarded.meant {
        format!("{host} is production ({origin}), and is changed because --i-mean names it.")
    } else {
        format!(
            "{host} is production ({origin}): nothing is changed there without --i-mean {host}."
        )
    }
}

/// What is accepted for a while, whatever a run finds.
fn waived(plan: &Plan, today: Day) -> String {
    if plan.scenario.waivers.is_empty() {
        return String::new();
    }
    let one = |waiver: &Waiver| {
        let ends = if today.days_to(waiver.until) < 0 {
            "has run out: "
        } else {
            ""
        };
        let whole = format!(
            "  {:<42} {ends}{}",
            waiver.what(&waiver.places()),
            waiver.words()
        );
        format!("{}\n", sanitizer::clean(&whole))
    };
    let all: String = plan.scenario.waivers.iter().map(one).collect();
    format!("\nWaived, where it is found\n{all}")
}

fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::SignIn => "\nSign in, once a persona\n",
        Stage::Redirect => {
            "\nAsk whether redirects are registered; nobody signs in, no secret is sent\n"
        }
        Stage::Door => "\nOpen the MCP doors; an era that does not answer is left out\n",
        Stage::Fixture => {
            "\nMake, read and find objects of the run's own, as often as its cells need them\n"
        }
        Stage::Check => "\nCheck; writes are read back\n",
        Stage::List => "\nCompare what the doors list with the matrix; nothing is changed\n",
        Stage::Requirement => {
            "\nCheck the requirements of the MCP authorization chapter, each once; nothing is changed\n"
        }
        Stage::Unlisted => "\nLook for the deprecated HTTP+SSE pair, which no cell calls\n",
        Stage::Cleanup => "\nRemove every object of the run's own\n",
        Stage::Farewell => "\nEnd the run's own sessions\n",
    }
}

fn line(planned: &Planned) -> String {
    let expected = if planned.expected.is_empty() {
        String::new()
    } else {
        format!("  → {}", planned.expected)
    };
    let conduct = planned
        .conduct
        .and_then(aside)
        .map(|word| format!("  ({word})"))
        .unwrap_or_default();
    let json = planned
        .json
        .as_ref()
        .map(|json| format!("  {json}"))
        .unwrap_or_default();
    let whole = format!(
        "  {:<42} {}{json}{expected}{conduct}",
        subject(planned),
        planned.request
    );
    format!("{}\n", sanitizer::clean(&whole))
}

fn subject(planned: &Planned) -> String {
    if planned.stage == Stage::Check {
        planned.subject.clone()
    } else {
        format!("{} as {}", planned.subject, planned.persona)
    }
}

fn aside(conduct: Conduct) -> Option<&'static str> {
    match conduct {
        Conduct::Plain => None,
        Conduct::Live => Some("on an object of the run's own"),
        Conduct::Decoy => Some("with decoy values"),
        Conduct::Withheld => Some("not sent"),
    }
}
