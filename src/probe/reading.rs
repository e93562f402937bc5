//! What came back from a deployment in, what it makes of each requirement out. Pure.

use super::challenge::Challenge;
use super::checked::{Place, State};
use super::guess::guessable;
use super::metadata::Metadata;
use super::published;
use super::trick::Trick;
use super::visit::{Answer, SESSIONS, Visit};
use crate::cell::Door;
use crate::door::{Exchange, Observation};
use crate::judge::{self, Outcome, Setting};
use crate::requirement::Requirement;

/// Everything that was asked of an MCP URL.
#[derive(Clone, Debug)]
pub struct Site {
    /// The MCP URL.
    pub url: String,
    /// Each open MCP door, in matrix order.
    pub visits: Vec<Visit>,
    /// The documents that it leads to.
    pub metadata: Metadata,
}

/// What a requirement comes to, place by place.
pub fn check(requirement: Requirement, site: &Site) -> Vec<Place> {
    let at_each = |read: fn(&Visit) -> Place| {
        let visits = site.visits.iter();
        visits.map(|visit| read(visit).at(visit.door)).collect()
    };
    match requirement {
        Requirement::TokenDemanded => at_each(token_demanded),
        Requirement::MetadataFound => {
            let visits = site.visits.iter();
            let found = |visit| metadata_found(visit, site).at(visit.door);
            visits.map(found).collect()
        }
        Requirement::ScopeAdvised => at_each(scope_advised),
        Requirement::NothingBlamed => at_each(nothing_blamed),
        Requirement::BadTokenRefused => at_each(bad_token_refused),
        Requirement::AudienceChecked => at_each(audience_checked),
        Requirement::ScopeMissed => at_each(scope_missed),
        Requirement::QueryIgnored => at_each(query_ignored),
        Requirement::SessionNoToken => of_sessions(site, session_no_token),
        Requirement::SessionBound => of_sessions(site, session_bound),
        Requirement::SessionUnguessable => of_sessions(site, session_unguessable),
        Requirement::OriginChecked => at_each(origin_checked),
        Requirement::HeadersAgree => of_door(site, Door::Mcp, headers_agree),
        Requirement::VersionChecked => at_each(version_checked),
        Requirement::BatchRefused => at_each(batch_refused),
        Requirement::MethodsAnswered => at_each(methods_answered),
        Requirement::StateChecked => vec![Place::not_applicable(
            "no tool can be made to ask for more from outside",
        )],
        Requirement::TasksBound => vec![Place::not_applicable(
            "no task is started, because it would run",
        )],
        Requirement::MetadataServed
        | Requirement::ServersNamed
        | Requirement::ResourceNamed
        | Requirement::IssuerServed
        | Requirement::PkceOffered
        | Requirement::AddressesSecured
        | Requirement::IssuerInAnswers
        | Requirement::Registration
        | Requirement::NoOfflineAccess => vec![published::check(requirement, site)],
    }
}

fn of_sessions(site: &Site, read: fn(&Visit) -> Place) -> Vec<Place> {
    of_door(site, Door::McpLegacy, read)
}

fn of_door(site: &Site, door: Door, read: fn(&Visit) -> Place) -> Vec<Place> {
    let visit = site.visits.iter().find(|visit| visit.door == door);
    let absent = || Place::not_applicable(format!("there is no door {door}"));
    vec![visit.map_or_else(absent, |visit| read(visit).at(door))]
}

/// How an answer to an irregular request is to be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It got through.
    Through,
    /// It was refused with this 4xx.
    Refused(u16),
    /// Something else came: a redirect, a crash, a denial inside a 200, a page.
    Odd,
    /// Nothing that says anything about the request: silence, 429, an outage.
    Nothing,
}

fn fate(exchange: &Exchange) -> Fate {
    match exchange.status() {
        None | Some(429 | 502..=504) => Fate::Nothing,
        Some(200..=299) if exchange.result.is_some() => Fate::Through,
        Some(status @ 400..=499) => Fate::Refused(status),
        Some(_) => Fate::Odd,
    }
}

