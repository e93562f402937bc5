//! HTTP answer in, the recognised answer of a gateway, edge or identity provider out.

mod recogniser;

use serde::{Deserialize, Serialize};

use crate::door::HttpAnswer;
use crate::layer::Layer;

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
    /// A page of a web server or reverse proxy that refuses: its own rule, or the decision of a service that it asked.
    ProxyPage,
    /// A refusal of the request's Origin or Host, as a guard against rebinding gives it.
    OriginCheck,
    /// A redirect to a sign-in page.
    LoginRedirect,
    /// A sign-in page with status 200.
    LoginPage,
    /// 2xx with an empty body where JSON was due, as a CORS policy gives it.
    EmptyAnswer,
    /// 202 with nothing in it for an MCP request, as a notification gets it.
    Swallowed,
    /// 429.
    RateLimit,
    /// HTML where JSON was due.
    HtmlPage,
    /// A gateway's 502, 503 or 504.
    GatewayError,
}

impl Signature {
    /// Every signature.
    pub const ALL: [Self; 15] = [
        Self::SubscriptionKey,
        Self::Quota,
        Self::IpFilter,
        Self::RouteMissing,
        Self::PolicyCrash,
        Self::EdgePage,
        Self::ProxyPage,
        Self::OriginCheck,
        Self::LoginRedirect,
        Self::LoginPage,
        Self::EmptyAnswer,
        Self::Swallowed,
        Self::RateLimit,
        Self::HtmlPage,
        Self::GatewayError,
    ];

    /// Recognises an answer; `None` for one that may be the authorization policy's, the backend's or the tool's own.
    ///
    /// An HTML 401 or 403 with a `Bearer` challenge (RFC 6750 §3) stays unrecognised: then the proxy is the authorizer.
    pub fn recognise(answer: &HttpAnswer) -> Option<Self> {
        recogniser::recognise(answer)
    }

