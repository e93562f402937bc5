//! Observation in, outcome out: what the answer means, before anything is compared.

use serde::{Deserialize, Serialize};

use super::mark::Mark;
use super::signature::Signature;
use super::{declared, denial};
use crate::cell::Door;
use crate::door::{Answer, HttpAnswer, Observation, Rpc};
use crate::scenario::{Denials, Fingerprint, McpMethod};

/// What an answer means, whatever was demanded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 2xx with the declared kind of body.
    Granted,
    /// The backend's own 404/409/422 for a decoy target: authorization let it through, nothing was changed.
    PastTheGuard,
    /// 401 that the authorization policy gave.
    Unauthenticated,
    /// 403 that the authorization policy gave.
    Forbidden,
    /// HTTP 200 around a denial: MCP's JSON-RPC error or `isError`, or a body that is nothing but an inner 401 or 403.
    RefusedInBand,
    /// Looks like the answer for a tool, resource, prompt or path that does not exist.
    Hidden,
    /// MCP: the tool ran and failed for reasons of its own.
    ToolError,
    /// A protocol-level 4xx, or a JSON-RPC error that is no denial.
    Rejected,
    /// 3xx to a sign-in page, or that page with 200.
    Redirected,
    /// Refused or answered by something that is not authorization.
    Intercepted,
    /// 500 and the like; MCP: a tool that failed for reasons that its server withholds.
    Crashed,
    /// 502, 503, 504 after retries, transport failure, deadline, unreadable answer, or one that can mean two things.
    NoAnswer,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 12] = [
        Self::Granted,
        Self::PastTheGuard,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::RefusedInBand,
        Self::Hidden,
        Self::ToolError,
        Self::Rejected,
        Self::Redirected,
        Self::Intercepted,
        Self::Crashed,
        Self::NoAnswer,
    ];

    /// The outcome's one spelling, as in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::PastTheGuard => "past-the-guard",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::RefusedInBand => "refused-in-band",
            Self::Hidden => "hidden",
            Self::ToolError => "tool-error",
            Self::Rejected => "rejected",
            Self::Redirected => "redirected",
            Self::Intercepted => "intercepted",
            Self::Crashed => "crashed",
            Self::NoAnswer => "no-answer",
        }
    }

    /// Whether authorization let the call through, so that it can serve as a control.
    pub const fn got_through(self) -> bool {
        match self {
            Self::Granted | Self::PastTheGuard => true,
            Self::Unauthenticated
            | Self::Forbidden
            | Self::RefusedInBand
            | Self::Hidden
            | Self::ToolError
            | Self::Rejected
            | Self::Redirected
            | Self::Intercepted
            | Self::Crashed
            | Self::NoAnswer => false,
        }
    }

    /// Whether the answer says nothing about authorization.
    pub const fn is_silent(self) -> bool {
        match self {
            Self::Intercepted | Self::NoAnswer => true,
            Self::Granted
            | Self::PastTheGuard
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::RefusedInBand
            | Self::Hidden
            | Self::ToolError
            | Self::Rejected
            | Self::Redirected
            | Self::Crashed => false,
        }
    }
}

/// An outcome with the signature or the fingerprint that led to it, when one was recognised.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Reading {
    /// What the answer means.
    pub outcome: Outcome,
    /// Who gives such an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// The scenario's fingerprint that led to it, in place of a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Mark>,
}

impl Reading {
    /// An outcome without a signature.
    pub const fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            signature: None,
            fingerprint: None,
        }
    }

    /// Whether somebody is known who answers so, by the corpus or by the scenario.
    pub const fn is_recognised(self) -> bool {
        self.signature.is_some() || self.fingerprint.is_some()
    }
}

/// What must be known of a call to read its answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting<'a> {
    /// Whether the call named a decoy: an object that cannot exist or a body that cannot validate.
    pub decoy: bool,
    /// What an MCP request asked.
    pub method: Option<McpMethod>,
    /// The tool, resource or prompt that it named.
    pub name: Option<&'a str>,
    /// The same persona's answer to such a request for what cannot exist, with the name that it bore.
    pub unknown: Option<(&'a str, &'a Observation)>,
    /// What the scenario declares to be a denial at this door, besides what is known as one.
    pub denials: Option<&'a Denials>,
    /// The door that answered, and the answers that the scenario knows.
    pub known: Option<(Door, &'a [Fingerprint])>,
}

/// Reads an observation. The answer of an MCP door is one whose `rpc` is present.
///
/// A recognised [`Signature`] decides before the status does; JSON-RPC errors are read alike at HTTP 200 and 4xx,
/// because servers of revision 2026-07-28 map some of them to 400 and 404.
pub fn read(observation: &Observation, setting: &Setting<'_>) -> Reading {
    let answer = match &observation.answer {
        Answer::Http(answer) if (200..600).contains(&answer.status) => answer,
        Answer::Http(_) | Answer::None(_) => return Reading::plain(Outcome::NoAnswer),
    };
    let signature = Signature::recognise(answer);
    let outcome = signature
        .and_then(|signature| signed(signature, answer))
        .unwrap_or_else(|| unsigned(answer, setting, signature.is_some()));
    let usual = Reading {
        signature,
        ..Reading::plain(outcome)
    };
    match setting.known {
        Some((door, fingerprints)) => declared::read(answer, usual, door, fingerprints),
        None => usual,
    }
}

/// What a signature alone decides; `None` leaves it to the status.
fn signed(signature: Signature, answer: &HttpAnswer) -> Option<Outcome> {
    match signature {
        Signature::SubscriptionKey
        | Signature::Quota
        | Signature::IpFilter
        | Signature::EdgePage
        | Signature::ProxyPage
        | Signature::OriginCheck
        | Signature::EmptyAnswer
        | Signature::Swallowed
        | Signature::RateLimit => Some(Outcome::Intercepted),
        Signature::HtmlPage => {
            matches!(answer.status, 200..=299 | 401 | 403).then_some(Outcome::Intercepted)
        }
        Signature::RouteMissing if answer.rpc.is_some() => Some(Outcome::Rejected),
        Signature::RouteMissing => Some(Outcome::Hidden),
        Signature::LoginRedirect | Signature::LoginPage => Some(Outcome::Redirected),
        Signature::PolicyCrash => Some(Outcome::Crashed),
        Signature::GatewayError => Some(Outcome::NoAnswer),
    }
}

