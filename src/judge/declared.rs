//! An answer, what it is read as, and the scenario's fingerprints in; the reading that the first one to fit leads to out.

use super::mark::Mark;
use super::outcome::{Outcome, Reading};
use super::signature::Signature;
use crate::cell::Door;
use crate::door::{HttpAnswer, Rpc};
use crate::scenario::{Fingerprint, Meaning};

/// The reading by the first fingerprint that fits and may decide; the usual one where there is none.
pub(super) fn read(
    answer: &HttpAnswer,
    usual: Reading,
    door: Door,
    fingerprints: &[Fingerprint],
) -> Reading {
    // A result is the server's own: no declaration makes anything else of a call that got that far.
    if matches!(answer.rpc, Some(Rpc::Result { .. })) {
        return usual;
    }
    let found = fingerprints.iter().find(|fingerprint| {
        may_decide(fingerprint.meaning, answer.status, usual)
            && fingerprint.fits(door, answer.status, &answer.headers, &answer.body)
    });
    found.map_or(usual, |fingerprint| Reading {
        outcome: outcome(fingerprint.meaning),
        signature: None,
        fingerprint: Some(Mark::of(&fingerprint.name, fingerprint.because.as_deref())),
    })
}

const fn outcome(meaning: Meaning) -> Outcome {
    match meaning {
        Meaning::Intercepted => Outcome::Intercepted,
        Meaning::Redirected => Outcome::Redirected,
        Meaning::Crashed => Outcome::Crashed,
        Meaning::Rejected => Outcome::Rejected,
        Meaning::Hidden => Outcome::Hidden,
        Meaning::Forbidden => Outcome::Forbidden,
        Meaning::Unauthenticated => Outcome::Unauthenticated,
    }
}

/// Whether what is known anyway leaves room for the declaration. A demand for a key, a quota, a firewall's own words are no
/// refusal by authorization, whatever the scenario says; and what says nothing may not be made to say something that a list of
/// statuses would take for an answer.
fn may_decide(meaning: Meaning, status: u16, usual: Reading) -> bool {
    match meaning {
        Meaning::Intercepted => true,
        Meaning::Redirected | Meaning::Crashed | Meaning::Rejected => {
            matches!(status, 200..=299) || !usual.outcome.is_silent()
        }
        Meaning::Hidden | Meaning::Forbidden | Meaning::Unauthenticated => {
            usual.outcome != Outcome::NoAnswer
                && usual.signature.is_none_or(Signature::may_be_the_guards)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::coverage::tests::scenario_of;

    fn fingerprints(list: &str) -> Vec<Fingerprint> {
        let text = format!(
            "rolecall: 1\nname: x\ndeployment: {{ rest: http://h, mcp: http://h/mcp, fingerprints: [{list}] }}\npersonas: {{ nobody: {{ sign_in: none }} }}\noperations: {{ list: {{ allow: [], rest: GET /x }} }}\n"
        );
        scenario_of(&text).deployment.fingerprints
    }

    fn answer(status: u16, body: &str, rpc: Option<Rpc>) -> HttpAnswer {
        HttpAnswer {
            status,
            body: body.to_owned(),
            body_bytes: body.len() as u64,
            rpc,
            ..HttpAnswer::default()
        }
    }

    const FILTER: &str =
        "{ name: filter, status: [200, 403, 503], body: corporate filter, means: intercepted }";
    const GUARD: &str = "{ name: guard, status: 403, body: '<center>nginx', means: forbidden }";
    const CRASH: &str =
        "{ name: crash, status: [200, 403, 503], body: stack trace, means: crashed }";

    #[test]
    fn a_declaration_decides_where_nothing_better_is_known() {
        use Outcome as O;
        use Signature as S;
        let known = fingerprints(&[FILTER, GUARD, CRASH].join(", "));
        let signed = |outcome, signature| Reading {
            signature: Some(signature),
            ..Reading::plain(outcome)
        };
        #[rustfmt::skip]
        let table = [
            (403, "the corporate filter", Reading::plain(O::Forbidden), O::Intercepted, true),
            (200, "the corporate filter", Reading::plain(O::Granted), O::Intercepted, true),
            (404, "the corporate filter", Reading::plain(O::Hidden), O::Hidden, false),
            (403, "<center>nginx", signed(O::Intercepted, S::ProxyPage), O::Forbidden, true),
            (403, "<center>nginx", signed(O::Intercepted, S::HtmlPage), O::Forbidden, true),
            // A firewall's words outrank the declaration.
            (403, "<center>nginx", signed(O::Intercepted, S::EdgePage), O::Intercepted, false),
            (403, "<center>nginx", signed(O::Intercepted, S::SubscriptionKey), O::Intercepted, false),
            (403, "<center>nginx", signed(O::Intercepted, S::Quota), O::Intercepted, false),
            (401, "<center>nginx", signed(O::Intercepted, S::ProxyPage), O::Intercepted, false),
            // What says nothing does not become an answer that a list of statuses could take.
            (403, "stack trace", signed(O::Intercepted, S::HtmlPage), O::Intercepted, false),
            (503, "stack trace", signed(O::NoAnswer, S::GatewayError), O::NoAnswer, false),
            (200, "stack trace", signed(O::Intercepted, S::HtmlPage), O::Crashed, true),
            (503, "the corporate filter", signed(O::NoAnswer, S::GatewayError), O::Intercepted, true),
        ];
        for (status, body, usual, outcome, declared) in table {
            let reading = read(&answer(status, body, None), usual, Door::Rest, &known);
            assert_eq!(reading.outcome, outcome, "{status} {body} {usual:?}");
            assert_eq!(
                reading.fingerprint.is_some(),
                declared,
                "{status} {body} {usual:?}"
            );
            assert_eq!(
                reading.signature,
                if declared { None } else { usual.signature }
            );
        }
    }

    #[test]
    fn the_first_one_that_fits_decides_and_is_named() {
        let known = fingerprints(&[CRASH, FILTER].join(", "));
        let both = answer(403, "stack trace of the corporate filter", None);
        let reading = read(
            &both,
            Reading::plain(Outcome::Forbidden),
            Door::Rest,
            &known,
        );
        assert_eq!(reading.fingerprint.unwrap().name(), "crash");
    }

    #[test]
    fn a_result_that_came_is_never_declared_away() {
        let known = fingerprints(FILTER);
        let result = |is_error| {
            let text = String::new();
            Some(Rpc::Result { is_error, text })
        };
        let error = Some(Rpc::Error {
            code: -32000,
            message: String::new(),
        });
        for (rpc, usual, declared) in [
            (result(false), Outcome::Granted, false),
            (result(true), Outcome::ToolError, false),
            (error, Outcome::Rejected, true),
            (Some(Rpc::Absent), Outcome::NoAnswer, true),
        ] {
            let answer = answer(200, "corporate filter", rpc);
            let reading = read(&answer, Reading::plain(usual), Door::Mcp, &known);
            assert_eq!(reading.fingerprint.is_some(), declared, "{answer:?}");
        }
    }
}
