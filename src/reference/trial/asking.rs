//! Users whom a page asks for their consent in, what their answer is worth from then on out.

use super::pages::{LOOPBACK, VERIFIER, brought, fields, redeem, request, show, sign_in, submit};
use super::{Bench, Got};

/// The page that asks a user whether a client to which nobody consented may act for them.
fn asked(bench: &Bench, user: &str) -> Got {
    let page = show(bench, &request(bench, "UNCONSENTED", LOOPBACK));
    let page = sign_in(bench, &page, user);
    assert!(page.text.contains("Permissions requested"), "{}", page.text);
    page
}

#[test]
fn a_user_agrees_once_and_for_nobody_else() {
    let bench = Bench::start(&[]);
    let silent = |user| bench.password("UNCONSENTED", user, &bench.scope()).token();
    let page = asked(&bench, "READER");
    for shown in [
        "/access_as_user",
        bench.at("READER_USER"),
        bench.at("UNCONSENTED_ID"),
    ] {
        assert!(page.text.contains(shown), "{shown}\n{}", page.text);
    }
    assert_eq!(silent("READER"), Err(65001));
    let code = brought(&submit(&bench, &page, &[("answer", "continue")]))["code"].clone();
    let proof = [("code_verifier", VERIFIER)];
    let token = redeem(&bench, "UNCONSENTED_ID", LOOPBACK, &code, &proof).token();
    assert_eq!(token.unwrap()["scp"], "access_as_user");
    assert!(silent("READER").is_ok());
    assert_eq!(silent("WRITER"), Err(65001));
    let again = show(&bench, &request(&bench, "UNCONSENTED", LOOPBACK));
    assert!(brought(&sign_in(&bench, &again, "READER")).contains_key("code"));
}

#[test]
fn a_user_who_declines_sends_the_client_away() {
    let bench = Bench::start(&[]);
    let page = asked(&bench, "READER");
    let back = brought(&submit(&bench, &page, &[("answer", "cancel")]));
    assert_eq!(back["error"], "access_denied");
    assert!(back["error_description"].starts_with("AADSTS65004"));
    let silent = bench.password("UNCONSENTED", "READER", &bench.scope());
    assert_eq!(silent.token(), Err(65001));
}

#[test]
fn an_answer_counts_once_and_only_for_what_was_asked() {
    let bench = Bench::start(&[]);
    let page = asked(&bench, "READER");
    let ticket = fields(&page)
        .into_iter()
        .find(|(name, _)| name == "ticket")
        .unwrap()
        .1;
    let other = show(&bench, &request(&bench, "CLIENT_APP", LOOPBACK));
    let stolen = submit(&bench, &other, &[("ticket", &ticket)]);
    assert!(stolen.text.contains("AADSTS50058"), "{}", stolen.text);
    let page = asked(&bench, "READER");
    assert!(brought(&submit(&bench, &page, &[("answer", "continue")])).contains_key("code"));
    let twice = submit(&bench, &page, &[("answer", "continue")]);
    assert!(twice.text.contains("AADSTS50058"), "{}", twice.text);
}

#[test]
fn some_permissions_are_an_administrator_s_to_give() {
    let bench = Bench::start(&[]);
    let mut request = request(&bench, "UNCONSENTED", LOOPBACK);
    let scope = format!("api://{}/Products.Admin.Delegated", bench.at("API_APP_ID"));
    request.insert("scope", scope);
    let page = sign_in(&bench, &show(&bench, &request), "ADMIN");
    assert!(page.text.contains("AADSTS90094"), "{}", page.text);
}

#[test]
fn a_client_can_insist_on_being_asked_for() {
    let bench = Bench::start(&[]);
    let mut request = request(&bench, "CLIENT_APP", LOOPBACK);
    request.insert("prompt", "consent".to_owned());
    let page = sign_in(&bench, &show(&bench, &request), "READER");
    assert!(page.text.contains("Permissions requested"), "{}", page.text);
    assert!(brought(&submit(&bench, &page, &[("answer", "continue")])).contains_key("code"));
}
