//! Devices whose users type a code in, tokens of either generation's endpoint out.

use serde_json::{Value, json};

use super::pages::fields;
use super::{Bench, Got};

fn begin(bench: &Bench, client: &str) -> Value {
    let scope = format!("offline_access {}", bench.scope());
    let fields = [("client_id", bench.at(client)), ("scope", scope.as_str())];
    let url = format!("{}/oauth2/v2.0/devicecode", bench.tenant());
    bench.post(&url, &[], &fields).json()
}

fn poll(bench: &Bench, client: &str, begun: &Value) -> Got {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", bench.at(client)),
        ("device_code", begun["device_code"].as_str().unwrap()),
    ];
    bench.token_request("/v2.0", &fields)
}

fn type_code(bench: &Bench, begun: &Value, user: &str, answer: &str) -> Got {
    let fields = [
        ("otc", begun["user_code"].as_str().unwrap()),
        ("loginfmt", bench.at(&format!("{user}_USER"))),
        ("passwd", bench.at(&format!("{user}_PASSWORD"))),
        ("answer", answer),
    ];
    bench.post(begun["verification_uri"].as_str().unwrap(), &[], &fields)
}

#[test]
fn a_device_waits_until_its_user_has_typed_the_code() {
    let bench = Bench::start(&[]);
    let begun = begin(&bench, "CLIENT_APP_ID");
    assert_eq!(
        (&begun["expires_in"], &begun["interval"]),
        (&json!(900), &json!(5))
    );
    assert!(
        begun["message"]
            .as_str()
            .unwrap()
            .contains(begun["user_code"].as_str().unwrap())
    );
    assert!(begun.get("verification_uri_complete").is_none());
    let waiting = poll(&bench, "CLIENT_APP_ID", &begun);
    assert_eq!(
        (waiting.status, &waiting.json()["error"]),
        (400, &json!("authorization_pending"))
    );
    let page = bench.send("GET", begun["verification_uri"].as_str().unwrap(), &[], "");
    assert!(page.text.contains("name=\"otc\""));
    let failed = type_code(&bench, &begun, "LOCKED", "continue");
    assert!(failed.text.contains("AADSTS50053"));
    assert_eq!(poll(&bench, "CLIENT_APP_ID", &begun).token(), Err(70016));
    assert!(
        type_code(&bench, &begun, "WRITER", "continue")
            .text
            .contains("You are signed in")
    );
    let got = poll(&bench, "CLIENT_APP_ID", &begun);
    let token = got.token().unwrap();
    assert_eq!(token["roles"], json!(["Products.Write"]));
    assert!(got.json()["refresh_token"].is_string());
    assert_eq!(
        poll(&bench, "CLIENT_APP_ID", &begun).json()["error"],
        "bad_verification_code"
    );
}

#[test]
fn a_device_learns_that_its_user_declined() {
    let bench = Bench::start(&[]);
    let begun = begin(&bench, "CLIENT_APP_ID");
    assert!(
        type_code(&bench, &begun, "READER", "cancel")
            .text
            .contains("You declined")
    );
    let got = poll(&bench, "CLIENT_APP_ID", &begun);
    assert_eq!(got.json()["error"], "authorization_declined");
    let strange = json!({"user_code": "XXXXXXXXX", "verification_uri": begun["verification_uri"]});
    assert!(
        type_code(&bench, &strange, "READER", "continue")
            .text
            .contains("not known")
    );
}

#[test]
fn only_a_public_client_polls_without_proof() {
    let bench = Bench::start(&[]);
    let begun = begin(&bench, "CONNECTOR_ID");
    assert_eq!(poll(&bench, "CONNECTOR_ID", &begun).token(), Err(7_000_218));
    assert_eq!(poll(&bench, "CLIENT_APP_ID", &begun).token(), Err(70018));
}

#[test]
fn the_first_generation_has_its_own_words_for_the_same() {
    let bench = Bench::start(&[]);
    let api = format!("api://{}", bench.at("API_APP_ID"));
    let ask = |fields: &[(&str, &str)]| {
        let url = format!("{}/oauth2/devicecode", bench.tenant());
        bench.post(&url, &[], fields)
    };
    let client = ("client_id", bench.at("CLIENT_APP_ID"));
    let unnamed = ask(&[client, ("scope", &bench.scope())]);
    assert_eq!(unnamed.token(), Err(900_144));
    let begun = ask(&[client, ("resource", &api)]).json();
    assert_eq!(
        (&begun["expires_in"], &begun["interval"]),
        (&json!("900"), &json!("5"))
    );
    assert!(begun.get("verification_uri").is_none());
    let device = begun["device_code"].as_str().unwrap();
    let poll = |grant: &str, parameter: &str| {
        let fields = [client, ("grant_type", grant), (parameter, device)];
        bench.token_request("", &fields)
    };
    assert_eq!(poll("device_code", "code").token(), Err(70016));
    let typed = [
        ("otc", begun["user_code"].as_str().unwrap()),
        ("loginfmt", bench.at("READER_USER")),
        ("passwd", bench.at("READER_PASSWORD")),
    ];
    let page = begun["verification_url"].as_str().unwrap();
    assert!(bench.post(page, &[], &typed).text.contains("signed in"));
    let standard = "urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(poll(standard, "device_code").token(), Err(70003));
    let got = poll("device_code", "code");
    assert_eq!(got.token().unwrap()["roles"], json!(["Products.Read"]));
    assert!(got.json()["expires_in"].is_string() && got.json()["refresh_token"].is_string());
}

#[test]
fn a_device_s_user_is_asked_for_consent_as_well() {
    let bench = Bench::start(&[]);
    let asked = |user: &str| {
        let begun = begin(&bench, "UNCONSENTED_ID");
        let page = type_code(&bench, &begun, user, "continue");
        assert!(page.text.contains("Permissions requested"), "{}", page.text);
        (begun, page)
    };
    let answer = |(begun, page): &(Value, Got), answer: &str| {
        let hidden = fields(page);
        let mut all: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        all.push(("answer", answer));
        bench.post(begun["verification_uri"].as_str().unwrap(), &[], &all)
    };
    let (agreed, declined) = (asked("READER"), asked("WRITER"));
    assert_eq!(
        poll(&bench, "UNCONSENTED_ID", &agreed.0).token(),
        Err(70016)
    );
    assert!(
        answer(&agreed, "continue")
            .text
            .contains("You are signed in")
    );
    assert!(poll(&bench, "UNCONSENTED_ID", &agreed.0).token().is_ok());
    assert!(answer(&declined, "cancel").text.contains("You declined"));
    assert_eq!(
        poll(&bench, "UNCONSENTED_ID", &declined.0).token(),
        Err(65004)
    );
}