fn unsigned(answer: &HttpAnswer, setting: &Setting<'_>, marked: bool) -> Outcome {
    match answer.status {
        200..=299 => success(answer, setting),
        401 => Outcome::Unauthenticated,
        403 if denial::faults_the_token(&answer.body) => Outcome::Unauthenticated,
        403 => Outcome::Forbidden,
        404 | 410 if answer.rpc.is_none() => decoyed(setting, marked, Outcome::Hidden),
        400 | 409 | 422 if answer.rpc.is_none() => decoyed(setting, marked, Outcome::Rejected),
        400..=499 => protocol_error(answer, setting),
        500..=599 => Outcome::Crashed,
        _ => Outcome::Rejected,
    }
}

/// The backend's own complaint about a decoy proves that the call reached it; a marked answer is not the backend's.
fn decoyed(setting: &Setting<'_>, marked: bool, otherwise: Outcome) -> Outcome {
    if setting.decoy && !marked {
        Outcome::PastTheGuard
    } else {
        otherwise
    }
}

fn success(answer: &HttpAnswer, setting: &Setting<'_>) -> Outcome {
    match &answer.rpc {
        None if answer.truncated && answer.body_bytes == 0 => Outcome::NoAnswer,
        None if denial::wraps_a_refusal(&answer.body) => Outcome::RefusedInBand,
        None => Outcome::Granted,
        Some(Rpc::Result {
            is_error: false,
            text,
        }) if denial::wraps_a_refusal(text) => Outcome::RefusedInBand,
        Some(Rpc::Result {
            is_error: false, ..
        }) => Outcome::Granted,
        Some(Rpc::Result {
            is_error: true,
            text,
        }) => no_in_band(answer, text, setting).unwrap_or_else(|| tool_error(text, setting)),
        Some(Rpc::Error { code, message }) => error_object(answer, *code, message, setting),
        Some(Rpc::Absent) => Outcome::NoAnswer,
    }
}

/// A reason that is withheld is what a 500 is elsewhere: nobody can tell a guard inside the tool from a defect of it.
fn tool_error(text: &str, setting: &Setting<'_>) -> Outcome {
    if denial::withholds_why(text, setting.name) {
        Outcome::Crashed
    } else {
        decoyed(setting, false, Outcome::ToolError)
    }
}

fn protocol_error(answer: &HttpAnswer, setting: &Setting<'_>) -> Outcome {
    match &answer.rpc {
        Some(Rpc::Error { code, message }) => error_object(answer, *code, message, setting),
        Some(Rpc::Result { .. } | Rpc::Absent) | None => Outcome::Rejected,
    }
}

/// A JSON-RPC error (JSON-RPC 2.0 §5.1): -32601 is an unknown method, -32602 a complaint about arguments unless its words say otherwise.
fn error_object(answer: &HttpAnswer, code: i64, message: &str, setting: &Setting<'_>) -> Outcome {
    if denial::is_denial_code(code) || denial::declares_code(setting.denials, code) {
        return Outcome::RefusedInBand;
    }
    if code == -32601 {
        return Outcome::Hidden;
    }
    let about_arguments = code == -32602;
    no_in_band(answer, message, setting)
        .or_else(|| denial::is_absence_code(code, setting.method).then(|| absent(answer, setting)))
        .unwrap_or_else(|| decoyed(setting, !about_arguments, Outcome::Rejected))
}

/// A no in words: to the existence of what was named, or to the caller. Default-deny servers say no in the same words
/// to an unknown name, so words of denial outrank equality with the calibrated answer, and what the scenario declares
/// outranks both.
fn no_in_band(answer: &HttpAnswer, text: &str, setting: &Setting<'_>) -> Option<Outcome> {
    if denial::declares_words(setting.denials, text) {
        Some(Outcome::RefusedInBand)
    } else if denial::knows_none(text, setting.method, setting.name) {
        Some(absent(answer, setting))
    } else if denial::denies(text) {
        Some(Outcome::RefusedInBand)
    } else if answers_like_unknown(answer, setting) {
        Some(absent(answer, setting))
    } else {
        None
    }
}

/// What "there is no such thing" means. Of a resource that is a decoy it may be the truth: told in another way than of
/// what cannot exist at all, it comes from behind the guard; told in the same way, nobody can tell.
fn absent(answer: &HttpAnswer, setting: &Setting<'_>) -> Outcome {
    let is_true = setting.decoy && setting.method == Some(McpMethod::ReadResource);
    match setting.unknown {
        Some(_) if is_true && !answers_like_unknown(answer, setting) => Outcome::PastTheGuard,
        Some(_) | None if is_true => Outcome::NoAnswer,
        Some(_) | None => Outcome::Hidden,
    }
}

fn answers_like_unknown(answer: &HttpAnswer, setting: &Setting<'_>) -> bool {
    let Some((name, observation)) = setting.unknown else {
        return false;
    };
    match &observation.answer {
        Answer::Http(unknown) => shape(unknown, Some(name)) == shape(answer, setting.name),
        Answer::None(_) => false,
    }
}

