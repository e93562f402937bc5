//! Plan in, the persona whose token is meant for another resource than everybody's who may call out.

use crate::plan::Plan;

/// The first persona that signs in, that no operation allows, and whose audiences are none of those of the personas that
/// are allowed something; `None` where an audience is not stated.
pub fn foreigner(plan: &Plan) -> Option<usize> {
    let (scenario, matrix) = (&plan.scenario, &plan.matrix);
    let audiences = |persona: usize| {
        let identity = scenario.personas[persona].identity.as_ref();
        identity.map_or(&[][..], |identity| identity.audiences.as_slice())
    };
    let rights = matrix.rights();
    let is_allowed = |persona: &usize| rights[*persona] != [0; 3];
    let signed_in = (0..matrix.personas.len()).filter(|persona| matrix.personas[*persona].signs_in);
    let (may, may_not): (Vec<usize>, Vec<usize>) = signed_in.partition(is_allowed);
    may_not.into_iter().find(|persona| {
        let own = audiences(*persona);
        let is_elsewhere = |other: &usize| {
            let theirs = audiences(*other);
            !theirs.is_empty() && !theirs.iter().any(|audience| own.contains(audience))
        };
        !own.is_empty() && !may.is_empty() && may.iter().all(is_elsewhere)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Selection;
    use crate::plan::tests::plan;

    #[test]
    fn only_a_persona_without_rights_and_with_another_audience_is_one() {
        let scenario = |more: &str| {
            let client = "client_credentials: { client_id: a, client_secret: { env: A } }";
            let text = format!(
                "rolecall: 1\nname: Things\ndeployment: {{ mcp: \"http://127.0.0.1/mcp\" }}\n\
                 identity: {{ endpoints: {{ token: \"http://127.0.0.1/token\", audience: things }} }}\n\
                 personas:\n  admin: {{ sign_in: {{ {client} }} }}\n  other: {{ {more} sign_in: {{ {client} }} }}\n\
                 operations:\n  list: {{ allow: [admin], mutates: false, mcp: list }}\n"
            );
            foreigner(&plan(&text, &[], Selection::default()))
        };
        let elsewhere = |audience: &str| {
            format!("identity: {{ endpoints: {{ token: \"http://127.0.0.1/token\"{audience} }} }},")
        };
        assert_eq!(scenario(""), None);
        assert_eq!(scenario(&elsewhere(", audience: others")), Some(1));
        assert_eq!(scenario(&elsewhere(", audience: things")), None);
        assert_eq!(scenario(&elsewhere("")), None);
    }
}
