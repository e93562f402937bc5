//! An answer in, the wait before the next attempt out; pure.

use std::time::Duration;

use crate::door::Answer;
use crate::wire::Silence;

/// The longest wait that a server can ask for.
const LONGEST: Duration = Duration::from_secs(30);

/// The wait before attempt `attempt + 1` (attempts count from 0); `None` when the answer stands.
///
/// A call that changes something is only repeated when it cannot have been executed: no connection, or 429
/// (RFC 9110 §9.2.2: a client should not automatically retry a request with a non-idempotent method).
pub(super) fn wait(answer: &Answer, attempt: u32, changes: bool) -> Option<Duration> {
    let backoff = Duration::from_millis(100) * 2_u32.saturating_pow(attempt);
    match answer {
        Answer::Http(http) => match http.status {
            429 => Some(asked(http.header("retry-after")).unwrap_or(backoff)),
            502..=504 if !changes => Some(asked(http.header("retry-after")).unwrap_or(backoff)),
            _ => None,
        },
        Answer::None(silence) => may_repeat(*silence, changes).then_some(backoff),
    }
}

fn may_repeat(silence: Silence, changes: bool) -> bool {
    match silence {
        Silence::ConnectionRefused => true,
        Silence::Closed => !changes,
        Silence::NameUnknown
        | Silence::Tls
        | Silence::Deadline
        | Silence::Unreadable
        | Silence::Interrupted => false,
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3); a date, like nonsense, counts as absent.
fn asked(value: Option<&str>) -> Option<Duration> {
    let seconds: u64 = value?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::{HttpAnswer, Observation};
    use crate::judge::{self, Setting};

    fn http(status: u16, retry_after: Option<&str>) -> Answer {
        let headers = retry_after.map(|value| ("retry-after".into(), value.to_owned()));
        Answer::Http(HttpAnswer {
            status,
            headers: headers.into_iter().collect(),
            ..HttpAnswer::default()
        })
    }

    #[test]
    fn only_what_may_pass_by_itself_is_asked_again() {
        let table = [
            (http(200, None), false, false),
            (http(401, None), false, false),
            (http(403, None), false, false),
            (http(404, None), false, false),
            (http(500, None), false, false),
            (http(429, None), true, true),
            (http(502, None), true, false),
            (http(503, None), true, false),
            (http(504, None), true, false),
            (Answer::None(Silence::ConnectionRefused), true, true),
            (Answer::None(Silence::Closed), true, false),
            (Answer::None(Silence::Deadline), false, false),
            (Answer::None(Silence::Tls), false, false),
        ];
        for (answer, read, write) in table {
            assert_eq!(
                wait(&answer, 0, false).is_some(),
                read,
                "{answer:?} after a read"
            );
            assert_eq!(
                wait(&answer, 0, true).is_some(),
                write,
                "{answer:?} after a write"
            );
        }
    }

    /// R01: no answer that shows that a call got through is ever replaced by that of another attempt.
    #[test]
    fn what_got_through_is_never_asked_for_again() {
        let bodies = ["", "{}", "{\"error\":\"x\"}", "<html></html>"];
        for (status, body) in (100..600).flat_map(|status| bodies.map(|body| (status, body))) {
            let answer = Answer::Http(HttpAnswer {
                status,
                body: body.to_owned(),
                body_bytes: body.len() as u64,
                ..HttpAnswer::default()
            });
            let observation = Observation {
                request: "GET /".into(),
                answer,
                took_ms: 0,
                recipe: None,
            };
            let reading = judge::read(&observation, &Setting::default());
            if reading.outcome.got_through() {
                assert_eq!(wait(&observation.answer, 0, false), None, "{status} {body}");
            }
        }
    }

    #[test]
    fn each_wait_is_twice_the_one_before() {
        let waits = [0, 1, 2].map(|attempt| wait(&http(503, None), attempt, false));
        let expected = [100, 200, 400].map(|ms| Some(Duration::from_millis(ms)));
        assert_eq!(waits, expected);
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        let table = [
            ("1", Duration::from_secs(1)),
            ("1000000000000", LONGEST),
            ("-1", Duration::from_millis(100)),
            ("NaN", Duration::from_millis(100)),
            ("Fri, 31 Dec 2099 23:59:59 GMT", Duration::from_millis(100)),
        ];
        for (value, expected) in table {
            assert_eq!(
                wait(&http(429, Some(value)), 0, false),
                Some(expected),
                "{value}"
            );
        }
    }
}
