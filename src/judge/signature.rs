//! HTTP answer in, the product or layer that is known to give it out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::door::{HttpAnswer, Rpc};

/// A recognised answer of a gateway, edge or identity provider that is not the authorization policy's decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// A 401 or 403 about an API key: API Management's subscription key, Kong, APISIX, Apigee, AWS.
    SubscriptionKey,
    /// API Management's 403 about a spent quota.
    Quota,
    /// An IP filter's 403.
    IpFilter,
    /// A 404 (at AWS a 403) that the gateway's router gives before authorization.
    RouteMissing,
    /// API Management's 500 with `activityId`: a policy expression failed.
    PolicyCrash,
    /// A web application firewall or CDN page.
    EdgePage,
    /// A redirect to a sign-in page.
    LoginRedirect,
    /// A sign-in page with status 200.
    LoginPage,
    /// 2xx with an empty body where JSON was due, as a CORS policy gives it.
    EmptyAnswer,
    /// 429.
    RateLimit,
    /// HTML where JSON was due.
    HtmlPage,
    /// A gateway's 502, 503 or 504.
    GatewayError,
}

/// Where to look first for the reason of a recognised answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Layer {
    /// The scenario's own call: a missing key, a wrong path.
    Client,
    /// The sign-in service.
    IdentityProvider,
    /// The API gateway.
    Gateway,
    /// What stands before the gateway: firewall, CDN, reverse proxy.
    Edge,
    /// What stands behind the gateway.
    Backend,
}

impl Layer {
    /// The layer in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::IdentityProvider => "identity provider",
            Self::Gateway => "gateway",
            Self::Edge => "edge",
            Self::Backend => "backend",
        }
    }
}

impl Signature {
    /// Every signature.
    pub const ALL: [Self; 12] = [
        Self::SubscriptionKey,
        Self::Quota,
        Self::IpFilter,
        Self::RouteMissing,
        Self::PolicyCrash,
        Self::EdgePage,
        Self::LoginRedirect,
        Self::LoginPage,
        Self::EmptyAnswer,
        Self::RateLimit,
        Self::HtmlPage,
        Self::GatewayError,
    ];

    /// Recognises an answer; `None` for one that may be the authorization policy's, the backend's or the tool's own.
    ///
    /// An HTML 401 or 403 with a `Bearer` challenge (RFC 6750 §3) stays unrecognised: then the proxy is the authorizer.
    pub fn recognise(answer: &HttpAnswer) -> Option<Self> {
        if speaks_for_itself(answer) {
            return None;
        }
        let page = Page::of(answer);
        RECOGNISERS.iter().find(|(_, fits)| fits(&page)).map(|(signature, _)| *signature)
    }

