//! What a user is asked or told in, a page that a browser shows out.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;

use super::aadsts::Refusal;
use super::client::Client;
use super::resource::Resource;
use super::user::User;
use crate::reference::reply;

const STYLE: &str = "html{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:12vh auto;padding:0 1.5rem}h1{font-size:1.5rem}\
    input:not([type=hidden]){display:block;box-sizing:border-box;width:100%;padding:.5rem;font:inherit}\
    button{padding:.5rem 1.25rem;font:inherit}li{overflow-wrap:anywhere}[role=alert]{font-weight:600}";

/// Returns the page on which a user signs in; `hidden` comes back with the answer, `message` says what went wrong.
pub(crate) fn sign_in(
    action: &str,
    hidden: &[(&str, &str)],
    hint: &str,
    message: Option<&str>,
) -> Response {
    let body = format!(
        "{}<form method=\"post\" action=\"{}\">{}{}\
         <button type=\"submit\" name=\"answer\" value=\"continue\">Sign in</button> \
         <button type=\"submit\" name=\"answer\" value=\"cancel\" formnovalidate>Cancel</button></form>",
        note(message),
        escaped(action),
        inputs(hidden),
        credentials(hint),
    );
    show("Sign in", &body)
}

/// Returns the page on which a user lets a client use the scopes of an API in their name.
pub(crate) fn consent(
    action: &str,
    hidden: &[(&str, &str)],
    client: &Client,
    user: &User,
    resource: &Resource,
    scopes: &[String],
) -> Response {
    let item = |scope: &String| format!("<li>{}/{}</li>", escaped(&resource.uri), escaped(scope));
    let scopes: Vec<String> = scopes.iter().map(item).collect();
    let body = format!(
        "<p>{}</p><p>The app {} ({}) would like to use in your name:</p><ul>{}</ul>\
         <form method=\"post\" action=\"{}\">{}\
         <button type=\"submit\" name=\"answer\" value=\"continue\">Accept</button> \
         <button type=\"submit\" name=\"answer\" value=\"cancel\">Cancel</button></form>",
        escaped(user.upn),
        escaped(client.label),
        escaped(client.id),
        scopes.concat(),
        escaped(action),
        inputs(hidden),
    );
    show("Permissions requested", &body)
}

/// Returns the page on which a user types the code that a device shows, and signs in.
pub(crate) fn device(action: &str, code: &str, message: Option<&str>) -> Response {
    let body = format!(
        "{}<form method=\"post\" action=\"{}\">\
         <p><label>Code <input name=\"otc\" value=\"{}\" autocomplete=\"off\" required></label></p>{}\
         <button type=\"submit\" name=\"answer\" value=\"continue\">Continue</button> \
         <button type=\"submit\" name=\"answer\" value=\"cancel\" formnovalidate>Cancel</button></form>",
        note(message),
        escaped(action),
        escaped(code),
        credentials(""),
    );
    show("Enter code to allow access", &body)
}

/// Returns the page that ends an attempt which no redirect can end. It is a page for people, so its status is 200.
pub(crate) fn failure(refusal: &Refusal) -> Response {
    let body = note(Some(&refusal.headline()));
    show("You cannot be signed in", &body)
}

/// Returns a page with one sentence.
pub(crate) fn told(heading: &str, sentence: &str) -> Response {
    show(heading, &format!("<p>{}</p>", escaped(sentence)))
}

/// Returns the page that posts an answer to the client (OAuth 2.0 Form Post Response Mode section 2).
pub(crate) fn form_post(uri: &str, fields: &[(&str, &str)]) -> Response {
    let body = format!(
        "<form method=\"post\" action=\"{}\">{}<button type=\"submit\">Continue</button></form>\
         <script>document.forms[0].submit()</script>",
        escaped(uri),
        inputs(fields),
    );
    show("Working", &body)
}

fn credentials(hint: &str) -> String {
    format!(
        "<p><label>Account <input name=\"loginfmt\" value=\"{}\" autocomplete=\"username\" required></label></p>\
         <p><label>Enter password <input name=\"passwd\" type=\"password\" autocomplete=\"current-password\" required></label></p>\
         <p><label>Code from your authenticator, if you use one <input name=\"totp\" autocomplete=\"one-time-code\"></label></p>",
        escaped(hint)
    )
}

fn inputs(fields: &[(&str, &str)]) -> String {
    let input = |(name, value): &(&str, &str)| {
        format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escaped(name),
            escaped(value)
        )
    };
    fields.iter().map(input).collect()
}

fn note(message: Option<&str>) -> String {
    message.map_or_else(String::new, |text| {
        format!("<p role=\"alert\">{}</p>", escaped(text))
    })
}

fn show(heading: &str, body: &str) -> Response {
    let text = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Sign in to your account</title><style>{STYLE}</style></head>\
         <body><h1>{}</h1>{body}</body></html>\n",
        escaped(heading)
    );
    let page = reply::typed(StatusCode::OK, "text/html; charset=utf-8", text);
    let page = reply::with(page, header::CACHE_CONTROL, "no-store, no-cache");
    reply::with(page, HeaderName::from_static("x-frame-options"), "DENY")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_request_said_becomes_markup() {
        assert_eq!(
            escaped("<a href=\"x\" b='y'>&"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;"
        );
    }
}
