//! An answer in, the layer that gave it out.

use serde_json::Value;

use crate::door::{Answer, HttpAnswer, Observation, Rpc};
use crate::layer::Layer;
use crate::requirement::Requirement;

impl Layer {
    /// Whose answers these are, by marks that only one layer leaves; `None` where they carry none, or marks of several.
    pub fn of_answers(seen: &[Observation]) -> Option<Self> {
        let mut layers = seen.iter().map(|observation| match &observation.answer {
            Answer::Http(answer) => of_answer(answer),
            Answer::None(_) => None,
        });
        let first = layers.next()??;
        layers.all(|layer| layer == Some(first)).then_some(first)
    }

    /// Whose a requirement is to keep: the last ones of the chapter, and those about its metadata, are the identity
    /// provider's.
    pub(super) const fn of_requirement(requirement: Requirement) -> Self {
        match requirement {
            Requirement::IssuerServed
            | Requirement::PkceOffered
            | Requirement::AddressesSecured
            | Requirement::IssuerInAnswers
            | Requirement::Registration => Self::IdentityProvider,
            Requirement::SessionNoToken
            | Requirement::SessionBound
            | Requirement::SessionUnguessable
            | Requirement::OriginChecked
            | Requirement::HeadersAgree
            | Requirement::VersionChecked
            | Requirement::StateChecked
            | Requirement::TasksBound
            | Requirement::ListPrivate => Self::Backend,
            Requirement::TokenDemanded
            | Requirement::MetadataFound
            | Requirement::MetadataServed
            | Requirement::ServersNamed
            | Requirement::ResourceNamed
            | Requirement::ScopeAdvised
            | Requirement::NothingBlamed
            | Requirement::BadTokenRefused
            | Requirement::AudienceChecked
            | Requirement::ScopeMissed
            | Requirement::QueryIgnored
            | Requirement::BatchRefused
            | Requirement::MethodsAnswered
            | Requirement::NoOfflineAccess => Self::Unknown,
        }
    }
}

/// Texts that proxies which check tokens give in plain text (Envoy's filters; Istio).
const PROXY_TEXTS: [&str; 3] = ["rbac: access denied", "jwt ", "audiences in jwt"];

fn of_answer(answer: &HttpAnswer) -> Option<Layer> {
    if matches!(answer.rpc, Some(Rpc::Result { .. } | Rpc::Error { .. })) {
        return Some(Layer::Backend);
    }
    if matches!(answer.status, 502..=504) {
        return None;
    }
    let header = |name: &str| answer.header(name).is_some();
    let refuses = (400..=500).contains(&answer.status);
    let own_words = is_gateway_note(answer) || is_proxy_text(answer);
    let gateway = refuses && (own_words || header("x-amzn-errortype") || header("apim-request-id"));
    gateway.then_some(Layer::Gateway)
}

/// `{"statusCode": N, "message": …}`, with `activityId` where a policy failed: API Management's own note.
fn is_gateway_note(answer: &HttpAnswer) -> bool {
    if !answer.json {
        return false;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(&answer.body) else {
        return false;
    };
    let known = |name: &String| ["statusCode", "message", "activityId"].contains(&name.as_str());
    fields.get("statusCode") == Some(&answer.status.into())
        && fields.contains_key("message")
        && fields.keys().all(known)
}

fn is_proxy_text(answer: &HttpAnswer) -> bool {
    let text = answer.body.trim_start().to_ascii_lowercase();
    PROXY_TEXTS.iter().any(|known| text.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Silence;

    fn seen(status: u16, body: &str, rpc: Option<Rpc>) -> Observation {
        Observation {
            request: "GET /".into(),
            answer: Answer::Http(HttpAnswer {
                status,
                body: body.to_owned(),
                json: serde_json::from_str::<Value>(body).is_ok(),
                rpc,
                ..HttpAnswer::default()
            }),
            took_ms: 1,
            recipe: None,
        }
    }

    #[test]
    fn an_answer_is_laid_to_whoever_left_its_mark_in_it() {
        let result = Rpc::Result {
            is_error: true,
            text: "no".to_owned(),
        };
        let note = r#"{"statusCode":401,"message":"Unauthorized."}"#;
        let crash = r#"{"statusCode":500,"message":"Internal server error","activityId":"x"}"#;
        let table = [
            (seen(401, note, None), Some(Layer::Gateway)),
            (seen(500, crash, None), Some(Layer::Gateway)),
            (seen(403, note, None), None),
            (seen(200, &note.replace("401", "200"), None), None),
            (seen(403, r#"{"error":"role required"}"#, None), None),
            (seen(403, "RBAC: access denied", None), Some(Layer::Gateway)),
            (seen(403, "that is not for you", None), None),
            (seen(401, "Jwt is expired", None), Some(Layer::Gateway)),
            (seen(200, "{}", Some(result.clone())), Some(Layer::Backend)),
            (seen(502, note, None), None),
            (seen(400, note, Some(Rpc::Absent)), None),
        ];
        for (observation, layer) in table {
            assert_eq!(
                Layer::of_answers(std::slice::from_ref(&observation)),
                layer,
                "{observation:?}"
            );
        }
        let both = [seen(401, note, None), seen(200, "{}", Some(result))];
        assert_eq!(Layer::of_answers(&both), None);
        let silent = Observation {
            answer: Answer::None(Silence::Tls),
            ..seen(401, note, None)
        };
        assert_eq!(Layer::of_answers(&[silent]), None);
        assert_eq!(Layer::of_answers(&[]), None);
    }

    #[test]
    fn a_gateways_header_marks_a_refusal_and_no_success() {
        for (header, status, layer) in [
            ("x-amzn-errortype", 403, Some(Layer::Gateway)),
            ("apim-request-id", 401, Some(Layer::Gateway)),
            ("apim-request-id", 200, None),
            ("x-request-id", 401, None),
        ] {
            let mut observation = seen(status, "", None);
            if let Answer::Http(answer) = &mut observation.answer {
                answer.headers = vec![(header.into(), "x".to_owned())];
            }
            let told = Layer::of_answers(&[observation]);
            assert_eq!(told, layer, "{header} {status}");
        }
    }
}