/// What came back, in a few words.
pub(super) fn said(exchange: &Exchange) -> String {
    let request = &exchange.observation.request;
    match (exchange.status(), exchange.error) {
        (None, _) => format!("{request} got no answer"),
        (Some(status), Some(code)) => {
            format!("{request} got {status} with JSON-RPC error {code}")
        }
        (Some(status), None) if exchange.result.is_some() => {
            format!("{request} got {status} with a result")
        }
        (Some(status), None) => format!("{request} got {status}"),
    }
}

/// A refusal means something only where the same request gets through with a valid token.
fn control(visit: &Visit) -> Result<(), Place> {
    let place = match &visit.control {
        Answer::Came(exchange) if fate(exchange) == Fate::Through => return Ok(()),
        Answer::Came(exchange) => {
            Place::unproven(format!("with a valid token, {}", said(exchange)))
        }
        Answer::Unsent(place) => place.clone(),
    };
    Err(Place {
        explained: place.explained || !visit.alive,
        ..place
    })
}

/// What the answers to several requests come to. Each is read on its own; the first violation is the evidence.
fn each(visit: &Visit, tricks: &[Trick], held: &str, read: impl Fn(&Exchange) -> Verdict) -> Place {
    if let Err(place) = control(visit) {
        return place;
    }
    let (mut wrong, mut unclear, mut sent) = (Vec::new(), Vec::new(), 0);
    let mut seen: Option<&Observation> = None;
    let mut absent = None;
    for trick in tricks {
        match visit.answer(*trick) {
            Err(place) if place.state == State::NotApplicable => absent = Some(place),
            Err(place) => return place,
            Ok(exchange) => {
                sent += 1;
                match read(exchange) {
                    Verdict::Fine => {}
                    Verdict::Wrong => {
                        seen = seen.or(Some(&exchange.observation));
                        wrong.push(said(exchange));
                    }
                    Verdict::Unclear => unclear.push(said(exchange)),
                }
            }
        }
    }
    match (wrong.as_slice(), unclear.as_slice(), absent) {
        ([_, ..], _, _) => Place::violated(wrong.join(", "), seen),
        ([], [_, ..], _) => Place::unproven(unclear.join(", ")),
        ([], [], Some(place)) if sent == 0 => place,
        ([], [], _) => Place::held(held),
    }
}

enum Verdict {
    Fine,
    Wrong,
    Unclear,
}

impl Verdict {
    fn of(fine: bool, fate: Fate) -> Self {
        match fate {
            Fate::Nothing => Self::Unclear,
            Fate::Through | Fate::Refused(_) | Fate::Odd if fine => Self::Fine,
            Fate::Through | Fate::Refused(_) | Fate::Odd => Self::Wrong,
        }
    }
}

const NOBODYS: [Trick; 8] = [
    Trick::NobodyOpens,
    Trick::NobodyLists,
    Trick::NobodyListsResources,
    Trick::NobodyListsTemplates,
    Trick::NobodyListsPrompts,
    Trick::NobodyCalls,
    Trick::NobodyGets,
    Trick::NobodyDeletes,
];

fn token_demanded(visit: &Visit) -> Place {
    let (mut holes, mut wrong, mut unclear) = (Vec::new(), Vec::new(), Vec::new());
    let mut refused = 0;
    let mut unsent = None;
    for trick in NOBODYS {
        match visit.answer(trick) {
            Ok(exchange) => match unsigned(visit.door, trick, exchange) {
                Unsigned::Refused => refused += 1,
                Unsigned::Through => holes.push(exchange),
                Unsigned::Wrongly => wrong.push(exchange),
                Unsigned::Unclear => unclear.push(said(exchange)),
            },
            Err(place) if place.state == State::NotApplicable => {}
            Err(place) => unsent = Some(place),
        }
    }
    let told = |exchanges: &[&Exchange]| {
        let words: Vec<String> = exchanges.iter().map(|exchange| said(exchange)).collect();
        words.join(", ")
    };
    if let Some(first) = holes.first() {
        return Place {
            hole: true,
            ..Place::violated(told(&holes), Some(&first.observation))
        };
    }
    if let Some(first) = wrong.first() {
        return Place::violated(told(&wrong), Some(&first.observation));
    }
    match (control(visit), unsent, unclear.first()) {
        (Err(place), ..) | (Ok(()), Some(place), _) => place,
        (Ok(()), None, Some(first)) => Place::unproven(first),
        (Ok(()), None, None) => Place::held(format!("{refused} calls were refused")),
    }
}