    /// The signature as a noun phrase, with the products that are known for it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SubscriptionKey => "a demand for an API key (API Management subscription key, Kong, APISIX, Apigee or AWS API key)",
            Self::Quota => "a spent quota (API Management)",
            Self::IpFilter => "an IP filter (API Management, Kong, APISIX, Apigee or App Service)",
            Self::RouteMissing => "a router that knows no such route (API Management, Kong, APISIX, AWS)",
            Self::PolicyCrash => "a crashed policy expression (API Management)",
            Self::EdgePage => "a firewall or CDN page (Application Gateway, Front Door, Cloudflare, AWS WAF, nginx)",
            Self::LoginRedirect => "a redirect to a sign-in page",
            Self::LoginPage => "a sign-in page with status 200",
            Self::EmptyAnswer => "a success with nothing in it (API Management's cors policy answers so)",
            Self::RateLimit => "a rate limit (429)",
            Self::HtmlPage => "an HTML page where JSON was due",
            Self::GatewayError => "a gateway error (502, 503 or 504)",
        }
    }

    /// Where to look first.
    pub const fn layer(self) -> Layer {
        match self {
            Self::SubscriptionKey | Self::RouteMissing => Layer::Client,
            Self::LoginRedirect | Self::LoginPage => Layer::IdentityProvider,
            Self::Quota | Self::IpFilter | Self::PolicyCrash | Self::EmptyAnswer | Self::RateLimit => Layer::Gateway,
            Self::EdgePage | Self::HtmlPage => Layer::Edge,
            Self::GatewayError => Layer::Backend,
        }
    }

    /// The likely cause, one or two sentences.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::SubscriptionKey => {
                "The gateway asks for an API key before it looks at the token. In API Management the API or its product requires a subscription, and the calls carry no valid key."
            }
            Self::Quota => "The subscription's or key's call volume or bandwidth is spent; the quota policy answers 403 before authorization is asked.",
            Self::IpFilter => "The address that this run calls from is not on the allowed list, so the token was never looked at.",
            Self::RouteMissing => {
                "No route matches this method and path, and routes are matched before authorization: the scenario misspells it, or the operation was never published at this gateway."
            }
            Self::PolicyCrash => {
                "A policy expression failed. The usual one reads jwt.Claims[\"roles\"] of a token that has no roles claim; the exception surfaces as a bare 500."
            }
            Self::EdgePage => "Something in front of the gateway answered in its place; the request never reached the authorization policy.",
            Self::LoginRedirect | Self::LoginPage => {
                "The door treats callers as browsers: session or cookie sign-in (an authentication proxy, App Service authentication, a cookie scheme as the default) stands before token validation."
            }
            Self::EmptyAnswer => {
                "API Management's cors policy with terminate-unmatched-request answers an empty 200 when it does not like the Origin, or an outbound policy drops the body."
            }
            Self::RateLimit => "More calls than the rate limit allows; where the limit stands before token validation, refusals turn into 429 as well.",
            Self::HtmlPage => "A reverse proxy, firewall or web server answered in place of the API: JSON APIs give no HTML.",
            Self::GatewayError => "The gateway could not reach what is behind it, or waited too long for it.",
        }
    }

    /// What to do about it, one or two sentences.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::SubscriptionKey => {
                "Give the door its key in the scenario's headers (Ocp-Apim-Subscription-Key for API Management), or turn the subscription requirement off where the token alone should decide."
            }
            Self::Quota => "Wait for the quota to be replenished, or give the test subscription a quota of its own.",
            Self::IpFilter => "Run from an allowed address, or add this one to the ip-filter policy or access restriction.",
            Self::RouteMissing => "Compare method and path with the published operation, API suffix and version included.",
            Self::PolicyCrash => {
                "Test jwt.Claims.ContainsKey(\"roles\") first and wrap the expression in try/catch, so that a token without roles ends in 403."
            }
            Self::EdgePage => "Let this run's address or user agent through the firewall, or call the gateway behind it.",
            Self::LoginRedirect | Self::LoginPage => "Answer API calls with 401 and a Bearer challenge in place of a redirect: exempt the API path from the sign-in proxy, or make the bearer scheme the default.",
            Self::EmptyAnswer => "Set terminate-unmatched-request=\"false\" in the cors policy, put it behind validate-jwt, and answer 204 where nothing is to be said.",
            Self::RateLimit => "Run with a lower rate, or raise the limit for the test subscription; put rate-limit after validate-jwt.",
            Self::HtmlPage => "Look at who answered (server and via headers, the page's title) and call the API itself.",
            Self::GatewayError => "Check that backend and MCP server are up and reachable from the gateway, then run again.",
        }
    }
}

