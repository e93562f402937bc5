//! Scenario in, the rows that people forget out, each with lines to paste.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::scenario::{Fidelity, Persona, Scenario, SignIn};

/// A row that the scenario lacks.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Offer {
    /// What it is.
    pub row: &'static str,
    /// What it sees that no other row does.
    pub why: &'static str,
    /// Where in the scenario the lines belong.
    pub place: &'static str,
    /// YAML, with variables of the author's to fill in.
    pub lines: String,
}

impl Scenario {
    /// The rows that it lacks of those that people forget. A persona that no operation allows is refused everywhere, so none
    /// of them needs more than these lines.
    pub fn offers(&self) -> Vec<Offer> {
        let lacking = [
            (!self.has_roleless(), roleless()),
            (!self.has_near_miss(), near_miss(self.last_role())),
            (!self.has_own_token_of_client(), own_token_of_client()),
            (!self.has_guest() && self.has_tenant(), guest()),
            (self.lacks_stale_token(), stale_token()),
        ];
        let lacking = lacking.into_iter().filter(|(lacks, _)| *lacks);
        lacking.map(|(_, offer)| offer).collect()
    }

    fn signed_in(&self) -> impl Iterator<Item = &Persona> {
        let signs_in = |persona: &&Persona| !matches!(persona.sign_in, SignIn::None);
        self.personas.iter().filter(signs_in)
    }

    fn roles(&self) -> impl Iterator<Item = &str> {
        let roles = self.personas.iter().filter_map(|one| one.roles.as_ref());
        roles.flatten().map(String::as_str)
    }

    fn has_roleless(&self) -> bool {
        let empty = |persona: &Persona| persona.roles.as_ref().is_some_and(Vec::is_empty);
        self.signed_in().any(empty)
    }

    /// Whether one role stands inside another, so that a check for a part of the text would show.
    fn has_near_miss(&self) -> bool {
        let roles: BTreeSet<&str> = self.roles().collect();
        let inside = |one: &str| {
            roles
                .iter()
                .any(|other| *other != one && other.contains(one))
        };
        roles.iter().any(|role| inside(role))
    }

    /// The role that the file declares last is mostly the one that may most.
    fn last_role(&self) -> Option<&str> {
        self.roles().last()
    }

    /// Whether a client by which users sign in also signs in for itself.
    fn has_own_token_of_client(&self) -> bool {
        let acts_alone =
            |persona: &Persona| matches!(persona.sign_in, SignIn::ClientCredentials { .. });
        let of_users: Vec<&str> = self
            .signed_in()
            .filter(|persona| !acts_alone(persona))
            .filter(|persona| persona.declared.fidelity != Some(Fidelity::App))
            .filter_map(|persona| persona.sign_in.client_id())
            .collect();
        let mut own = self.signed_in().filter(|persona| acts_alone(persona));
        own.any(|persona| {
            let client = persona.sign_in.client_id();
            client.is_some_and(|client| of_users.contains(&client))
        })
    }

    fn has_tenant(&self) -> bool {
        self.tenants().next().is_some()
    }

    fn tenants(&self) -> impl Iterator<Item = &str> {
        let identities = self.signed_in().filter_map(|one| one.identity.as_ref());
        identities.filter_map(|identity| identity.tenant.as_deref())
    }

    /// Whether somebody is said to be of another tenant, or has a guest's principal name.
    fn has_guest(&self) -> bool {
        let tenants: BTreeSet<&str> = self.tenants().collect();
        let is_guest = |persona: &Persona| {
            let declared = &persona.declared;
            let user = declared.user.as_deref().unwrap_or_default();
            let own = persona
                .identity
                .as_ref()
                .and_then(|one| one.tenant.as_ref());
            let elsewhere = declared.tenant.is_some() && declared.tenant.as_ref() != own;
            let name = persona.name.as_str().to_lowercase();
            elsewhere || user.contains("#EXT#") || name.contains("guest")
        };
        tenants.len() > 1 || self.signed_in().any(is_guest)
    }

    fn lacks_stale_token(&self) -> bool {
        let deployment = &self.deployment;
        deployment.mcp.is_some() && deployment.requirements.expired.is_none()
    }
}

const PERSONAS: &str = "under `personas`";

