//! What was said of a token's end in, whether it has run out by this machine's clock out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::claims::Claims;

/// A token that says nothing of its end is taken to live this long.
const UNSTATED: Duration = Duration::from_secs(300);
/// A token this near its end is not handed on to be exchanged.
const NEAR: Duration = Duration::from_secs(60);
/// By so much the clock of whoever validates a token may be ahead, and so long may a call be on its way.
const LEEWAY: Duration = Duration::from_secs(2);
/// `Date` counts in whole seconds, so that a smaller difference of clocks is none.
const RESOLUTION: u64 = 2;

/// The time that a token has, from its acquisition on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    whole: Duration,
    end: SystemTime,
    stated: bool,
}

impl Lifetime {
    /// Of a token that is acquired `now`: what the provider said (RFC 6749 §5.1) or its `exp`, whichever is sooner, else
    /// five minutes. `exp` is read off the provider's clock where that is ahead of this machine's: too soon is no harm.
    pub(super) fn of(
        now: SystemTime,
        said: Option<Duration>,
        claims: Option<&Claims>,
        skew: Option<i64>,
    ) -> Self {
        // A token that is handed out with no time left says nothing that could be relied on.
        let said = said
            .filter(|said| !said.is_zero())
            .and_then(|said| now.checked_add(said));
        let claimed = claims
            .and_then(|claims| claims.seconds("exp")?.checked_sub(ahead(skew).max(0)))
            .and_then(|end| u64::try_from(end).ok())
            .and_then(|end| UNIX_EPOCH.checked_add(Duration::from_secs(end)));
        let stated = said.into_iter().chain(claimed).min();
        let end = stated.unwrap_or(now + UNSTATED);
        Self {
            whole: end.duration_since(now).unwrap_or_default(),
            end,
            stated: stated.is_some(),
        }
    }

    /// When the token ends.
    pub fn end(&self) -> SystemTime {
        self.end
    }

    /// Whether the token is known to have run out, or will have when a call arrives.
    pub fn has_run_out(&self, now: SystemTime) -> bool {
        self.stated && self.is_within(LEEWAY, now)
    }

    /// The same where nobody said when it ends: its usual time is over.
    pub fn may_have_run_out(&self, now: SystemTime) -> bool {
        self.is_within(LEEWAY, now)
    }

    /// Whether too little is left of it to hand it on.
    pub(super) fn is_near_end(&self, now: SystemTime) -> bool {
        self.is_within(NEAR, now)
    }

    /// A short life has short margins: else it would be over before it began.
    fn is_within(&self, margin: Duration, now: SystemTime) -> bool {
        let margin = margin.min(self.whole / 10);
        now.checked_add(margin).is_none_or(|then| then >= self.end)
    }
}

/// Seconds by which the provider's clock is ahead, where that is more than what two readings of one clock differ by.
pub(super) fn ahead(skew: Option<i64>) -> i64 {
    skew.filter(|skew| skew.unsigned_abs() > RESOLUTION)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn ending(exp: u64) -> Option<Claims> {
        let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#));
        Claims::read(&format!("e30.{payload}.c2ln"))
    }

    #[test]
    fn a_token_ends_at_the_sooner_of_what_is_said_of_it() {
        let table = [
            (Some(60), Some(NOW + 90), None, 60, true),
            (Some(60), Some(NOW + 30), None, 30, true),
            (None, Some(NOW + 30), Some(1), 30, true),
            (None, Some(NOW + 630), Some(600), 30, true),
            (Some(60), Some(NOW + 630), Some(600), 30, true),
            (None, Some(NOW + 30), Some(-600), 30, true),
            (Some(0), Some(NOW + 90), None, 90, true),
            (Some(0), None, None, 300, false),
            (None, None, Some(600), 300, false),
            (Some(u64::MAX), None, None, 300, false),
        ];
        for (said, exp, skew, seconds, stated) in table {
            let claims = exp.and_then(ending);
            let said = said.map(Duration::from_secs);
            let lifetime = Lifetime::of(at(NOW), said, claims.as_ref(), skew);
            let told = (lifetime.end(), lifetime.stated);
            assert_eq!(
                told,
                (at(NOW + seconds), stated),
                "{said:?} {exp:?} {skew:?}"
            );
        }
    }

    #[test]
    fn a_token_runs_out_a_little_before_its_end_and_a_short_one_a_very_little() {
        let millis = |seconds: u64, millis: u64| at(NOW + seconds) + Duration::from_millis(millis);
        for (whole, before, after) in [
            (3600, millis(3597, 900), millis(3598, 0)),
            (2, millis(1, 700), millis(1, 800)),
        ] {
            let said = Some(Duration::from_secs(whole));
            let lifetime = Lifetime::of(at(NOW), said, None, None);
            assert!(!lifetime.has_run_out(before) && lifetime.has_run_out(after));
        }
        let said = Some(Duration::from_secs(3600));
        let lifetime = Lifetime::of(at(NOW), said, None, None);
        assert!(lifetime.is_near_end(at(NOW + 3540)) && !lifetime.is_near_end(at(NOW + 3539)));
    }

    #[test]
    fn a_token_of_which_nothing_is_said_only_may_have_run_out() {
        let lifetime = Lifetime::of(at(NOW), None, None, None);
        let later = at(NOW + 400);
        assert!(!lifetime.has_run_out(later) && lifetime.may_have_run_out(later));
        assert!(!lifetime.may_have_run_out(at(NOW + 200)));
    }
}