/// Asked in this order: whoever stands further out answers first.
const RECOGNISERS: [(Signature, fn(&Page<'_>) -> bool); 12] = [
    (Signature::EdgePage, edge_page),
    (Signature::GatewayError, |page| matches!(page.answer.status, 502..=504)),
    (Signature::RateLimit, |page| page.answer.status == 429),
    (Signature::SubscriptionKey, subscription_key),
    (Signature::Quota, quota),
    (Signature::IpFilter, ip_filter),
    (Signature::RouteMissing, route_missing),
    (Signature::PolicyCrash, policy_crash),
    (Signature::LoginRedirect, login_redirect),
    (Signature::LoginPage, login_page),
    (Signature::HtmlPage, html_page),
    (Signature::EmptyAnswer, empty_answer),
];

const WAF_TEXTS: [&str; 6] = [
    "the request is blocked.",
    "generated by cloudfront",
    "errors.edgesuite.net",
    "incapsula incident id",
    "the requested url was rejected. please consult with your administrator",
    "attention required! | cloudflare",
];
const CHALLENGE_TEXTS: [&str; 3] = ["<title>just a moment", "error code: 1020", "error 1020"];
const PROXY_FOOTERS: [&str; 3] = ["microsoft-azure-application-gateway", "<center>nginx", "<center>openresty"];
const KEY_TEXTS: [&str; 8] = [
    "missing subscription key",
    "invalid subscription key",
    "no api key found in request",
    "missing api key in request",
    "missing api key found in request",
    "invalid api key in request",
    "failedtoresolveapikey",
    "invalidapikey\"",
];
const IP_TEXTS: [&str; 5] =
    ["ip address not allowed", "your ip address is not allowed", "ip forbidden", "ipdeniedaccess", "caller ip address"];
const ROUTE_TEXTS: [&str; 2] = ["no route matched with those values", "404 route not found"];
const SIGN_IN_PLACES: [&str; 14] = [
    "login.microsoftonline",
    "login.windows.net",
    "/oauth2/",
    "/authorize",
    "/login",
    "/signin",
    "/sign-in",
    "/sign_in",
    "//accounts.",
    "//login.",
    "/auth/realms/",
    "/protocol/openid-connect/",
    "/saml",
    "cloudflareaccess.com",
];
const SIGN_IN_MARKS: [&str; 8] = [
    "type=\"password\"",
    "type='password'",
    "login.microsoftonline",
    "sign in",
    "sign-in",
    "log in",
    "<title>login",
    "oauth2-proxy",
];

/// An answer with what several recognisers look at, worked out once.
struct Page<'a> {
    answer: &'a HttpAnswer,
    text: String,
    document: Option<Value>,
    html: bool,
    bearer: bool,
}

impl<'a> Page<'a> {
    fn of(answer: &'a HttpAnswer) -> Self {
        let text = answer.body.to_ascii_lowercase();
        let document = if answer.json { serde_json::from_str(&answer.body).ok() } else { None };
        let html = is_html(answer, &text);
        let bearer = has_challenge(answer, "bearer");
        Self { answer, text, document, html, bearer }
    }

    fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase))
    }

    fn refuses(&self) -> bool {
        matches!(self.answer.status, 401 | 403)
    }

    /// Whether the body is `{"statusCode": …, "message": …}` and nothing else, in API Management's order.
    fn is_gateway_note(&self, status: u16, message: &str) -> bool {
        let Some(Value::Object(fields)) = &self.document else { return false };
        fields.keys().eq(["statusCode", "message"]) && fields["statusCode"] == status && fields["message"] == message
    }

    fn message_is(&self, message: &str) -> bool {
        self.document.as_ref().is_some_and(|document| document["message"] == message)
    }
}

/// A complete 2xx with data is what it says: its text is the owner's, not a gateway's.
fn speaks_for_itself(answer: &HttpAnswer) -> bool {
    let message = matches!(answer.rpc, Some(Rpc::Result { .. } | Rpc::Error { .. }));
    (200..300).contains(&answer.status) && (answer.json && answer.rpc.is_none() || message)
}

fn is_html(answer: &HttpAnswer, text: &str) -> bool {
    let media_type = answer.media_type();
    let start = text.trim_start();
    media_type == "text/html"
        || media_type == "application/xhtml+xml"
        || !answer.json && (start.starts_with("<!doctype html") || start.starts_with("<html"))
}

fn has_challenge(answer: &HttpAnswer, scheme: &str) -> bool {
    let mut challenges = answer.headers.iter().filter(|(name, _)| name == "www-authenticate");
    challenges.any(|(_, value)| {
        value.split(',').any(|part| part.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(scheme)))
    })
}

fn edge_page(page: &Page<'_>) -> bool {
    let answer = page.answer;
    if answer.header("cf-mitigated").is_some() || answer.header("x-amzn-waf-action").is_some() {
        return true;
    }
    if answer.json || page.refuses() && page.bearer {
        return false;
    }
    let unavailable = matches!(answer.status, 502..=504);
    let balancer = answer.header("server").is_some_and(|server| server.starts_with("awselb"));
    page.says(&CHALLENGE_TEXTS)
        || !unavailable && page.says(&WAF_TEXTS)
        || page.refuses() && page.html && (balancer || page.says(&PROXY_FOOTERS))
}