enum Unsigned {
    Refused,
    Through,
    Wrongly,
    Unclear,
}

/// How a call without a token fared. Outside of a session and for other methods than POST, a refusal for that very
/// reason gives nothing away either.
fn unsigned(door: Door, trick: Trick, exchange: &Exchange) -> Unsigned {
    let bare = matches!(trick, Trick::NobodyGets | Trick::NobodyDeletes);
    let outside = door == Door::McpLegacy && trick != Trick::NobodyOpens;
    match (fate(exchange), exchange.status()) {
        (Fate::Nothing, _) => Unsigned::Unclear,
        (Fate::Refused(401), _) => Unsigned::Refused,
        (Fate::Refused(400 | 404 | 405 | 406), _) if bare => Unsigned::Refused,
        (Fate::Refused(400 | 404), _) if outside => Unsigned::Refused,
        (Fate::Through, _) if trick == Trick::NobodyCalls => called(exchange),
        (Fate::Through, _) => Unsigned::Through,
        (Fate::Odd, Some(200..=299)) if trick == Trick::NobodyDeletes => Unsigned::Through,
        (Fate::Odd, Some(200..=299)) if trick == Trick::NobodyGets => {
            if is_stream(exchange) {
                Unsigned::Through
            } else {
                // A page for people: the requirement about methods speaks of it.
                Unsigned::Refused
            }
        }
        (Fate::Odd | Fate::Refused(_), _) => Unsigned::Wrongly,
    }
}

/// A tool that cannot exist was asked for: a denial inside the answer is a wrong refusal, all else came from the tools.
fn called(exchange: &Exchange) -> Unsigned {
    let reading = judge::read(&exchange.observation, &Setting::default());
    if reading.outcome == Outcome::RefusedInBand {
        Unsigned::Wrongly
    } else {
        Unsigned::Through
    }
}

fn is_stream(exchange: &Exchange) -> bool {
    let kind = exchange.headers.get(http::header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/event-stream"))
}

/// The first 401 among the answers to these requests.
fn first_401<'v>(visit: &'v Visit, tricks: &[Trick]) -> Option<&'v Exchange> {
    let mut answers = tricks.iter().filter_map(|trick| visit.answer(*trick).ok());
    answers.find(|exchange| exchange.status() == Some(401))
}

/// The 401 to a call without a token; where a door has none, the one to a token that is none. Without any, what C-01
/// comes to says why.
fn refusal(visit: &Visit) -> Result<&Exchange, Place> {
    if let Err(place) = control(visit) {
        return Err(place);
    }
    first_401(visit, &NOBODYS)
        .or_else(|| first_401(visit, &[Trick::Garbage]))
        .ok_or_else(|| Place::explained("no call without a token got 401 (C-01)"))
}

fn metadata_found(visit: &Visit, site: &Site) -> Place {
    let exchange = match refusal(visit) {
        Ok(exchange) => exchange,
        Err(place) => return place,
    };
    let seen = Some(&exchange.observation);
    let Some(challenge) = Challenge::of(&exchange.headers) else {
        return Place::violated("the 401 carries no Bearer challenge", seen);
    };
    match challenge.get("resource_metadata") {
        Some(pointer) if url::Url::parse(pointer).is_ok() => {
            Place::held("the challenge names the resource metadata")
        }
        Some(_) => Place::violated(
            "resource_metadata in the challenge is no absolute URL",
            seen,
        ),
        None if site
            .metadata
            .resource
            .iter()
            .any(|one| one.document().is_some()) =>
        {
            Place::held("the resource metadata stands at its well-known address")
        }
        None => Place::explained("there is no resource metadata (C-03)"),
    }
}

