//! Small providers in, what is asked of them about a redirect and what is made of their answers out.

use crate::scenario::{Identity, Missing, Profile, Scenario, Sources};
use crate::token::Registration;
use crate::token::tests::{Answer, Idp, JSON, desk, identity};

/// A client whose secret must not be sent.
fn profile() -> Profile {
    let text = "rolecall: 1\nname: x\ndeployment: { rest: 'http://127.0.0.1' }\n\
                identity: { endpoints: { token: 'http://127.0.0.1/token' } }\n\
                clients: { app: { client_id: app 1, client_secret: { env: SECRET }, scope: read, \
                redirects: ['https://app.example.com/callback'] } }\n\
                personas: { guest: { sign_in: none } }\noperations: { list: { allow: [guest], rest: GET /x } }\n";
    let sources = Sources {
        variables: [("SECRET".to_owned(), "s3cret-canary".to_owned())].into(),
        missing: Missing::Refused,
        today: "2026-06-01".parse().unwrap(),
        read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
    };
    let scenario = Scenario::read("x.yaml", text, &sources).unwrap();
    scenario.clients.into_iter().next().unwrap()
}

async fn asked(idp: &Idp, answers_at: &str) -> Registration {
    let profile = Profile {
        authorization_endpoint: Some(format!("{}{answers_at}", idp.url)),
        ..profile()
    };
    let identity: Identity = identity(idp.endpoints());
    let (desk, _) = desk(&[]);
    desk.registration(&profile, &identity, &profile.redirects[0])
        .await
}

const PAGE: Answer = (200, "text/html", String::new());

/// Whether a request asks for the declared redirect, not for one that nobody has registered.
fn is_declared(head: &str) -> bool {
    head.contains("redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&")
}

#[tokio::test]
async fn a_request_is_an_authorization_request_without_a_secret_and_without_a_page() {
    let idp = Idp::open(|_, _| (400, JSON, r#"{"error":"invalid_redirect_uri"}"#.to_owned())).await;
    let said = asked(&idp, "/authorize?policy=p").await;
    let Registration::Unregistered(words) = said else {
        panic!("{said:?}");
    };
    for part in [
        "client app (app 1): ",
        "https://app.example.com/callback and says the error invalid_redirect_uri",
        "Add exactly https://app.example.com/callback to the client's registration, among its redirect URIs",
    ] {
        assert!(words.contains(part), "{words}");
    }
    let heard = idp.heard.lock().unwrap().join("\n");
    for part in [
        "GET /authorize?policy=p&",
        "response_type=code",
        "client_id=app+1",
        "scope=read+openid",
        "prompt=none",
        "state=",
        "code_challenge_method=S256",
        "audience=the+api",
    ] {
        assert!(heard.contains(part), "{part}\n{heard}");
    }
    assert!(is_declared(&heard) && !heard.contains("canary"), "{heard}");
    assert!(!heard.to_lowercase().contains("authorization:"));
}

#[tokio::test]
async fn a_page_counts_where_an_unregistered_redirect_is_refused() {
    let idp = Idp::open(|head, _| {
        if is_declared(head) {
            PAGE
        } else {
            (400, "text/html", "Unregistered redirect_uri".to_owned())
        }
    })
    .await;
    assert_eq!(asked(&idp, "/authorize").await, Registration::Registered);
    assert_eq!(idp.heard.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_proves_nothing_is_neither_registered_nor_not() {
    type Provider = fn(&str) -> Answer;
    let table: [(Provider, &str); 4] = [
        (|_| PAGE, "is not refused either"),
        (
            |head| {
                if is_declared(head) {
                    PAGE
                } else {
                    (403, "text/html", "blocked".to_owned())
                }
            },
            "is not refused either",
        ),
        (
            |_| {
                (
                    200,
                    "text/html",
                    "AADSTS700016: no such application".to_owned(),
                )
            },
            "AADSTS700016: the client id is unknown in this tenant",
        ),
        (|_| (503, "text/html", String::new()), "wait"),
    ];
    for (answer, expected) in table {
        let idp = Idp::open(move |head, _| answer(head)).await;
        let said = asked(&idp, "/authorize").await;
        let Registration::Unproven(words) = said else {
            panic!("{said:?}");
        };
        assert!(words.contains(expected), "{expected}\n{words}");
    }
}

#[tokio::test]
async fn a_provider_that_says_no_place_to_ask_is_told_of() {
    let idp = Idp::open(|_, _| PAGE).await;
    let (desk, _) = desk(&[]);
    let profile = profile();
    let identity = identity(idp.endpoints());
    let said = desk
        .registration(&profile, &identity, &profile.redirects[0])
        .await;
    let Registration::Unproven(words) = said else {
        panic!("{said:?}");
    };
    assert!(words.contains("state `authorization_endpoint`"), "{words}");
    assert!(idp.heard.lock().unwrap().is_empty());
}
