//! What came back from a deployment in, what it makes of each requirement out. Pure.

use super::challenge::Challenge;
use super::checked::{Place, State};
use super::guess::guessable;
use super::metadata::Metadata;
use super::trick::Trick;
use super::visit::{Answer, SESSIONS, Visit};
use super::{private, published};
use crate::cell::Door;
use crate::door::{Exchange, Observation};
use crate::judge::{self, Listed, Outcome, Setting};
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
    /// The tools that each persona is shown at each of them.
    pub lists: Vec<Listed>,
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
        Requirement::ListPrivate => vec![private::list_private(site)],
        Requirement::StateChecked => vec![Place::not_applicable(
            "no tool can be made to ask for more from outside",
        )],
        Requirement::TasksBound => vec![Place::not_applicable(
            "no task is started, because it would run",
        )],
        Requirement::MetadataServed => vec![published::metadata_served(site)],
        Requirement::ServersNamed => vec![published::servers_named(site)],
        Requirement::ResourceNamed => vec![published::resource_named(site)],
        Requirement::IssuerServed => vec![published::issuer_served(site)],
        Requirement::PkceOffered => vec![published::pkce_offered(site)],
        Requirement::AddressesSecured => vec![published::addresses_secured(site)],
        Requirement::IssuerInAnswers => vec![published::issuer_in_answers(site)],
        Requirement::Registration => vec![published::registration(site)],
        Requirement::NoOfflineAccess => vec![published::no_offline_access(site)],
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
    control(visit)?;
    first_401(visit, &NOBODYS)
        .or_else(|| first_401(visit, &[Trick::Garbage]))
        .ok_or_else(|| {
            Place::blamed_on(
                Requirement::TokenDemanded,
                "no call without a token got 401",
            )
        })
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
        None => Place::blamed_on(Requirement::MetadataServed, "there is no resource metadata"),
    }
}