fn challenge(visit: &Visit) -> Result<(Challenge, &Exchange), Place> {
    let exchange = refusal(visit)?;
    Challenge::of(&exchange.headers)
        .map(|challenge| (challenge, exchange))
        .ok_or_else(|| Place::explained("the 401 carries no Bearer challenge (C-02)"))
}

fn scope_advised(visit: &Visit) -> Place {
    match challenge(visit) {
        Err(place) => place,
        Ok((challenge, exchange)) => match challenge.get("scope") {
            Some(scope) if !scope.trim().is_empty() => Place::held("the challenge has a scope"),
            _ => Place::violated("the challenge has no scope", Some(&exchange.observation)),
        },
    }
}

fn nothing_blamed(visit: &Visit) -> Place {
    if let Err(place) = control(visit) {
        return place;
    }
    let Some(exchange) = first_401(visit, &NOBODYS) else {
        return Place::explained("no call without a token got 401 (C-01)");
    };
    match Challenge::of(&exchange.headers) {
        None => Place::explained("the 401 carries no Bearer challenge (C-02)"),
        Some(challenge) => match challenge.get("error") {
            None => Place::held("the challenge has no error"),
            Some(error) => Place::violated(
                format!("the challenge has error {error:?} although no token came"),
                Some(&exchange.observation),
            ),
        },
    }
}

/// What a refusal without a valid token comes to. Where even a call without any token is not answered with 401, only
/// what gets through beyond that is a violation of its own.
fn unless_open(visit: &Visit, tricks: &[Trick], held: &str, read: impl Fn(Fate) -> bool) -> Place {
    let place = each(visit, tricks, held, |exchange| {
        let fate = fate(exchange);
        Verdict::of(read(fate), fate)
    });
    let open = token_demanded(visit);
    if place.state != State::Violated || open.state != State::Violated {
        return place;
    }
    let through = tricks
        .iter()
        .filter_map(|trick| visit.answer(*trick).ok())
        .any(|exchange| fate(exchange) == Fate::Through);
    if through && !open.hole {
        place
    } else {
        Place::explained("a call without a token fares no worse (C-01)")
    }
}

fn bad_token_refused(visit: &Visit) -> Place {
    let tricks = [
        Trick::Garbage,
        Trick::Edited,
        Trick::Unsigned,
        Trick::Expired,
    ];
    unless_open(
        visit,
        &tricks,
        "tokens that are not valid got 401",
        |fate| fate == Fate::Refused(401),
    )
}

fn audience_checked(visit: &Visit) -> Place {
    let held = "a token for another resource got 401";
    unless_open(visit, &[Trick::OtherAudience], held, |fate| {
        fate == Fate::Refused(401)
    })
}

fn query_ignored(visit: &Visit) -> Place {
    let held = "a token in the query was not accepted";
    unless_open(visit, &[Trick::InQuery], held, is_refusal)
}

fn session_no_token(visit: &Visit) -> Place {
    let held = "a session without a token was refused";
    unless_open(visit, &[Trick::SessionAlone], held, is_refusal)
}

fn session_bound(visit: &Visit) -> Place {
    let held = "another persona's token was refused in the session";
    unless_open(visit, &[Trick::SessionBorrowed], held, |fate| {
        fate != Fate::Through
    })
}

fn is_refusal(fate: Fate) -> bool {
    matches!(fate, Fate::Refused(_))
}

fn session_unguessable(visit: &Visit) -> Place {
    if let Err(place) = control(visit) {
        return place;
    }
    let ids: Vec<&str> = visit
        .sessions
        .iter()
        .flatten()
        .filter_map(|session| session.id())
        .collect();
    if ids.is_empty() {
        return Place::not_applicable("the server keeps no sessions");
    }
    match guessable(&ids) {
        Some(why) => Place::violated(why, None),
        None if ids.len() < SESSIONS => {
            Place::unproven(format!("only {} of {SESSIONS} sessions opened", ids.len()))
        }
        None => Place::held(format!("{} ids show no pattern", ids.len())),
    }
}