    /// The signature's one spelling, as in records, reports and `rolecall explain`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SubscriptionKey => "subscription-key",
            Self::Quota => "quota",
            Self::IpFilter => "ip-filter",
            Self::RouteMissing => "route-missing",
            Self::PolicyCrash => "policy-crash",
            Self::EdgePage => "edge-page",
            Self::ProxyPage => "proxy-page",
            Self::OriginCheck => "origin-check",
            Self::LoginRedirect => "login-redirect",
            Self::LoginPage => "login-page",
            Self::EmptyAnswer => "empty-answer",
            Self::Swallowed => "swallowed",
            Self::RateLimit => "rate-limit",
            Self::HtmlPage => "html-page",
            Self::GatewayError => "gateway-error",
        }
    }

    /// The signature of that name.
    pub fn named(name: &str) -> Option<Self> {
        let mut known = Self::ALL.into_iter();
        known.find(|signature| signature.name() == name)
    }

    /// The full text, Markdown: what it is, whose, why and what to do.
    pub fn explain(self) -> String {
        let mut words = self.words().chars();
        let first = words.next().map(|first| first.to_uppercase().to_string());
        format!(
            "{}{}: an answer that is not the authorization policy's.\n\n**Layer.** {}\n\n**Known from.** {}\n\n**Likely cause.** {}\n\n**First step.** {}\n",
            first.unwrap_or_default(),
            words.as_str(),
            self.layer().name(),
            self.products(),
            self.cause(),
            self.remedy()
        )
    }

    /// Whether such an answer may be the authorization's own, so that a scenario can declare it to be: a page says who gave it,
    /// not why.
    pub(super) const fn may_be_the_guards(self) -> bool {
        matches!(self, Self::ProxyPage | Self::HtmlPage)
    }

    /// The signature as a noun phrase.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SubscriptionKey => "a demand for an API key",
            Self::Quota => "a spent quota",
            Self::IpFilter => "an IP filter",
            Self::RouteMissing => "a router that knows no such route",
            Self::PolicyCrash => "a policy expression that failed",
            Self::EdgePage => "a firewall or CDN page",
            Self::ProxyPage => "a page of a reverse proxy",
            Self::OriginCheck => "a check of Origin or Host",
            Self::LoginRedirect => "a redirect to a sign-in page",
            Self::LoginPage => "a sign-in page with status 200",
            Self::EmptyAnswer => "a success with nothing in it",
            Self::Swallowed => "a 202 that swallows the request",
            Self::RateLimit => "a rate limit",
            Self::HtmlPage => "an HTML page where JSON was due",
            Self::GatewayError => "a gateway error",
        }
    }

    /// The products that are known to answer so, as a list in words.
    pub const fn products(self) -> &'static str {
        match self {
            Self::SubscriptionKey => "API Management, Kong, APISIX, Apigee, AWS API Gateway",
            Self::Quota => "API Management, Apigee",
            Self::PolicyCrash | Self::EmptyAnswer => "API Management",
            Self::IpFilter => "API Management, Kong, APISIX, Apigee, App Service",
            Self::RouteMissing => {
                "API Management, Kong, APISIX, AWS API Gateway, Apigee, Envoy, Traefik"
            }
            Self::EdgePage => {
                "Application Gateway, Front Door, Cloudflare, CloudFront, AWS WAF, Akamai, Imperva, F5"
            }
            Self::ProxyPage => "nginx, OpenResty",
            Self::OriginCheck => "MCP SDKs",
            Self::LoginRedirect => "Entra ID, App Service, Keycloak, Cloudflare Access, ASP.NET",
            Self::LoginPage => "Entra ID, oauth2-proxy",
            Self::Swallowed => "MCP servers that take it for a notification",
            Self::RateLimit => "every gateway",
            Self::HtmlPage => "web servers and proxies",
            Self::GatewayError => "every gateway and proxy",
        }
    }

    /// Where to look first.
    pub const fn layer(self) -> Layer {
        match self {
            Self::SubscriptionKey | Self::RouteMissing => Layer::Client,
            Self::LoginRedirect | Self::LoginPage => Layer::IdentityProvider,
            Self::Quota
            | Self::IpFilter
            | Self::PolicyCrash
            | Self::EmptyAnswer
            | Self::RateLimit => Layer::Gateway,
            Self::EdgePage | Self::ProxyPage | Self::HtmlPage => Layer::Edge,
            Self::GatewayError | Self::Swallowed | Self::OriginCheck => Layer::Backend,
        }
    }

    /// The likely cause, one or two sentences.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::SubscriptionKey => {
                "The gateway asks for an API key before it looks at the token. In API Management the API or its product requires a subscription, and the calls carry no valid key."
            }
            Self::Quota => {
                "The subscription's or key's call volume or bandwidth is spent; the quota policy answers 403 before authorization is asked."
            }
            Self::IpFilter => {
                "The address that this run calls from is not on the allowed list, so the token was never looked at."
            }
            Self::RouteMissing => {
                "No route matches this method and path, and routes are matched before authorization: the scenario misspells it, or the operation was never published at this gateway."
            }
            Self::PolicyCrash => {
                "A policy expression failed. The usual one reads jwt.Claims[\"roles\"] of a token that has no roles claim; the exception surfaces as a bare 500."
            }
            Self::EdgePage => {
                "Something in front of the gateway answered in its place; the request never reached the authorization policy."
            }
            Self::ProxyPage => {
                "A reverse proxy refused with a page of its own. Behind it may be a rule of the proxy (deny) or the decision of a service that it asked (auth_request); the page does not say which."
            }
            Self::OriginCheck => {
                "The server guards itself against rebinding and does not take this Host or Origin; the token was never looked at. rolecall sends no Origin of its own, so it is usually the Host."
            }
            Self::LoginRedirect | Self::LoginPage => {
                "The door treats callers as browsers: session or cookie sign-in (an authentication proxy, App Service authentication, a cookie scheme as the default) stands before token validation."
            }
            Self::EmptyAnswer => {
                "API Management's cors policy with terminate-unmatched-request answers an empty 200 when it does not like the Origin, or an outbound policy drops the body."
            }
            Self::Swallowed => {
                "The request was answered like a notification: accepted, and never answered. A policy may have dropped its id, or the server answers on another stream; nothing says whether it was executed."
            }
            Self::RateLimit => {
                "More calls than the rate limit allows; where the limit stands before token validation, refusals turn into 429 as well."
            }
            Self::HtmlPage => {
                "A reverse proxy, firewall or web server answered in place of the API: JSON APIs give no HTML."
            }
            Self::GatewayError => {
                "The gateway could not reach what is behind it, or waited too long for it."
            }
        }
    }

    /// What to do about it, one or two sentences.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::SubscriptionKey => {
                "Give the door its key in the scenario's headers (Ocp-Apim-Subscription-Key for API Management), or turn the subscription requirement off where the token alone should decide."
            }
            Self::Quota => {
                "Wait for the quota to be replenished, or give the test subscription a quota of its own."
            }
            Self::IpFilter => {
                "Run from an allowed address, or add this one to the ip-filter policy or access restriction."
            }
            Self::RouteMissing => {
                "Compare method and path with the published operation, API suffix and version included."
            }
            Self::PolicyCrash => {
                "Test jwt.Claims.ContainsKey(\"roles\") first and wrap the expression in try/catch, so that a token without roles ends in 403."
            }
            Self::EdgePage => {
                "Let this run's address or user agent through the firewall, or call the gateway behind it."
            }
            Self::ProxyPage => {
                "Let the proxy pass on the WWW-Authenticate of the service that decides. Where its page is the refusal, declare it as a fingerprint (docs/answers.md)."
            }
            Self::OriginCheck => {
                "Add the host name that clients use to the server's allowed hosts, or let the gateway send the name that the server knows."
            }
            Self::LoginRedirect | Self::LoginPage => {
                "Answer API calls with 401 and a Bearer challenge in place of a redirect: exempt the API path from the sign-in proxy, or make the bearer scheme the default."
            }
            Self::EmptyAnswer => {
                "Set terminate-unmatched-request=\"false\" in the cors policy, put it behind validate-jwt, and answer 204 where nothing is to be said."
            }
            Self::Swallowed => {
                "Answer a request that carries an id with its result, or with 401 or 403 where it is refused; compare the body that the server receives with the one that was sent."
            }
            Self::RateLimit => {
                "Run with a lower rate, or raise the limit for the test subscription; put rate-limit after validate-jwt."
            }
            Self::HtmlPage => {
                "Look at who answered (server and via headers, the page's title) and call the API itself."
            }
            Self::GatewayError => {
                "Check that backend and MCP server are up and reachable from the gateway, then run again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_record_and_read_back() {
        for signature in Signature::ALL {
            let name = signature.name();
            assert_eq!(
                serde_json::to_string(&signature).unwrap(),
                format!("\"{name}\"")
            );
            assert_eq!(Signature::named(name), Some(signature));
        }
    }

    #[test]
    fn every_signature_has_words_of_its_own() {
        for signature in Signature::ALL {
            assert!(!signature.words().is_empty() && !signature.products().is_empty());
            assert!(signature.cause().ends_with('.'), "{signature:?}");
            assert!(signature.remedy().ends_with('.'), "{signature:?}");
        }
    }

    #[test]
    fn an_explanation_is_a_sentence_with_layer_products_cause_and_first_step() {
        for signature in Signature::ALL {
            let text = signature.explain();
            let (headline, rest) = text.split_once("\n\n").unwrap();
            assert!(headline.starts_with(char::is_uppercase), "{text}");
            assert!(headline[1..].starts_with(&signature.words()[1..]), "{text}");
            for part in [
                format!("**Layer.** {}\n", signature.layer().name()),
                format!("**Known from.** {}\n", signature.products()),
                format!("**Likely cause.** {}\n", signature.cause()),
                format!("**First step.** {}\n", signature.remedy()),
            ] {
                assert!(rest.contains(&part), "{text} lacks {part}");
            }
        }
    }
}