fn roleless() -> Offer {
    Offer {
        row: "signed in, without any role",
        why: "A gateway that only asks for a token lets it through, and one that reads the roles without a guard crashes.",
        place: PERSONAS,
        lines: application("stranger", "[]"),
    }
}

fn near_miss(role: Option<&str>) -> Offer {
    // What a variable held may be anything; only what is plainly a role is repeated.
    let usual = |letter: char| letter.is_ascii_alphanumeric() || ".:_-".contains(letter);
    let role = role.filter(|role| role.chars().all(usual));
    let role = role.unwrap_or("Products.Write");
    Offer {
        row: "a role whose name only begins like one that is needed",
        why: "A policy that joins the roles and looks for a part of the text takes it for the other.",
        place: PERSONAS,
        lines: application("nearmiss", &format!("[{role}Only]")),
    }
}

fn own_token_of_client() -> Offer {
    let persona = application("client-app", "[]");
    Offer {
        row: "the client application with its own token, without a user",
        why: "Where the program by which users sign in holds a role itself, whoever has its secret needs no user.",
        place: PERSONAS,
        lines: persona.replacen("roles: []", "fidelity: app\n  roles: []", 1),
    }
}

fn guest() -> Offer {
    Offer {
        row: "a guest from another tenant",
        why: "A policy that takes the tokens of any tenant, or gives every member of this one a right, lets it through.",
        place: PERSONAS,
        lines: "guest:\n  \
                roles: []\n  \
                fidelity: user\n  \
                sign_in:\n    \
                device_code: { client_id: \"${CLIENT_APP_ID}\" }\n"
            .to_owned(),
    }
}

fn stale_token() -> Offer {
    Offer {
        row: "a token that has run out",
        why: "A gateway that does not look at its times takes it for ever; requirement C-11 tries it.",
        place: "in `deployment: { mcp: { … } }`",
        lines: "expired_token: { env: EXPIRED_TOKEN }\n".to_owned(),
    }
}

fn application(name: &str, roles: &str) -> String {
    let upper = name.to_uppercase().replace('-', "_");
    format!(
        "{name}:\n  \
         roles: {roles}\n  \
         sign_in:\n    \
         client_credentials: {{ client_id: \"${{{upper}_ID}}\", client_secret: {{ env: {upper}_SECRET }} }}\n"
    )
}

#[cfg(test)]
mod tests {
    use crate::plan::Selection;
    use crate::plan::tests::{CATALOG, plan};

    fn rows(text: &str) -> Vec<&'static str> {
        let plan = plan(text, &[], Selection::default());
        let offers = plan.scenario.offers();
        offers.iter().map(|offer| offer.row).collect()
    }

    /// The catalog with the lines of these offers in their places.
    fn pasted(pick: impl Fn(&str) -> bool) -> String {
        let whole = plan(CATALOG, &[], Selection::default());
        let mut text = CATALOG.to_owned();
        for offer in whole.scenario.offers().iter().filter(|one| pick(one.row)) {
            let lines = offer.lines.lines().map(|line| ["  ", line, "\n"].concat());
            let lines: String = lines.collect();
            text = if offer.place.contains("mcp") {
                let lines = offer.lines.trim_end();
                let door = format!("mcp: {{ url: \"${{CATALOG_MCP_URL}}\", {lines} }}");
                text.replacen("mcp: ${CATALOG_MCP_URL}", &door, 1)
            } else {
                text.replacen("  anonymous:\n", &format!("{lines}  anonymous:\n"), 1)
            };
        }
        text
    }

    #[test]
    fn what_the_article_forgets_is_offered_and_no_more_once_it_is_pasted() {
        assert_eq!(
            rows(CATALOG),
            [
                "signed in, without any role",
                "a role whose name only begins like one that is needed",
                "the client application with its own token, without a user",
                "a guest from another tenant",
                "a token that has run out",
            ]
        );
        for row in rows(CATALOG) {
            let left = rows(&pasted(|one| one == row));
            let own_client = row.starts_with("the client") && left.contains(&row);
            // Its own token is one only beside the users of the same client.
            assert!(!left.contains(&row) || own_client, "{row}");
        }
        assert_eq!(rows(&pasted(|_| true)), [""; 0]);
    }
}
