//! HTTP answer in, the product or layer that is known to give it out.

use serde::{Deserialize, Serialize};

/// A recognised answer of a gateway, edge or identity provider that is not the authorization policy's decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// API Management's 401 about a subscription key.
    SubscriptionKey,
    /// API Management's 403 about a spent quota.
    Quota,
    /// An IP filter's 403.
    IpFilter,
    /// A 404 that the gateway's router gives before authorization.
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
