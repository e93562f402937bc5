//! A persona whose token ran out in, its way in with another token or the reason why it has none out.

use std::ptr;
use std::time::SystemTime;

use super::hall::Hall;
use super::standing::{self, Standing};
use crate::judge::{Code, Gap};
use crate::token::preflight::{Mismatch, account};
use crate::token::{Credential, Refusal};

impl Hall<'_> {
    /// Where a persona stands by its newest token.
    pub(super) fn standing(&self, persona: usize) -> &Standing {
        let mut renewed = self.renewed[persona].iter().rev();
        renewed
            .find_map(|place| place.get())
            .unwrap_or(&self.standings[persona])
    }

    /// Where a persona stands for a call that it is about to make: by another token, where its own is known to have run out
    /// and the call is worth so many renewals.
    pub(super) async fn fit(&self, persona: usize, renewals: usize) -> Result<&Standing, Gap> {
        let standing = self.standing(persona);
        if standing.has_run_out(SystemTime::now()) {
            return Box::pin(self.renew(persona, standing, renewals)).await;
        }
        admitted(standing)
    }

    /// Where a persona stands after it was found that the token of `spent` has run out. Of all calls that find so, the first
    /// renews it; preflight has the same say as before the run.
    pub(super) async fn renew(
        &self,
        persona: usize,
        spent: &Standing,
        renewals: usize,
    ) -> Result<&Standing, Gap> {
        let newest = self.standing(persona);
        if !ptr::eq(newest, spent) {
            return admitted(newest);
        }
        let places = &self.renewed[persona];
        let used = places.iter().filter(|place| place.get().is_some()).count();
        let place = places.iter().take(renewals).nth(used);
        let renewed = place.ok_or(Gap::TokenRanOut)?.get_or_try_init(|| async {
            tokio::select! {
                issued = self.desk.renew(persona, used) => Ok(self.stand_anew(persona, issued)),
                () = self.stop.hurried() => Err(Gap::NotReached),
            }
        });
        admitted(renewed.await?)
    }

    fn stand_anew(&self, persona: usize, issued: Result<Credential, Refusal>) -> Standing {
        let first = &self.standings[persona];
        let who = &self.plan.scenario.personas[persona];
        let (credential, entrance) = match (issued, &first.entrance) {
            (Ok(credential), Some(entrance)) => (credential, entrance),
            (Ok(_), None) => return Standing::barred(Gap::TokenRanOut, Vec::new()),
            (Err(refusal), _) => return no_other(&standing::after_name(who, &refusal.said)),
        };
        let shared = self.shares(persona, &credential);
        let mut standing = standing::stand(who, credential, shared.as_ref(), |credential| {
            entrance.renewed(credential)
        });
        // What the first token was noted for needs no second note.
        standing.faults.retain(|(code, _)| {
            standing::stops(*code) || !first.faults.iter().any(|(known, _)| known == code)
        });
        if let Some(event) = standing.event.take().and_then(super::Event::renewed) {
            self.tell(event);
        }
        standing
    }

    /// Whether another persona is the same account, now that this one has another token.
    fn shares(&self, persona: usize, credential: &Credential) -> Option<Mismatch> {
        let personas = 0..self.standings.len();
        let credentials: Vec<Option<&Credential>> = personas
            .map(|other| {
                let own = (other == persona).then_some(credential);
                own.or_else(|| self.standing(other).credential.as_ref())
            })
            .collect();
        account::shared(&self.plan.scenario.personas, &credentials).swap_remove(persona)
    }
}

fn admitted(standing: &Standing) -> Result<&Standing, Gap> {
    standing.gap.map_or(Ok(standing), Err)
}

fn no_other(why: &str) -> Standing {
    let fault = format!(": the token ran out, and there is no other:{why}");
    Standing::barred(Gap::TokenRanOut, vec![(Code::TokenRanOut, fault)])
}
