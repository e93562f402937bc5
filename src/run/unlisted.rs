//! The MCP URL in, findings about doors beside it out that answer and that no cell calls.

use futures_util::future::OptionFuture;

use super::doors;
use super::hall::Hall;
use crate::cell::Door;
use crate::door::enumeration::{Place, knock, siblings};
use crate::door::{Heard, Pair, Said};
use crate::judge::{Code, Finding};
use crate::plan::{Plan, Planned, Row, Stage};
use crate::token::Credential;

/// Looks for the deprecated HTTP+SSE pair: as nobody at the URLs beside the MCP URL, and as the persona that is allowed
/// most at the MCP URL itself and wherever nobody was refused. Nothing is called through it.
pub(super) async fn look(hall: &Hall<'_>) -> Vec<Finding> {
    if !concerns(&hall.plan) || is_dead(hall) || !may_call(hall) {
        return Vec::new();
    }
    tokio::select! {
        met = meet(hall) => findings(&hall.plan, &met),
        () = hall.stop.hurried() => Vec::new(),
    }
}

/// The requests of that look, for whoever wants to know them before.
pub fn planned(plan: &Plan) -> Vec<Planned> {
    let Some(entry) = plan
        .scenario
        .deployment
        .mcp
        .as_ref()
        .filter(|_| concerns(plan))
    else {
        return Vec::new();
    };
    let line = |persona: &str, url: &str| Planned {
        stage: Stage::Unlisted,
        persona: persona.to_owned(),
        subject: "http+sse".to_owned(),
        request: format!("GET {url}"),
        json: None,
        expected: String::new(),
        conduct: None,
    };
    let beside = siblings(&entry.url);
    let mut requests: Vec<Planned> = beside.iter().map(|url| line("nobody", url)).collect();
    requests.push(line("the first that may", &entry.url));
    requests.push(Planned {
        request: "POST initialize to the endpoint that a stream names, and ping without a token"
            .to_owned(),
        ..line("whoever opens one", "")
    });
    requests
}

fn concerns(plan: &Plan) -> bool {
    plan.matrix.doors.iter().any(|door| door.speaks_mcp())
}

/// Where no persona may call, the deployment is not called at all.
fn may_call(hall: &Hall<'_>) -> bool {
    let mut personas = 0..hall.standings.len();
    personas.any(|persona| hall.standing(persona).entrance.is_some())
}

/// Whether every MCP door's last call got no answer at all.
fn is_dead(hall: &Hall<'_>) -> bool {
    let mut doors = hall
        .plan
        .matrix
        .doors
        .iter()
        .filter(|door| door.speaks_mcp());
    doors.all(|door| hall.silent.get()[door.index()])
}

/// What nobody met, and what the persona met that was asked last.
#[derive(Debug, Default)]
struct Met {
    nobody: Vec<Pair>,
    itself: Vec<Pair>,
    caller: Vec<Pair>,
}

async fn meet(hall: &Hall<'_>) -> Met {
    let caller = doors::eager(&hall.plan, &hall.standings).first().copied();
    let entrance = caller.and_then(|caller| hall.standing(caller).entrance.as_ref());
    // A gateway may ask for what the caller's client carries before it asks for a token.
    let nobody = entrance
        .unwrap_or(&hall.nobody)
        .renewed(Credential::default())
        .over(&hall.nobody);
    hall.pace.turn().await;
    let _place = hall.place().await;
    let at_itself = entrance.map(|entrance| knock(entrance, Place::Itself));
    let (nobody, itself) =
        tokio::join!(knock(&nobody, Place::Beside), OptionFuture::from(at_itself));
    let refused = nobody.iter().any(|pair| pair.get.said == Said::Refused);
    let beside = entrance.filter(|_| refused);
    let caller = OptionFuture::from(beside.map(|entrance| knock(entrance, Place::Beside))).await;
    Met {
        nobody,
        itself: itself.unwrap_or_default(),
        caller: caller.unwrap_or_default(),
    }
}

fn findings(plan: &Plan, met: &Met) -> Vec<Finding> {
    let may = |(row, rights): (&Row, [u32; 3])| {
        let mut doors = Door::ALL.into_iter().filter(|door| door.speaks_mcp());
        !row.signs_in && doors.any(|door| rights[door.index()] > 0)
    };
    let mut personas = plan.matrix.personas.iter().zip(plan.matrix.rights());
    let public = personas.any(may);
    let is_open = |heard: &Heard| heard.said == Said::Open;
    let mut findings = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    // At the URL itself a stream without an endpoint is the stream of the server's messages.
    let itself = met.itself.iter().filter(|pair| pair.named);
    let by_nobody = met.nobody.iter().map(|pair| (pair, true));
    let by_caller = met.caller.iter().chain(itself).map(|pair| (pair, false));
    for (pair, without_token) in by_nobody.chain(by_caller) {
        if !is_open(&pair.get) || known.contains(&pair.path.as_str()) {
            continue;
        }
        known.push(&pair.path);
        let bare = pair.post.as_ref().and_then(|post| post.bare.as_ref());
        let hole = without_token || bare.is_some_and(is_open);
        let code = if hole && !public {
            Code::OpenWithoutToken
        } else {
            Code::DoorUnlisted
        };
        findings.push(Finding::new(code, told(pair, without_token), Vec::new()));
    }
    findings
}

/// Such as: the HTTP+SSE pair answers without a token: GET /sse gave endpoint, POST /messages 202.
fn told(pair: &Pair, without_token: bool) -> String {
    let whose = if without_token { "without" } else { "with" };
    let (path, get) = (&pair.path, &pair.get.detail);
    let start = format!("the HTTP+SSE pair answers {whose} a token: GET {path} gave {get}");
    let Some(post) = &pair.post else {
        return start;
    };
    let bare = match &post.bare {
        Some(bare) => format!(", and without a token {}", bare.detail),
        None => String::new(),
    };
    format!("{start}, POST {} {}{bare}", post.path, post.own.detail)
}