fn origin_checked(visit: &Visit) -> Place {
    let tricks = [Trick::ForeignOrigin, Trick::NullOrigin];
    each(visit, &tricks, "foreign origins were refused", |exchange| {
        let fate = fate(exchange);
        let fine = if visit.has_origin_status() {
            fate == Fate::Refused(403)
        } else {
            is_refusal(fate)
        };
        Verdict::of(fine, fate)
    })
}

fn headers_agree(visit: &Visit) -> Place {
    let tricks = [Trick::LyingMethod, Trick::MissingMethod, Trick::LyingName];
    each(visit, &tricks, "contradictions were refused", |exchange| {
        let fate = fate(exchange);
        Verdict::of(is_refusal(fate), fate)
    })
}

fn version_checked(visit: &Visit) -> Place {
    let held = "an unknown version got 400";
    each(visit, &[Trick::UnknownVersion], held, |exchange| {
        let fate = fate(exchange);
        Verdict::of(fate == Fate::Refused(400), fate)
    })
}

fn batch_refused(visit: &Visit) -> Place {
    each(visit, &[Trick::Batch], "a batch was refused", |exchange| {
        let fate = fate(exchange);
        Verdict::of(is_refusal(fate), fate)
    })
}

fn methods_answered(visit: &Visit) -> Place {
    let open = visit.answer(Trick::NobodyGets).is_ok_and(is_stream);
    if open {
        return Place::explained("a GET without a token opens a stream (C-01)");
    }
    let legacy = visit.door == Door::McpLegacy;
    let gets = each(visit, &[Trick::Gets], "", |exchange| {
        let opened = legacy && is_stream(exchange);
        let fate = fate(exchange);
        Verdict::of(fate == Fate::Refused(405) || opened, fate)
    });
    let deletes = each(visit, &[Trick::Deletes], "", |exchange| {
        let fate = fate(exchange);
        let ended = legacy && matches!(exchange.status(), Some(200..=299));
        // Without a session there is nothing to end.
        let none = legacy && !visit.keeps_sessions() && is_refusal(fate);
        Verdict::of(fate == Fate::Refused(405) || ended || none, fate)
    });
    match (gets.state, deletes.state) {
        (State::Held, State::Held) => Place::held("GET and DELETE are answered"),
        (State::Violated, State::Violated) => Place {
            why: format!("{}, {}", gets.why, deletes.why),
            ..gets
        },
        (_, State::Violated) | (State::Held, _) => deletes,
        _ => gets,
    }
}

fn scope_missed(visit: &Visit) -> Place {
    let challenges = visit.refusals.iter().filter_map(|observation| {
        let crate::door::Answer::Http(http) = &observation.answer else {
            return None;
        };
        let values = http.headers.iter();
        let mut named = values.filter(|(name, _)| name == "www-authenticate");
        let challenge = named.find_map(|(_, value)| Challenge::read(value))?;
        Some((challenge, observation))
    });
    let challenges: Vec<_> = challenges.collect();
    if challenges.is_empty() {
        return Place::not_applicable(if visit.refusals.is_empty() {
            "nobody was refused with 403"
        } else {
            "403 came without a challenge: a role is no scope"
        });
    }
    let lacking = |challenge: &Challenge| {
        let missing = ["scope", "resource_metadata"]
            .into_iter()
            .filter(|name| challenge.get(name).is_none());
        let mut lacks: Vec<String> = missing.map(|name| format!("no {name}")).collect();
        if challenge.get("error") != Some("insufficient_scope") {
            lacks.insert(0, "another error than insufficient_scope".to_owned());
        }
        lacks.join(", ")
    };
    let wrong = challenges
        .iter()
        .map(|(challenge, observation)| (lacking(challenge), observation))
        .find(|(lacks, _)| !lacks.is_empty());
    match wrong {
        Some((lacks, observation)) => Place::violated(
            format!("the challenge of a 403 has {lacks}"),
            Some(observation),
        ),
        None => Place::held("the challenges of 403 name the scope that is missing"),
    }
}