fn subscription_key(page: &Page<'_>) -> bool {
    let challenged = has_challenge(page.answer, "AzureApiManagementKey") || has_challenge(page.answer, "Key");
    page.refuses() && (challenged || page.says(&KEY_TEXTS)) || aws_key(page)
}

/// AWS REST APIs answer a missing API key with a bare `ForbiddenException`; HTTP APIs use the same text for a scope, without that header.
fn aws_key(page: &Page<'_>) -> bool {
    let error_type = page.answer.header("x-amzn-errortype").unwrap_or_default();
    page.answer.status == 403 && error_type.starts_with("ForbiddenException") && page.message_is("Forbidden")
}

fn quota(page: &Page<'_>) -> bool {
    page.answer.status == 403 && page.says(&["out of call volume quota", "out of bandwidth quota"])
}

fn ip_filter(page: &Page<'_>) -> bool {
    let noted = page.is_gateway_note(403, "Forbidden") && !page.bearer;
    page.answer.status == 403
        && (noted || page.says(&IP_TEXTS) || page.answer.header("x-ms-forbidden-ip").is_some())
}

fn route_missing(page: &Page<'_>) -> bool {
    match page.answer.status {
        403 => page.message_is("Missing Authentication Token"),
        404 => {
            let aws = page.answer.header("apigw-requestid").is_some() && page.message_is("Not Found");
            page.is_gateway_note(404, "Resource not found")
                || aws
                || page.says(&ROUTE_TEXTS)
                || page.text.trim() == "404 page not found"
        }
        _ => false,
    }
}

fn policy_crash(page: &Page<'_>) -> bool {
    page.answer.status == 500 && page.document.as_ref().is_some_and(|document| document.get("activityId").is_some())
}

fn login_redirect(page: &Page<'_>) -> bool {
    let location = page.answer.header("location").unwrap_or_default().to_ascii_lowercase();
    (300..400).contains(&page.answer.status) && SIGN_IN_PLACES.iter().any(|place| location.contains(place))
}

fn login_page(page: &Page<'_>) -> bool {
    (200..300).contains(&page.answer.status) && page.html && page.says(&SIGN_IN_MARKS)
}

fn html_page(page: &Page<'_>) -> bool {
    let status = page.answer.status;
    page.html && ((200..300).contains(&status) || (400..500).contains(&status) && !(page.refuses() && page.bearer))
}

fn empty_answer(page: &Page<'_>) -> bool {
    let answer = page.answer;
    let empty = answer.body_bytes == 0 && answer.body.is_empty() && !answer.truncated;
    let due = match answer.rpc {
        Some(_) => (200..300).contains(&answer.status),
        None => answer.status == 200 && answer.header("content-type").is_none(),
    };
    empty && due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_has_words_of_its_own() {
        for signature in Signature::ALL {
            assert!(!signature.words().is_empty());
            assert!(signature.cause().ends_with('.'), "{signature:?}");
            assert!(signature.remedy().ends_with('.'), "{signature:?}");
            assert!(!signature.layer().name().is_empty());
            assert!(RECOGNISERS.iter().any(|(known, _)| *known == signature), "{signature:?} is never recognised");
        }
    }

    #[test]
    fn a_challenge_is_found_in_any_header_and_any_place() {
        let headers = vec![
            ("www-authenticate".to_owned(), "Basic realm=\"x\", Bearer error=\"invalid_token\"".to_owned()),
            ("www-authenticate".to_owned(), "AzureApiManagementKey realm=\"y\",name=\"k\",type=\"header\"".to_owned()),
        ];
        let answer = HttpAnswer { status: 401, headers, ..HttpAnswer::default() };
        assert!(has_challenge(&answer, "bearer"));
        assert!(has_challenge(&answer, "azureapimanagementkey"));
        assert!(!has_challenge(&answer, "key"));
    }
}