/// Status, JSON-RPC code (none for a result), `isError`, and words without the tool's name.
fn shape(answer: &HttpAnswer, tool: Option<&str>) -> Option<(u16, Option<i64>, bool, String)> {
    match answer.rpc.as_ref()? {
        Rpc::Result { is_error, text } => {
            Some((answer.status, None, *is_error, denial::nameless(text, tool)))
        }
        Rpc::Error { code, message } => Some((
            answer.status,
            Some(*code),
            true,
            denial::nameless(message, tool),
        )),
        Rpc::Absent => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::exhibit;
    use crate::wire::Silence;

    /// Product, status, headers (`name: value`, one a line), body, what is read from it, the signature.
    type Row = (
        &'static str,
        u16,
        &'static str,
        &'static str,
        Outcome,
        Option<Signature>,
    );

    const JSON: &str = "content-type: application/json";
    const HTML: &str = "content-type: text/html";
    const TEXT: &str = "content-type: text/plain";

    fn answer(status: u16, headers: &str, body: &str, rpc: Option<Rpc>) -> HttpAnswer {
        HttpAnswer {
            rpc,
            ..exhibit::answer(status, headers, body)
        }
    }

    fn observed(answer: HttpAnswer) -> Observation {
        Observation {
            request: "GET /api/products".into(),
            answer: Answer::Http(answer),
            took_ms: 3,
            recipe: None,
        }
    }

    fn result(text: &str) -> Rpc {
        Rpc::Result {
            is_error: false,
            text: text.to_owned(),
        }
    }

    fn failed(text: &str) -> Rpc {
        Rpc::Result {
            is_error: true,
            text: text.to_owned(),
        }
    }

    fn error(code: i64, message: &str) -> Rpc {
        Rpc::Error {
            code,
            message: message.to_owned(),
        }
    }

    fn expect_rows(rows: &[Row], rpc: Option<&Rpc>, setting: &Setting<'_>) {
        for (product, status, headers, body, outcome, signature) in rows {
            let reading = read(
                &observed(answer(*status, headers, body, rpc.cloned())),
                setting,
            );
            assert_eq!(
                reading,
                Reading {
                    signature: *signature,
                    ..Reading::plain(*outcome)
                },
                "{product}: {status} {body}"
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of recorded shapes")]
    fn rest_answers_are_read_for_what_they_are() {
        use Outcome as O;
        use Signature as S;
        #[rustfmt::skip]
        let rows: &[Row] = &[
            // Success.
            ("any API", 200, JSON, r#"{"items":[]}"#, O::Granted, None),
            ("any API, list of texts about firewalls", 200, JSON, r#"["The request is blocked."]"#, O::Granted, None),
            ("any API, created", 201, JSON, r#"{"id":7}"#, O::Granted, None),
            ("any API, created without body", 201, "location: /api/products/7", "", O::Granted, None),
            ("any API, accepted", 202, "", "", O::Granted, None),
            ("any API, deleted", 204, "", "", O::Granted, None),
            ("any API, csv", 200, "content-type: text/csv", "id,name\n1,a", O::Granted, None),
            ("Express sendStatus", 200, TEXT, "OK", O::Granted, None),
            ("a backend that answers 200 to everything", 200, JSON, r#"{"statusCode":401,"message":"Unauthorized"}"#, O::RefusedInBand, None),
            ("a status in the text", 200, TEXT, "403 Forbidden", O::RefusedInBand, None),
            ("any API, a list of failed calls", 200, JSON, r#"[{"status":403,"message":"Forbidden"}]"#, O::Granted, None),
            ("API Management cors", 200, "", "", O::Intercepted, Some(S::EmptyAnswer)),
            ("Front Door firewall with status 200", 200, "content-type: text/html\nx-azure-ref: 0abc", "<html><body>The request is blocked.</body></html>", O::Intercepted, Some(S::EdgePage)),
            ("Front Door firewall as text with status 200", 200, "x-azure-ref: 0abc", "The request is blocked. 0abc", O::Intercepted, Some(S::EdgePage)),
            ("any API, a log that quotes a firewall", 200, "content-type: text/csv", "1,error code: 1020\n2,The request is blocked.", O::Granted, None),
            ("F5 ASM", 200, HTML, "<html><body>The requested URL was rejected. Please consult with your administrator.</body></html>", O::Intercepted, Some(S::EdgePage)),
            ("Entra sign-in page", 200, HTML, "<!DOCTYPE html><title>Sign in to your account</title>", O::Redirected, Some(S::LoginPage)),
            ("oauth2-proxy page", 200, HTML, "<html><form><input type=\"password\"></form></html>", O::Redirected, Some(S::LoginPage)),
            ("parking page", 200, HTML, "<html><body>Welcome</body></html>", O::Intercepted, Some(S::HtmlPage)),
            ("page without a type", 200, "", "<!doctype html><p>hello", O::Intercepted, Some(S::HtmlPage)),
            // Redirects.
            ("Entra", 302, "location: https://login.microsoftonline.com/t/oauth2/v2.0/authorize", "", O::Redirected, Some(S::LoginRedirect)),
            ("App Service authentication", 302, "location: /.auth/login/aad", "", O::Redirected, Some(S::LoginRedirect)),
            ("Keycloak", 303, "location: https://id.example/realms/x/protocol/openid-connect/auth", "", O::Redirected, Some(S::LoginRedirect)),
            ("Cloudflare Access", 302, "location: https://x.cloudflareaccess.com/cdn-cgi/access/sign", "", O::Redirected, Some(S::LoginRedirect)),
            ("ASP.NET cookie scheme", 302, "location: /Account/Login", "", O::Redirected, Some(S::LoginRedirect)),
            ("slash redirect", 307, "location: /api/products/", "", O::Rejected, None),
            ("not modified", 304, "", "", O::Rejected, None),
            // 401, and what is meant as one.
            ("Envoy, a token for another audience", 403, TEXT, "Audiences in Jwt are not allowed", O::Unauthenticated, None),
            ("API Management validate-jwt", 401, JSON, r#"{"statusCode":401,"message":"Unauthorized."}"#, O::Unauthenticated, None),
            ("API Management validate-jwt default", 401, JSON, r#"{ "statusCode": 401, "message": "JWT not present." }"#, O::Unauthenticated, None),
            ("API Management on-error", 401, "www-authenticate: Bearer error=\"invalid_token\"", "", O::Unauthenticated, None),
            ("API Management missing key", 401, "www-authenticate: AzureApiManagementKey realm=\"https://x.azure-api.net/\",name=\"Ocp-Apim-Subscription-Key\",type=\"header\"", r#"{"statusCode":401,"message":"Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."}"#, O::Intercepted, Some(S::SubscriptionKey)),
            ("API Management invalid key, challenge removed", 401, JSON, r#"{"statusCode":401,"message":"Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."}"#, O::Intercepted, Some(S::SubscriptionKey)),
            ("ASP.NET", 401, "www-authenticate: Bearer error=\"invalid_token\", error_description=\"The audience 'x' is invalid\"", "", O::Unauthenticated, None),
            ("ASP.NET without challenge", 401, "", "", O::Unauthenticated, None),
            ("AWS authorizer", 401, "x-amzn-errortype: UnauthorizedException", r#"{"message":"Unauthorized"}"#, O::Unauthenticated, None),
            ("Kong jwt", 401, "www-authenticate: Bearer realm=\"kong\"\nserver: kong/3.9", r#"{"message":"Unauthorized","request_id":"1"}"#, O::Unauthenticated, None),
            ("Kong key-auth", 401, "www-authenticate: Key realm=\"kong\"", r#"{"message":"No API key found in request"}"#, O::Intercepted, Some(S::SubscriptionKey)),
            ("APISIX jwt-auth", 401, JSON, r#"{"message":"Missing JWT token in request"}"#, O::Unauthenticated, None),
            ("APISIX key-auth", 401, JSON, r#"{"message":"Missing API key found in request"}"#, O::Intercepted, Some(S::SubscriptionKey)),
            ("Envoy", 401, TEXT, "Jwt is missing", O::Unauthenticated, None),
            ("Envoy expired", 401, "www-authenticate: Bearer realm=\"x\"", "Jwt is expired", O::Unauthenticated, None),
            ("Apigee token", 401, JSON, r#"{"fault":{"faultstring":"Invalid access token","detail":{"errorcode":"keymanagement.service.invalid_access_token"}}}"#, O::Unauthenticated, None),
            ("Apigee key", 401, JSON, r#"{"fault":{"faultstring":"Failed to resolve API Key variable","detail":{"errorcode":"steps.oauth.v2.FailedToResolveAPIKey"}}}"#, O::Intercepted, Some(S::SubscriptionKey)),
            ("nginx auth_request", 401, HTML, "<html><center><h1>401 Authorization Required</h1></center><hr><center>nginx</center></html>", O::Intercepted, Some(S::ProxyPage)),
            ("nginx auth_jwt with a challenge", 401, "content-type: text/html\nwww-authenticate: Bearer realm=\"api\"", "<html><center>nginx</center></html>", O::Unauthenticated, None),
            ("IIS", 401, HTML, "<html><h2>401 - Unauthorized</h2></html>", O::Intercepted, Some(S::HtmlPage)),
            // 403.
            ("API Management return-response", 403, "", r#"{"error": "Products.Admin role required"}"#, O::Forbidden, None),
            ("API Management ip-filter", 403, JSON, r#"{ "statusCode": 403, "message": "Forbidden" }"#, O::Intercepted, Some(S::IpFilter)),
            ("NestJS guard", 403, JSON, r#"{"message":"Forbidden resource","error":"Forbidden","statusCode":403}"#, O::Forbidden, None),
            ("API Management quota", 403, "retry-after: 300", r#"{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 05:23:10."}"#, O::Intercepted, Some(S::Quota)),
            ("API Management bandwidth", 403, JSON, r#"{"statusCode":403,"message":"Out of bandwidth quota. Quota will be replenished in 05:23:10."}"#, O::Intercepted, Some(S::Quota)),
            ("Application Gateway", 403, "content-type: text/html\nserver: Microsoft-Azure-Application-Gateway/v2", "<html><center><h1>403 Forbidden</h1></center><hr><center>Microsoft-Azure-Application-Gateway/v2</center></html>", O::Intercepted, Some(S::EdgePage)),
            ("Front Door firewall", 403, "x-azure-ref: 0abc", "The request is blocked. 0abc", O::Intercepted, Some(S::EdgePage)),
            ("Cloudflare challenge", 403, "cf-mitigated: challenge\ncf-ray: 1", "<html><title>Just a moment...</title>", O::Intercepted, Some(S::EdgePage)),
            ("Cloudflare rule", 403, TEXT, "error code: 1020", O::Intercepted, Some(S::EdgePage)),
            ("AWS WAF", 403, "x-amzn-waf-action: challenge", "", O::Intercepted, Some(S::EdgePage)),
            ("AWS load balancer", 403, "content-type: text/html\nserver: awselb/2.0", "<html><center><h1>403 Forbidden</h1></center></html>", O::Intercepted, Some(S::EdgePage)),
            ("CloudFront", 403, HTML, "<html>Request blocked. Generated by cloudfront (CloudFront)</html>", O::Intercepted, Some(S::EdgePage)),
            ("Akamai", 403, HTML, "<html>Access Denied https://errors.edgesuite.net/18</html>", O::Intercepted, Some(S::EdgePage)),
            ("App Service restriction", 403, "content-type: text/html\nx-ms-forbidden-ip: 192.0.2.1", "<html>Error 403 - Forbidden</html>", O::Intercepted, Some(S::IpFilter)),
            ("Kong ip-restriction", 403, JSON, r#"{"message":"IP address not allowed: 192.0.2.1"}"#, O::Intercepted, Some(S::IpFilter)),
            ("Kong acl", 403, JSON, r#"{"message":"You cannot consume this service"}"#, O::Forbidden, None),
            ("APISIX ip-restriction", 403, JSON, r#"{"message":"Your IP address is not allowed"}"#, O::Intercepted, Some(S::IpFilter)),
            ("APISIX consumer-restriction", 403, JSON, r#"{"message":"The consumer_name is forbidden."}"#, O::Forbidden, None),
            ("APISIX scopes", 403, JSON, r#"{"error":"required scopes not present"}"#, O::Forbidden, None),
            ("Apigee scope", 403, JSON, r#"{"fault":{"faultstring":"Required scope(s): write","detail":{"errorcode":"steps.oauth.v2.InsufficientScope"}}}"#, O::Forbidden, None),
            ("Apigee address", 403, JSON, r#"{"fault":{"detail":{"errorcode":"accesscontrol.IPDeniedAccess"}}}"#, O::Intercepted, Some(S::IpFilter)),
            ("WSO2", 403, "www-authenticate: Bearer error=\"invalid_token\"", r#"{"code":"900910","message":"The access token does not allow you to access the requested resource"}"#, O::Forbidden, None),
            ("Envoy rbac, Istio, Container Apps", 403, TEXT, "RBAC: access denied", O::Forbidden, None),
            ("Spring Security", 403, "www-authenticate: Bearer error=\"insufficient_scope\"", "", O::Forbidden, None),
            ("ASP.NET", 403, "", "", O::Forbidden, None),
            ("AWS policy", 403, "x-amzn-errortype: AccessDeniedException", r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#, O::Forbidden, None),
            ("AWS HTTP API scope", 403, "apigw-requestid: x", r#"{"message":"Forbidden"}"#, O::Forbidden, None),
            ("AWS REST API key", 403, "x-amzn-errortype: ForbiddenException", r#"{"message":"Forbidden"}"#, O::Intercepted, Some(S::SubscriptionKey)),
            ("AWS unknown route", 403, "x-amzn-errortype: MissingAuthenticationTokenException", r#"{"message":"Missing Authentication Token"}"#, O::Hidden, Some(S::RouteMissing)),
            ("Traefik ForwardAuth", 403, TEXT, "Forbidden", O::Forbidden, None),
            ("nginx", 403, HTML, "<html><h1>403 Forbidden</h1><hr><center>nginx/1.27</center></html>", O::Intercepted, Some(S::ProxyPage)),
            ("oauth2-proxy", 403, HTML, "<html>Sign in with OpenID</html>", O::Intercepted, Some(S::HtmlPage)),
            // Other refusals of the protocol.
            ("API Management route", 404, JSON, r#"{ "statusCode": 404, "message": "Resource not found" }"#, O::Hidden, Some(S::RouteMissing)),
            ("Kong route", 404, JSON, r#"{"message":"no Route matched with those values","request_id":"1"}"#, O::Hidden, Some(S::RouteMissing)),
            ("APISIX route", 404, JSON, r#"{"error_msg":"404 Route Not Found"}"#, O::Hidden, Some(S::RouteMissing)),
            ("AWS HTTP API route", 404, "apigw-requestid: x", r#"{"message":"Not Found"}"#, O::Hidden, Some(S::RouteMissing)),
            ("Go and Traefik routers", 404, TEXT, "404 page not found\n", O::Hidden, Some(S::RouteMissing)),
            ("Express router", 404, HTML, "<!DOCTYPE html><pre>Cannot GET /api/products</pre>", O::Hidden, Some(S::HtmlPage)),
            ("backend", 404, JSON, r#"{"error":"product not found"}"#, O::Hidden, None),
            ("backend, gone", 410, JSON, r#"{"error":"gone"}"#, O::Hidden, None),
            ("backend, conflict", 409, JSON, r#"{"error":"duplicate name"}"#, O::Rejected, None),
            ("backend, invalid", 422, JSON, r#"{"error":"price"}"#, O::Rejected, None),
            ("Tyk without a token", 400, JSON, r#"{"error":"Authorization field missing"}"#, O::Rejected, None),
            ("method", 405, "allow: GET", "", O::Rejected, None),
            ("timeout of the client", 408, "", "", O::Rejected, None),
            ("API Management rate-limit", 429, "retry-after: 1", r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 1 seconds."}"#, O::Intercepted, Some(S::RateLimit)),
            ("Cloudflare challenge with 429", 429, "cf-mitigated: challenge", "", O::Intercepted, Some(S::EdgePage)),
            // Crashes and silence.
            ("API Management policy", 500, JSON, r#"{"statusCode":500,"message":"Internal server error","activityId":"8a1c"}"#, O::Crashed, Some(S::PolicyCrash)),
            ("backend", 500, JSON, r#"{"error":"boom"}"#, O::Crashed, None),
            ("Tomcat", 500, HTML, "<html>HTTP Status 500</html>", O::Crashed, None),
            ("not implemented", 501, "", "", O::Crashed, None),
            ("Application Gateway without backend", 502, HTML, "<html><center>Microsoft-Azure-Application-Gateway/v2</center></html>", O::NoAnswer, Some(S::GatewayError)),
            ("nginx upstream", 504, HTML, "<html><center>nginx</center></html>", O::NoAnswer, Some(S::GatewayError)),
            ("Envoy upstream", 503, TEXT, "upstream connect error or disconnect/reset before headers", O::NoAnswer, Some(S::GatewayError)),
            ("Cloudflare under attack", 503, "cf-mitigated: challenge", "<html><title>Just a moment...</title>", O::Intercepted, Some(S::EdgePage)),
            ("no HTTP status", 999, HTML, "<html>Request denied</html>", O::NoAnswer, None),
            ("interim", 103, "", "", O::NoAnswer, None),
        ];
        assert!(rows.len() >= 60);
        expect_rows(rows, None, &Setting::default());
    }

    #[test]
    fn mcp_answers_are_read_by_message_not_by_status() {
        use Outcome as O;
        #[rustfmt::skip]
        let rows: &[(&str, u16, Rpc, Outcome)] = &[
            ("any server", 200, result(r#"{"items":[]}"#), O::Granted),
            ("any server, empty text", 200, result(""), O::Granted),
            ("LiteLLM passing an inner 401 on", 200, result("Error 401: Unauthorized"), O::RefusedInBand),
            ("API Management passing an inner 403 on", 200, result(r#"{"statusCode":403,"message":"Forbidden"}"#), O::RefusedInBand),
            ("FastMCP component auth", 200, failed("Unknown tool: 'createProduct'"), O::Hidden),
            ("FastMCP AuthMiddleware", 200, failed("Authorization failed for tool 'createProduct': insufficient scope (required: admin)"), O::RefusedInBand),
            ("FastMCP AuthMiddleware, own check", 200, failed("Authorization failed for tool 'createProduct': insufficient permissions"), O::RefusedInBand),
            ("TypeScript SDK isError", 200, failed("Forbidden"), O::RefusedInBand),
            ("after a progress event, by SSE", 200, error(-32603, "Authorization failed for tool 'createProduct'"), O::RefusedInBand),
            ("FastMCP AuthMiddleware, unknown", 200, failed("'createProduct' not found or not authorized"), O::Hidden),
            ("Python SDK ToolError", 200, failed("Error executing tool createProduct: Forbidden: Products.Write role required"), O::RefusedInBand),
            ("Python SDK 2 masked", 200, failed("Error executing tool createProduct"), O::Crashed),
            ("FastMCP masked", 200, failed("Error calling tool 'createProduct'"), O::Crashed),
            ("C# masked", 200, failed("An error occurred invoking 'createProduct'."), O::Crashed),
            ("Python SDK business error", 200, failed("Error executing tool createProduct: product not found"), O::ToolError),
            ("backend", 200, failed("product not found"), O::ToolError),
            ("TypeScript SDK 1 unknown", 200, failed("MCP error -32602: Tool createProduct not found"), O::Hidden),
            ("Python SDK MCPError", 200, error(-32001, "Forbidden: no"), O::RefusedInBand),
            ("TypeScript SDK timeout", 200, error(-32001, "Request timed out"), O::Rejected),
            ("TypeScript SDK 2 unknown", 200, error(-32602, "Tool createProduct not found"), O::Hidden),
            ("TypeScript SDK 2 disabled", 200, error(-32602, "Tool createProduct disabled"), O::Hidden),
            ("C# AddAuthorizationFilters", 200, error(-32600, "Access forbidden: This tool requires authorization."), O::RefusedInBand),
            ("Pomerium", 200, error(-32603, "access denied"), O::RefusedInBand),
            ("status as code", 200, error(403, "no"), O::RefusedInBand),
            ("method unknown", 404, error(-32601, "Method not found"), O::Hidden),
            ("modern Python unknown", 400, error(-32602, "Unknown tool: createProduct"), O::Hidden),
            ("invalid arguments", 400, error(-32602, "Invalid params: price"), O::Rejected),
            ("header mismatch", 400, error(-32020, "Mcp-Name does not match"), O::Rejected),
            ("session gone", 404, error(-32001, "Session not found"), O::Rejected),
            ("deep nesting", 500, error(-32603, "Internal error"), O::Crashed),
            ("JSON-RPC error with 401", 401, error(-32001, "Unauthorized"), O::Unauthenticated),
            ("JSON-RPC error with 403", 403, error(-32003, "no"), O::Forbidden),
            ("gateway policy", 403, Rpc::Absent, O::Forbidden),
            ("gateway policy", 401, Rpc::Absent, O::Unauthenticated),
            ("swallowed body", 400, Rpc::Absent, O::Rejected),
            ("wrong id, batch, no JSON-RPC", 200, Rpc::Absent, O::NoAnswer),
            ("result with a status of refusal", 400, result("x"), O::Rejected),
        ];
        let setting = Setting {
            method: Some(McpMethod::CallTool),
            name: Some("createProduct"),
            ..Setting::default()
        };
        for (product, status, rpc, outcome) in rows {
            let observation = observed(answer(
                *status,
                JSON,
                "{\"jsonrpc\":\"2.0\"}",
                Some(rpc.clone()),
            ));
            assert_eq!(
                read(&observation, &setting),
                Reading::plain(*outcome),
                "{product}: {rpc:?}"
            );
        }
    }

    #[test]
    fn refusals_of_resources_and_prompts_are_read_as_servers_give_them() {
        use McpMethod as M;
        use Outcome as O;
        #[rustfmt::skip]
        let rows: &[(&str, M, u16, Rpc, Outcome)] = &[
            ("any server", M::ReadResource, 200, result("{}"), O::Granted),
            ("any server", M::GetPrompt, 200, result("Describe it."), O::Granted),
            ("any server", M::Complete, 200, result(""), O::Granted),
            ("any server", M::ListTools, 200, result(""), O::Granted),
            ("no result of its kind, input_required", M::ReadResource, 200, Rpc::Absent, O::NoAnswer),
            ("FastMCP component auth, modern", M::ReadResource, 400, error(-32602, "Resource not found: 'products://admin'"), O::Hidden),
            ("FastMCP component auth, legacy", M::ReadResource, 200, error(-32602, "Resource not found: 'products://admin'"), O::Hidden),
            ("Python SDK 1 unknown", M::ReadResource, 200, error(0, "Unknown resource: products://admin"), O::Hidden),
            ("TypeScript SDK unknown", M::ReadResource, 200, error(-32602, "Resource products://admin not found"), O::Hidden),
            ("revisions up to 2025-11-25, unknown", M::ReadResource, 200, error(-32002, "products://admin"), O::Hidden),
            ("FastMCP AuthMiddleware", M::ReadResource, 200, error(-32603, "Authorization failed for resource 'products://admin'"), O::RefusedInBand),
            ("-32602 that denies", M::ReadResource, 400, error(-32602, "Access denied"), O::RefusedInBand),
            ("-32602 about something else", M::ReadResource, 400, error(-32602, "uri must be a URL"), O::Rejected),
            ("-32001 without words", M::GetPrompt, 200, error(-32001, ""), O::Rejected),
            ("inner 403 as a resource", M::ReadResource, 200, result("HTTP 403 Forbidden"), O::RefusedInBand),
            ("unknown prompt", M::GetPrompt, 200, error(-32602, "Unknown prompt: products://admin"), O::Hidden),
            ("unknown reference", M::Complete, 400, error(-32602, "Prompt products://admin not found"), O::Hidden),
            ("denied completion", M::Complete, 200, error(-32603, "Forbidden"), O::RefusedInBand),
            ("no such capability", M::ListPrompts, 200, error(-32601, "Method not found"), O::Hidden),
            ("denied list", M::ListTools, 200, error(-32600, "Access forbidden"), O::RefusedInBand),
            ("denied handshake", M::Initialize, 403, Rpc::Absent, O::Forbidden),
        ];
        for (product, method, status, rpc, outcome) in rows {
            let observation = observed(answer(*status, JSON, "{}", Some(rpc.clone())));
            let setting = Setting {
                method: Some(*method),
                name: Some("products://admin"),
                ..Setting::default()
            };
            let reading = read(&observation, &setting);
            assert_eq!(reading, Reading::plain(*outcome), "{product}: {rpc:?}");
        }
    }

    /// What stacks answer to a caller that may not, with status, headers and bytes as recorded; by what is not JSON-RPC.
    #[test]
    fn refusals_outside_of_the_protocol_are_read_as_recorded() {
        use Outcome as O;
        let scope = "content-type: application/json\nwww-authenticate: Bearer error=\"insufficient_scope\", error_description=\"Required scope: mcp\", resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\"";
        #[rustfmt::skip]
        let rows: &[Row] = &[
            ("gateway policy", 403, "", r#"{"error": "Products.Admin role required"}"#, O::Forbidden, None),
            ("Python SDK required_scopes", 403, scope, r#"{"error":"insufficient_scope","error_description":"Required scope: mcp"}"#, O::Forbidden, None),
            ("TypeScript SDK requireBearerAuth", 403, "content-type: application/json\nwww-authenticate: Bearer error=\"insufficient_scope\", error_description=\"Insufficient scope\", scope=\"mcp\"", r#"{"error":"insufficient_scope","error_description":"Insufficient scope"}"#, O::Forbidden, None),
            ("FastMCP JWTVerifier", 401, "content-type: application/json\nwww-authenticate: Bearer error=\"invalid_token\", error_description=\"Authentication failed.\"", r#"{"error":"invalid_token","error_description":"Authentication failed."}"#, O::Unauthenticated, None),
            ("401 with insufficient_scope", 401, "www-authenticate: Bearer error=\"insufficient_scope\"", "", O::Unauthenticated, None),
            ("FastMCP without a token", 401, "www-authenticate: Bearer error=\"invalid_token\"", "", O::Unauthenticated, None),
            ("Go SDK", 401, "content-type: text/plain; charset=utf-8\nwww-authenticate: Bearer resource_metadata=\"https://h\"", "no bearer token\n", O::Unauthenticated, None),
            ("Go SDK", 403, "content-type: text/plain; charset=utf-8\nwww-authenticate: Bearer resource_metadata=\"https://h\"", "insufficient scope\n", O::Forbidden, None),
            ("custom gateway", 404, JSON, r#"{"error":"not found"}"#, O::Rejected, None),
        ];
        expect_rows(rows, Some(&Rpc::Absent), &Setting::default());
    }

    #[test]
    fn what_is_no_message_at_an_mcp_door_is_no_permission() {
        use Outcome as O;
        use Signature as S;
        #[rustfmt::skip]
        let rows: &[Row] = &[
            ("request taken for a notification", 202, "", "", O::Intercepted, Some(S::Swallowed)),
            ("API Management cors", 200, "", "", O::Intercepted, Some(S::EmptyAnswer)),
            ("empty stream", 200, "content-type: text/event-stream", "", O::Intercepted, Some(S::EmptyAnswer)),
            ("no content", 204, "", "", O::Intercepted, Some(S::EmptyAnswer)),
            ("stream without our message", 200, "content-type: text/event-stream", ": ping\n\n", O::NoAnswer, None),
            ("sign-in page", 200, HTML, "<html><title>Login</title></html>", O::Redirected, Some(S::LoginPage)),
            ("API Management route", 404, JSON, r#"{"statusCode":404,"message":"Resource not found"}"#, O::Rejected, Some(S::RouteMissing)),
            ("API Management ip-filter", 403, JSON, r#"{"statusCode":403,"message":"Forbidden"}"#, O::Intercepted, Some(S::IpFilter)),
            ("plain JSON", 200, JSON, r#"{"ok":true}"#, O::NoAnswer, None),
            ("sign-in redirect", 302, "location: https://login.microsoftonline.com/x", "", O::Redirected, Some(S::LoginRedirect)),
        ];
        expect_rows(rows, Some(&Rpc::Absent), &Setting::default());
    }

    #[test]
    fn the_backends_complaint_about_a_decoy_is_a_passage() {
        use Outcome as O;
        use Signature as S;
        let setting = Setting {
            decoy: true,
            method: Some(McpMethod::CallTool),
            name: Some("deleteProduct"),
            ..Setting::default()
        };
        #[rustfmt::skip]
        let rows: &[Row] = &[
            ("backend", 404, JSON, r#"{"error":"product not found"}"#, O::PastTheGuard, None),
            ("ASP.NET", 404, "", "", O::PastTheGuard, None),
            ("backend", 409, JSON, "{}", O::PastTheGuard, None),
            ("backend", 410, JSON, "{}", O::PastTheGuard, None),
            ("backend", 400, JSON, "{}", O::PastTheGuard, None),
            ("backend", 422, JSON, "{}", O::PastTheGuard, None),
            ("method", 405, JSON, "{}", O::Rejected, None),
            ("API Management route", 404, JSON, r#"{"statusCode":404,"message":"Resource not found"}"#, O::Hidden, Some(S::RouteMissing)),
            ("web server", 404, HTML, "<html>404</html>", O::Hidden, Some(S::HtmlPage)),
            ("policy", 403, JSON, "{}", O::Forbidden, None),
        ];
        expect_rows(rows, None, &setting);
        for (rpc, outcome) in [
            (failed("product not found"), O::PastTheGuard),
            (failed("Error executing tool deleteProduct"), O::Crashed),
            (error(-32602, "Invalid params: id"), O::PastTheGuard),
            (error(-32603, "Internal error"), O::Rejected),
            (failed("Forbidden"), O::RefusedInBand),
            (error(-32602, "Unknown tool: deleteProduct"), O::Hidden),
        ] {
            let observation = observed(answer(200, JSON, "{}", Some(rpc.clone())));
            assert_eq!(read(&observation, &setting).outcome, outcome, "{rpc:?}");
        }
    }

    #[test]
    fn a_decoy_resource_is_only_past_the_guard_where_what_is_unknown_is_told_otherwise() {
        let told = |rpc: Rpc| observed(answer(200, JSON, "{}", Some(rpc)));
        let missing = |uri: &str| error(-32602, &format!("Resource not found: {uri}"));
        for (unknown, got, decoy, outcome) in [
            (
                Some(missing("r://nope")),
                missing("p://0"),
                true,
                Outcome::NoAnswer,
            ),
            (
                Some(failed("Forbidden")),
                missing("p://0"),
                true,
                Outcome::PastTheGuard,
            ),
            (None, missing("p://0"), true, Outcome::NoAnswer),
            (None, error(-32002, "gone"), true, Outcome::NoAnswer),
            (None, missing("p://0"), false, Outcome::Hidden),
            (None, error(-32002, "gone"), false, Outcome::Hidden),
            (
                None,
                error(-32002, "Forbidden"),
                false,
                Outcome::RefusedInBand,
            ),
        ] {
            let unknown = unknown.map(told);
            let setting = Setting {
                decoy,
                method: Some(McpMethod::ReadResource),
                name: Some("p://0"),
                unknown: unknown.as_ref().map(|unknown| ("r://nope", unknown)),
                denials: None,
                known: None,
            };
            let reading = read(&told(got.clone()), &setting);
            assert_eq!(reading.outcome, outcome, "{got:?} decoy {decoy}");
        }
    }

    #[test]
    fn what_the_scenario_declares_is_a_denial() {
        let denials = Denials {
            codes: vec![-32050],
            texts: vec!["computer says no".to_owned()],
        };
        for (got, plain, declared) in [
            (
                error(-32050, "no"),
                Outcome::Rejected,
                Outcome::RefusedInBand,
            ),
            (
                error(-32603, "Computer says no"),
                Outcome::Rejected,
                Outcome::RefusedInBand,
            ),
            (
                failed("Computer says NO: role"),
                Outcome::ToolError,
                Outcome::RefusedInBand,
            ),
            (
                failed("product not found"),
                Outcome::ToolError,
                Outcome::ToolError,
            ),
            // Data may quote anything: what came without an error was given.
            (
                result("computer says no"),
                Outcome::Granted,
                Outcome::Granted,
            ),
        ] {
            let observation = observed(answer(200, JSON, "{}", Some(got.clone())));
            let setting = |denials| Setting {
                method: Some(McpMethod::CallTool),
                name: Some("createProduct"),
                denials,
                ..Setting::default()
            };
            let outcome = |denials| read(&observation, &setting(denials)).outcome;
            assert_eq!(outcome(None), plain, "{got:?}");
            assert_eq!(outcome(Some(&denials)), declared, "{got:?}");
        }
    }

    #[test]
    fn the_calibrated_answer_hides_a_tool_unless_its_words_deny() {
        let unknown = |rpc: Rpc| observed(answer(200, JSON, "{}", Some(rpc)));
        for (told, got, outcome) in [
            (
                failed("cannot run nope"),
                failed("cannot run getProduct"),
                Outcome::Hidden,
            ),
            (
                failed("cannot run nope"),
                failed("cannot run getProduct today"),
                Outcome::ToolError,
            ),
            (
                error(-32603, "nope?"),
                error(-32603, "getProduct?"),
                Outcome::Hidden,
            ),
            (
                error(-32603, "nope?"),
                error(-32000, "getProduct?"),
                Outcome::Rejected,
            ),
            (
                failed("Forbidden: nope"),
                failed("Forbidden: getProduct"),
                Outcome::RefusedInBand,
            ),
            (
                result("cannot run nope"),
                result("cannot run getProduct"),
                Outcome::Granted,
            ),
        ] {
            let calibration = unknown(told);
            let setting = Setting {
                decoy: false,
                method: Some(McpMethod::CallTool),
                name: Some("getProduct"),
                unknown: Some(("nope", &calibration)),
                denials: None,
                known: None,
            };
            assert_eq!(
                read(&unknown(got.clone()), &setting).outcome,
                outcome,
                "{got:?}"
            );
        }
    }

    #[test]
    fn silence_and_cut_answers_are_never_more_than_their_status() {
        let silent = Observation {
            request: "".into(),
            answer: Answer::None(Silence::Deadline),
            took_ms: 9,
            recipe: None,
        };
        assert_eq!(
            read(&silent, &Setting::default()),
            Reading::plain(Outcome::NoAnswer)
        );
        let cut = |status, rpc| {
            let whole = answer(status, JSON, r#"{"error":"Products.Ad"#, rpc);
            read(
                &observed(HttpAnswer {
                    truncated: true,
                    ..whole
                }),
                &Setting::default(),
            )
            .outcome
        };
        let severed = HttpAnswer {
            truncated: true,
            ..answer(200, JSON, "", None)
        };
        assert_eq!(
            read(&observed(severed), &Setting::default()).outcome,
            Outcome::NoAnswer
        );
        assert_eq!(cut(403, None), Outcome::Forbidden);
        assert_eq!(cut(200, None), Outcome::Granted);
        assert_eq!(cut(200, Some(Rpc::Absent)), Outcome::NoAnswer);
    }

    #[test]
    fn outcomes_are_spelt_as_in_the_record() {
        for outcome in Outcome::ALL {
            assert_eq!(
                serde_json::to_string(&outcome).unwrap(),
                format!("\"{}\"", outcome.name())
            );
        }
    }

    #[test]
    fn an_answer_is_recognised_by_the_corpus_or_by_the_scenario() {
        let plain = Reading::plain(Outcome::Intercepted);
        let by_corpus = Reading {
            signature: Some(Signature::Quota),
            ..plain
        };
        let by_scenario = Reading {
            fingerprint: Some(Mark::of("filter", None)),
            ..plain
        };
        let recognised = [plain, by_corpus, by_scenario].map(Reading::is_recognised);
        assert_eq!(recognised, [false, true, true]);
    }
}
