//! Identity providers, personas and clients in, their stations out: discovery, clock, keys, sign-in, token, redirects.

use super::station::Station;
use super::way;
use crate::judge::{Code, Gap, Layer};
use crate::run::Event;
use crate::run::redirects::Sought;
use crate::run::standing::{Standing, stops};
use crate::scenario::Scenario;
use crate::token::preflight::SKEW;
use crate::token::provider::{Authority, Discovered};
use crate::token::{Desk, Registration};
use crate::wire::Wire;

/// Tells each provider's stations; for each, whether one can sign in there.
pub(super) async fn providers(
    desk: &Desk,
    wire: &Wire,
    tell: &mut dyn FnMut(Station),
) -> Vec<bool> {
    let mut open = Vec::new();
    for authority in desk.authorities() {
        let branch = format!("identity provider {}", authority.address());
        let reached = way::to(&branch, authority.address(), true, wire, tell).await;
        open.push(reached && discovery(&branch, &authority, tell).await);
    }
    open
}

async fn discovery(branch: &str, authority: &Authority, tell: &mut dyn FnMut(Station)) -> bool {
    let found = match authority.discover().await {
        Ok(found) => found,
        Err(why) => {
            tell(untrusted(branch, why));
            return false;
        }
    };
    if found.by_hand {
        let why = "not asked: the scenario states the endpoints";
        tell(Station::passed(branch, "discovery", why));
        return true;
    }
    if found.issuers.is_empty() {
        tell(untrusted(branch, "no discovery document answers there"));
        return false;
    }
    let issuers = found.issuers.join(" and ");
    tell(Station::whole(
        branch,
        "discovery",
        format!("issuer {issuers}"),
    ));
    tell(clock(branch, &found));
    tell(keys(branch, &found, authority).await);
    true
}

fn untrusted(branch: &str, why: impl Into<String>) -> Station {
    Station::broken(
        branch,
        "discovery",
        why,
        Layer::IdentityProvider,
        "Open the issuer's /.well-known/openid-configuration, and compare tenant, authority and issuer with the scenario.",
    )
}

fn clock(branch: &str, found: &Discovered) -> Station {
    let Some(skew) = found.skew else {
        return Station::passed(branch, "clock", "the provider sent no date");
    };
    let detail = format!("the provider's clock differs by {skew} s");
    if skew.unsigned_abs() <= SKEW {
        return Station::whole(branch, "clock", detail);
    }
    Station::broken(
        branch,
        "clock",
        detail,
        Layer::Client,
        "Synchronise this machine's clock: tokens look expired or not yet valid, here or at the gateway.",
    )
}

async fn keys(branch: &str, found: &Discovered, authority: &Authority) -> Station {
    if !found.names_keys {
        let why = "the discovery document names none";
        return Station::passed(branch, "keys", why);
    }
    let why = match authority.keys().await {
        Ok(0) => "none that can verify a signature".to_owned(),
        Ok(count) => return Station::whole(branch, "keys", format!("{count} published")),
        Err(why) => why,
    };
    let fix = "Open the document's jwks_uri: gateways fetch the same keys and refuse every token without them.";
    Station::broken(branch, "keys", why, Layer::IdentityProvider, fix)
}

/// Tells each persona's sign-in and what its token was found to be.
pub(super) fn tell_personas(
    scenario: &Scenario,
    standings: &[Standing],
    tell: &mut dyn FnMut(Station),
) {
    for (persona, standing) in scenario.personas.iter().zip(standings) {
        let branch = format!("persona {}", persona.name);
        if persona.identity.is_none() && standing.gap.is_none() {
            tell(Station::passed(&branch, "sign-in", "does not sign in"));
            continue;
        }
        tell(sign_in(&branch, standing));
        if standing.event.is_some() {
            for station in token(&branch, standing) {
                tell(station);
            }
        }
    }
}

/// Asks whether a client's redirect is registered, and tells it.
pub(super) async fn tell_redirect(
    sought: &Sought<'_>,
    open: bool,
    desk: &Desk,
    tell: &mut dyn FnMut(Station),
) {
    let branch = format!("client {}", sought.client.name);
    let step = "redirect";
    if !open {
        let why = "not asked: the way to its provider is broken";
        tell(Station::passed(&branch, step, why));
        return;
    }
    let said = desk.registration(sought.client, sought.identity, sought.redirect);
    tell(match said.await {
        Registration::Registered => Station::whole(
            &branch,
            step,
            format!("{} is registered", sought.redirect.as_str()),
        ),
        Registration::Unregistered(words) => Station::broken(
            &branch,
            step,
            words,
            Layer::IdentityProvider,
            Code::RedirectUnregistered.remedy(),
        ),
        Registration::Unproven(words) => Station::passed(&branch, step, words),
    });
}

fn sign_in(branch: &str, standing: &Standing) -> Station {
    if let Some(Event::TokenAcquired {
        fingerprint,
        took_ms,
        ..
    }) = &standing.event
    {
        let detail = format!("token {fingerprint} in {took_ms} ms");
        return Station::whole(branch, "sign-in", detail);
    }
    if standing.gap == Some(Gap::NotReached) {
        let why = "not tried: the way to its provider is broken";
        return Station::passed(branch, "sign-in", why);
    }
    let why: Vec<&str> = standing
        .faults
        .iter()
        .map(|(_, detail)| nameless(detail))
        .collect();
    let (whose, fix) = if standing.here {
        (Layer::Client, AT_HOME)
    } else {
        (Layer::IdentityProvider, Code::SignInFailed.remedy())
    };
    Station::broken(branch, "sign-in", why.join("; "), whose, fix)
}

/// The fix where nothing was asked of anybody.
const AT_HOME: &str = "Nothing was asked of the provider's token endpoint: mend what this machine or the scenario lacks, and \
                       sign in again.";

/// A fault goes on from its persona's name, which is the branch's here.
fn nameless(fault: &str) -> &str {
    fault.trim_start_matches([':', ' '])
}

fn token(branch: &str, standing: &Standing) -> Vec<Station> {
    if standing.faults.is_empty() {
        return vec![Station::whole(branch, "token", "as declared")];
    }
    let stations = standing.faults.iter().map(|(code, detail)| {
        let detail = nameless(detail);
        if stops(*code) {
            Station::broken(branch, "token", detail, code.layer(), code.remedy())
        } else {
            Station::whole(branch, "token", format!("note: {detail}"))
        }
    });
    stations.collect()
}