fn challenge(visit: &Visit) -> Result<(Challenge, &Exchange), Place> {
    let exchange = refusal(visit)?;
    Challenge::of(&exchange.headers)
        .map(|challenge| (challenge, exchange))
        .ok_or_else(|| {
            Place::blamed_on(
                Requirement::MetadataFound,
                "the 401 carries no Bearer challenge",
            )
        })
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
        return Place::blamed_on(
            Requirement::TokenDemanded,
            "no call without a token got 401",
        );
    };
    match Challenge::of(&exchange.headers) {
        None => Place::blamed_on(
            Requirement::MetadataFound,
            "the 401 carries no Bearer challenge",
        ),
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
        Place::blamed_on(
            Requirement::TokenDemanded,
            "a call without a token fares no worse",
        )
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
        return Place::blamed_on(
            Requirement::TokenDemanded,
            "a GET without a token opens a stream",
        );
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

#[cfg(test)]
pub(super) mod tests {
    use http::{HeaderMap, HeaderValue};
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::door::{HttpAnswer, Rpc};
    use crate::probe::metadata::Tried;

    const CHALLENGE: &str = r#"Bearer resource_metadata="https://h/.well-known/oauth-protected-resource/mcp", scope="a""#;
    const URL: &str = "https://h/mcp";

    fn http(status: u16) -> Exchange {
        let answer = HttpAnswer {
            status,
            ..HttpAnswer::default()
        };
        Exchange {
            observation: Observation {
                request: "tools/list".into(),
                answer: crate::door::Answer::Http(answer),
                took_ms: 1,
                recipe: None,
            },
            headers: HeaderMap::new(),
            result: None,
            error: None,
            session: None,
            document: None,
        }
    }

    fn granted() -> Exchange {
        Exchange {
            result: Some(Map::new()),
            ..http(200)
        }
    }

    fn in_band(code: i64) -> Exchange {
        Exchange {
            error: Some(code),
            ..http(200)
        }
    }

    fn silent() -> Exchange {
        let mut exchange = http(0);
        exchange.observation.answer = crate::door::Answer::None(crate::wire::Silence::Deadline);
        exchange
    }

    fn with(name: &'static str, value: &str, mut exchange: Exchange) -> Exchange {
        let value = HeaderValue::from_str(value).unwrap();
        exchange.headers.insert(name, value);
        exchange
    }

    fn unauthorized(challenge: &str) -> Exchange {
        with("www-authenticate", challenge, http(401))
    }

    fn stream() -> Exchange {
        with("content-type", "text/event-stream", http(200))
    }

    fn document(url: &str, body: &Value) -> Tried {
        let came = Exchange {
            document: Some(body.clone()),
            ..http(200)
        };
        Tried {
            url: url.to_owned(),
            came: Some(came),
        }
    }

    fn resource() -> Value {
        json!({"resource": URL, "authorization_servers": ["https://id"], "scopes_supported": ["a"]})
    }

    fn issuer() -> Value {
        json!({
            "issuer": "https://id", "token_endpoint": "https://id/token",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn metadata(resource: &Value, issuer: &Value) -> Metadata {
        let place = "https://h/.well-known/oauth-protected-resource/mcp";
        let well_known = "https://id/.well-known/oauth-authorization-server";
        let servers = resource["authorization_servers"].as_array();
        let servers = servers.into_iter().flatten().map(|server| {
            let server = server.as_str().unwrap().to_owned();
            (server, vec![document(well_known, issuer)])
        });
        Metadata {
            resource: vec![document(place, resource)],
            servers: servers.collect(),
        }
    }

    /// What a sound door answers to a request.
    fn sound(trick: Trick) -> Exchange {
        match trick {
            Trick::Gets | Trick::Deletes => http(405),
            Trick::ForeignOrigin | Trick::NullOrigin => http(403),
            Trick::SessionBorrowed => http(404),
            Trick::LyingMethod
            | Trick::MissingMethod
            | Trick::LyingName
            | Trick::UnknownVersion
            | Trick::Batch => http(400),
            Trick::NobodyOpens
            | Trick::NobodyLists
            | Trick::NobodyListsResources
            | Trick::NobodyListsTemplates
            | Trick::NobodyListsPrompts
            | Trick::NobodyCalls
            | Trick::NobodyGets
            | Trick::NobodyDeletes
            | Trick::Garbage
            | Trick::Edited
            | Trick::Unsigned
            | Trick::Expired
            | Trick::OtherAudience
            | Trick::InQuery
            | Trick::SessionAlone => unauthorized(CHALLENGE),
        }
    }

    fn came(exchange: Exchange) -> Answer {
        Answer::Came(Box::new(exchange))
    }

    pub(in crate::probe) fn site() -> Site {
        let visit = |door: Door| {
            let mut visit = Visit::unasked(door, true, Vec::new(), &Place::explained("not asked"));
            visit.control = came(granted());
            let tricks = Trick::ALL.iter().filter(|trick| trick.is_at(door));
            visit.answers = tricks.map(|trick| (*trick, came(sound(*trick)))).collect();
            visit
        };
        Site {
            url: URL.to_owned(),
            visits: vec![visit(Door::Mcp), visit(Door::McpLegacy)],
            metadata: metadata(&resource(), &issuer()),
            lists: vec![
                private::tests::listed("reader", Door::Mcp, &["a"], false),
                private::tests::listed("admin", Door::Mcp, &["a", "b"], false),
            ],
        }
    }

    /// Everything that is not held, with its state.
    fn unheld(site: &Site) -> Vec<(&'static str, State)> {
        let silent = [
            Requirement::StateChecked,
            Requirement::TasksBound,
            Requirement::ScopeMissed,
            Requirement::SessionUnguessable,
        ];
        let all = Requirement::ALL.iter().filter(|one| !silent.contains(one));
        all.filter_map(|requirement| {
            let states: Vec<State> = check(*requirement, site)
                .iter()
                .map(|place| place.state)
                .collect();
            let worst = [State::Violated, State::Unproven, State::NotApplicable]
                .into_iter()
                .find(|state| states.contains(state))?;
            Some((requirement.id(), worst))
        })
        .collect()
    }

    fn answering(door: Door, trick: Trick, exchange: Exchange) -> Site {
        let mut site = site();
        let visit = site.visits.iter_mut().find(|visit| visit.door == door);
        visit.unwrap().answers.insert(trick, came(exchange));
        site
    }

    #[test]
    fn a_sound_deployment_holds_everything() {
        assert_eq!(unheld(&site()), []);
    }

    #[test]
    fn one_wrong_answer_violates_exactly_its_requirement() {
        use Door::{Mcp, McpLegacy};
        use Trick::{
            Batch, Edited, Expired, ForeignOrigin, Garbage, Gets, InQuery, LyingMethod, LyingName,
            MissingMethod, NobodyCalls, NobodyDeletes, NobodyGets, NobodyLists, NobodyOpens,
            NullOrigin, OtherAudience, SessionAlone, SessionBorrowed, UnknownVersion, Unsigned,
        };
        let table = [
            (Mcp, NobodyOpens, granted(), "C-01"),
            (Mcp, NobodyLists, http(403), "C-01"),
            (Mcp, NobodyLists, http(302), "C-01"),
            (Mcp, NobodyLists, in_band(-32001), "C-01"),
            (McpLegacy, NobodyOpens, granted(), "C-01"),
            (McpLegacy, NobodyCalls, granted(), "C-01"),
            (Mcp, NobodyDeletes, http(204), "C-01"),
            (Mcp, Garbage, http(403), "C-11"),
            (Mcp, Edited, granted(), "C-11"),
            (McpLegacy, Unsigned, granted(), "C-11"),
            (McpLegacy, Expired, http(500), "C-11"),
            (Mcp, OtherAudience, granted(), "C-12"),
            (Mcp, InQuery, granted(), "C-15"),
            (McpLegacy, SessionAlone, granted(), "C-16"),
            (McpLegacy, SessionBorrowed, granted(), "C-17"),
            (Mcp, ForeignOrigin, granted(), "C-19"),
            (Mcp, NullOrigin, http(400), "C-19"),
            (Mcp, LyingMethod, granted(), "C-20"),
            (Mcp, MissingMethod, in_band(-32020), "C-20"),
            (Mcp, LyingName, granted(), "C-20"),
            (Mcp, UnknownVersion, http(404), "C-21"),
            (McpLegacy, UnknownVersion, granted(), "C-21"),
            (Mcp, Batch, http(202), "C-22"),
            (McpLegacy, Batch, granted(), "C-22"),
            (Mcp, Gets, stream(), "C-23"),
            (McpLegacy, Gets, http(404), "C-23"),
        ];
        for (door, trick, exchange, id) in table {
            let told = said(&exchange);
            let found = unheld(&answering(door, trick, exchange));
            assert_eq!(found, [(id, State::Violated)], "{door} {trick:?}: {told}");
        }
        let open = unheld(&answering(McpLegacy, NobodyGets, stream()));
        assert_eq!(open, [("C-01", State::Violated), ("C-23", State::Unproven)]);
    }

    #[test]
    fn refusals_for_other_reasons_give_nothing_away_outside_of_a_session() {
        for (trick, status) in [
            (Trick::NobodyLists, 400),
            (Trick::NobodyCalls, 404),
            (Trick::NobodyGets, 405),
            (Trick::NobodyDeletes, 400),
        ] {
            let site = answering(Door::McpLegacy, trick, http(status));
            assert_eq!(unheld(&site), [], "{trick:?} {status}");
        }
    }

    #[test]
    fn silence_proves_nothing() {
        for (trick, id) in [
            (Trick::NobodyLists, "C-01"),
            (Trick::ForeignOrigin, "C-19"),
            (Trick::Batch, "C-22"),
        ] {
            for exchange in [silent(), http(503), http(429)] {
                let found = unheld(&answering(Door::Mcp, trick, exchange));
                assert_eq!(found, [(id, State::Unproven)], "{trick:?}");
            }
        }
    }

    #[test]
    fn without_a_control_no_refusal_is_held_and_a_hole_still_is_one() {
        let mut site = site();
        for visit in &mut site.visits {
            visit.control = came(http(403));
        }
        let states = |site: &Site| -> Vec<State> {
            let places = check(Requirement::OriginChecked, site);
            let refused = check(Requirement::TokenDemanded, site);
            places
                .iter()
                .chain(&refused)
                .map(|place| place.state)
                .collect()
        };
        assert_eq!(states(&site), [State::Unproven; 4]);
        for visit in &mut site.visits {
            visit.answers.insert(Trick::NobodyLists, came(granted()));
        }
        let places = check(Requirement::TokenDemanded, &site);
        assert!(places.iter().all(|place| place.hole), "{places:?}");
    }

    #[test]
    fn a_door_that_refuses_everyone_is_told_by_the_matrix() {
        let mut site = site();
        for visit in &mut site.visits {
            visit.control = came(http(401));
            visit.alive = false;
        }
        let places = check(Requirement::VersionChecked, &site);
        assert!(places.iter().all(|place| place.explained), "{places:?}");
    }

    #[test]
    fn what_an_open_door_makes_of_bad_tokens_is_told_once() {
        let mut site = answering(Door::Mcp, Trick::NobodyLists, granted());
        for trick in [Trick::Garbage, Trick::Edited, Trick::InQuery] {
            site.visits[0].answers.insert(trick, came(granted()));
        }
        let places = check(Requirement::BadTokenRefused, &site);
        assert!(places[0].explained, "{places:?}");
        assert_eq!(places[1].state, State::Held);
        let swapped = answering(Door::Mcp, Trick::NobodyLists, http(403));
        let mut forged = swapped;
        forged.visits[0]
            .answers
            .insert(Trick::Edited, came(granted()));
        let places = check(Requirement::BadTokenRefused, &forged);
        assert_eq!(places[0].state, State::Violated, "{places:?}");
    }

    #[test]
    fn a_denial_in_band_is_a_wrong_refusal_and_no_hole() {
        let mut denial = granted();
        let crate::door::Answer::Http(http) = &mut denial.observation.answer else {
            panic!("an answer came");
        };
        http.rpc = Some(Rpc::Result {
            is_error: true,
            text: "Unauthorized".to_owned(),
        });
        let places = check(
            Requirement::TokenDemanded,
            &answering(Door::Mcp, Trick::NobodyCalls, denial),
        );
        assert_eq!((places[0].state, places[0].hole), (State::Violated, false));
    }

    #[test]
    fn challenges_are_read_for_pointer_scope_and_blame() {
        let pointer = r#"Bearer resource_metadata="https://h/x""#;
        let table = [
            (
                "Basic realm=\"x\"",
                vec![
                    ("C-02", State::Violated),
                    ("C-09", State::Unproven),
                    ("C-10", State::Unproven),
                ],
            ),
            (
                "Bearer resource_metadata=\"/x\", scope=\"a\"",
                vec![("C-02", State::Violated)],
            ),
            ("Bearer scope=\"a\"", vec![]),
            (pointer, vec![("C-09", State::Violated)]),
            (
                "Bearer scope=\"a\", error=\"invalid_token\"",
                vec![("C-10", State::Violated)],
            ),
            (
                "Bearer scope=\"a offline_access\"",
                vec![("C-31", State::Violated)],
            ),
        ];
        for (challenge, expected) in table {
            let mut site = site();
            for visit in &mut site.visits {
                let nobodys = NOBODYS.iter().chain(&[Trick::Garbage]);
                for trick in nobodys {
                    visit.answers.insert(*trick, came(unauthorized(challenge)));
                }
            }
            assert_eq!(unheld(&site), expected, "{challenge}");
        }
    }

    #[test]
    fn documents_are_read_for_what_they_must_say() {
        let edited = |name: &str, value: Value, of: Value| {
            let mut document = of;
            document[name] = value;
            document
        };
        let violated = |id| vec![(id, State::Violated)];
        let table = [
            (
                edited("resource", json!("http://inside/mcp"), resource()),
                issuer(),
                violated("C-05"),
            ),
            (
                edited("resource", json!("https://h/mcp/"), resource()),
                issuer(),
                vec![],
            ),
            (
                edited("scopes_supported", json!(["offline_access"]), resource()),
                issuer(),
                violated("C-31"),
            ),
            (
                edited("authorization_servers", json!(["http://id"]), resource()),
                edited("issuer", json!("http://id"), issuer()),
                violated("C-04"),
            ),
            (
                resource(),
                edited("issuer", json!("https://id/"), issuer()),
                violated("C-06"),
            ),
            (
                resource(),
                edited(
                    "code_challenge_methods_supported",
                    json!(["plain"]),
                    issuer(),
                ),
                violated("C-07"),
            ),
            (
                resource(),
                edited("token_endpoint", json!("http://id/token"), issuer()),
                violated("C-08"),
            ),
            (
                resource(),
                edited(
                    "authorization_response_iss_parameter_supported",
                    json!(false),
                    issuer(),
                ),
                violated("C-28"),
            ),
            (
                resource(),
                edited(
                    "registration_endpoint",
                    json!("https://id/register"),
                    issuer(),
                ),
                vec![],
            ),
        ];
        for (resource, issuer, expected) in table {
            let site = Site {
                metadata: metadata(&resource, &issuer),
                ..site()
            };
            assert_eq!(unheld(&site), expected, "{resource} {issuer}");
        }
    }

    #[test]
    fn a_document_that_is_not_there_is_told_once_and_one_elsewhere_not_asked_for() {
        let lost = |came: Option<Exchange>| Site {
            metadata: Metadata {
                resource: vec![Tried {
                    url: "https://h/.well-known/oauth-protected-resource/mcp".to_owned(),
                    came,
                }],
                servers: Vec::new(),
            },
            ..site()
        };
        let words = |site: &Site| {
            let served = &check(Requirement::MetadataServed, site)[0];
            let named = &check(Requirement::ServersNamed, site)[0];
            (served.state, named.state, named.explained)
        };
        let gone = lost(Some(http(404)));
        assert_eq!(words(&gone), (State::Violated, State::Unproven, true));
        let unclear = lost(Some(silent()));
        assert_eq!(words(&unclear), (State::Unproven, State::Unproven, true));
        let elsewhere = lost(None);
        assert_eq!(
            words(&elsewhere),
            (State::NotApplicable, State::NotApplicable, false)
        );
    }

    #[test]
    fn a_403_needs_no_challenge_and_one_that_it_has_must_speak_of_scopes() {
        let table = [
            (None, State::NotApplicable),
            (Some(""), State::NotApplicable),
            (
                Some(
                    r#"Bearer error="insufficient_scope", scope="a", resource_metadata="https://h""#,
                ),
                State::Held,
            ),
            (
                Some(r#"Bearer error="insufficient_scope""#),
                State::Violated,
            ),
            (
                Some(r#"Bearer error="invalid_token", scope="a""#),
                State::Violated,
            ),
        ];
        for (challenge, expected) in table {
            let mut site = site();
            let refusal = challenge.map(|challenge| {
                let mut exchange = http(403);
                let crate::door::Answer::Http(http) = &mut exchange.observation.answer else {
                    panic!("an answer came");
                };
                if !challenge.is_empty() {
                    let header = ("www-authenticate".into(), challenge.to_owned());
                    http.headers.push(header);
                }
                exchange.observation
            });
            site.visits[0].refusals = refusal.into_iter().collect();
            let places = check(Requirement::ScopeMissed, &site);
            assert_eq!(places[0].state, expected, "{challenge:?}");
        }
    }
}
