//! Scenarios with every way to sign in, in; what is read, planned, run and refused of them, out.
//!
//! Where the rows of the catalogue on identity providers are held, by test:
//!
//! | row | what is odd | tests |
//! |---|---|---|
//! | T01 | no token in the answer | `issuers::a_provider_that_gives_no_token_costs_its_persona_and_nobody_else`, `token::endpoint` |
//! | T02 | `expires_in`, `token_type` | `issuers::an_odd_lifetime_or_token_type_is_taken_and_renews_nothing`, `token::endpoint`, `token::lifetime` |
//! | T03 | an opaque token | `issuers::a_token_that_cannot_be_read_serves_whoever_declares_nothing_and_stops_the_others` |
//! | T04 | another account, client, tenant | `issuers::each_difference_stops_its_persona_with_its_own_code_and_no_call`, `token::preflight` |
//! | T05 | roles missing, extra; directory roles | the same; `faults` with `stale-roles`, `admin-in-reader-group` |
//! | T06 | another audience or issuer | the same; `faults` with `one-issuer`, `v2-audience` |
//! | T07 | a provider that is not to be trusted | `issuers::a_provider_that_is_not_to_be_trusted_is_posted_no_secret`, `token::tests` |
//! | T08 | odd keys | `issuers::odd_keys_verify_nothing_and_hold_nobody`, `token::signature` |
//! | T09 | clocks | `issuers::clocks_that_differ_are_told_and_leave_the_personas_unproven`, `token::preflight` |
//! | T10 | a token that runs out | all of `renewal`, `token::lifetime` |
//! | T11 | a busy provider; a person is needed | `who_needs_a_person_or_a_consent_is_unavailable_and_the_others_run_on`, `token::trial` |
//! | T12 | an error that repeats secrets | `canary::no_secret_comes_back_from_a_provider_that_repeats_everything`, `token::trial` |
//! | T13 | a token from before | `issuers::a_token_from_before_the_run_is_noted_and_used` |
//! | T14 | malformed tokens | with T03; `token::claims`, `token::header` |
//! | K01 | secrets in every slot | all of `canary` |
//! | K03 | errors of libraries | with T12; `token::trial::no_method_lets_an_error_show_a_secret` |
//! | K05 | nothing in a plan | `canary::no_secret_reaches_the_claims_the_plan_or_a_refused_sign_in` |
//! | K06 | secrets inline | `scenarios` with `bad/` |
//! | K07 | programs | `a_header_that_a_program_prints_is_fetched_once_and_goes_with_every_call`, `token::trial` |
//! | K10 | what is shown of a token | `token`, `token::claims` |

use std::fs;

use rolecall::scenario::{Missing, Scenario, Sources};

use crate::bench::{Bench, Ran, deployment, findings};
use crate::provider::{Asked, Provider, answer};

/// Every method once, at a deployment that is not there.
const EVERY: &str = r#"
rolecall: 1
name: Every way
deployment: { rest: http://127.0.0.1:9 }
identity:
  entra: { tenant: contoso, resource: "api://catalog", cloud: china }
personas:
  nobody: { sign_in: none }
  secret: { sign_in: { client_credentials: { client_id: a, client_secret: { command: [touch, ran] } } } }
  certificate: { sign_in: { client_credentials: { client_id: a, certificate: { key: { env: KEY }, certificate: { env: KEY }, algorithm: RS256, key_id: k } } } }
  github: { sign_in: { client_credentials: { client_id: a, assertion: { github: {} } } } }
  pipelines: { sign_in: { client_credentials: { client_id: a, assertion: { azure_pipelines: { service_connection: c } } } } }
  workload: { sign_in: { client_credentials: { client_id: a, assertion: { file: workload.jwt } } } }
  user: { sign_in: { password: { client_id: a, username: u, password: { env: KEY }, endpoint: v1 } } }
  device: { sign_in: { device_code: { client_id: a, scope: read } } }
  browser: { sign_in: { authorization_code: { client_id: a, redirect: "http://localhost:0/back", prompt: none } } }
  refresh: { sign_in: { refresh_token: { client_id: a, token: { env: KEY }, write_back: { file: next } } } }
  behalf: { sign_in: { on_behalf_of: { client_id: a, client_secret: { env: KEY }, of: exchange } } }
  exchange: { sign_in: { token_exchange: { client_id: a, of: user, audience: x, resource: "https://x.example" } } }
  machine: { sign_in: { managed_identity: {} } }
  app: { sign_in: { managed_identity: { client_id: a } } }
  az: { sign_in: { azure_cli: {} } }
  borrowed: { sign_in: { token: { command: [touch, ran] } } }
operations:
  list: { allow: [secret], rest: GET /items }
"#;

const AMBIENT: [(&str, &str); 5] = [
    ("KEY", "k3y-canary"),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/github"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "g1thub-canary"),
    ("SYSTEM_OIDCREQUESTURI", "http://127.0.0.1:9/pipelines"),
    ("SYSTEM_ACCESSTOKEN", "p1pelines-canary"),
];

fn sources(missing: Missing) -> Sources {
    let variables = AMBIENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Sources {
        variables: variables.into(),
        missing,
        today: "2026-06-01".parse().unwrap(),
        read_file: |_| Ok("w0rkload-canary\n".to_owned()),
    }
}

#[test]
fn every_way_to_sign_in_is_read() {
    for missing in [Missing::Refused, Missing::Kept] {
        let scenario = Scenario::read("x.yaml", EVERY, &sources(missing)).unwrap();
        let names: Vec<&str> = scenario
            .personas
            .iter()
            .map(|persona| persona.sign_in.name())
            .collect();
        let credentials = ["client_credentials"; 5];
        let others = [
            "password",
            "device_code",
            "authorization_code",
            "refresh_token",
            "on_behalf_of",
            "token_exchange",
            "managed_identity",
            "managed_identity",
            "azure_cli",
            "token",
        ];
        assert_eq!(names[0], "none");
        assert_eq!(names[1..6], credentials);
        assert_eq!(names[6..], others);
        assert_eq!(scenario.personas[10].sign_in.subject(), Some(11));
        assert!(!format!("{:?}", scenario.personas).contains("canary"));
        let known: Vec<&str> = scenario
            .secrets
            .iter()
            .map(rolecall::secret::Secret::expose)
            .collect();
        for secret in [
            "k3y-canary",
            "g1thub-canary",
            "p1pelines-canary",
            "w0rkload-canary",
        ] {
            assert!(known.contains(&secret), "{secret}");
        }
    }
}

fn ran(bench: &Bench, arguments: &[&str], scenario: &str) -> (Ran, bool) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rolecall.yaml"), scenario).unwrap();
    fs::write(folder.path().join("workload.jwt"), "w0rkload-canary").unwrap();
    let output = bench.command(folder.path(), arguments).output().unwrap();
    let touched = folder.path().join("ran").exists();
    (Ran::of(output, folder), touched)
}

fn bench() -> Bench {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let bench = Bench::new().with("PATH", path.to_str().unwrap());
    AMBIENT
        .iter()
        .fold(bench, |bench, (name, value)| bench.with(name, value))
}

#[test]
fn a_plan_names_what_would_be_asked_and_runs_no_program() {
    let (ran, touched) = ran(&bench(), &["plan", "rolecall.yaml"], EVERY);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(!touched);
    for line in [
        "POST https://login.partner.microsoftonline.cn/contoso/oauth2/v2.0/token",
        "GET a token from GitHub Actions",
        "wait until a person enters a code",
        "GET http://169.254.169.254/metadata/identity/oauth2/token",
        "run az account get-access-token",
        "run touch",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("canary"));
}

/// One operation, and a persona that signs in so at a provider that is not there.
fn at_nobody(sign_in: &str) -> String {
    format!(
        "rolecall: 1\nname: One\ndeployment: {{ rest: http://127.0.0.1:9 }}\n\
         identity: {{ oidc: {{ issuer: http://127.0.0.1:9 }} }}\n\
         personas: {{ one: {{ sign_in: {{ {sign_in} }} }} }}\n\
         operations: {{ list: {{ allow: [one], rest: GET /items }} }}\n"
    )
}

#[test]
fn whoever_needs_a_person_is_refused_where_none_is() {
    for method in [
        "device_code: { client_id: a }",
        "authorization_code: { client_id: a, redirect: 'http://localhost:0/' }",
    ] {
        let scenario = at_nobody(method);
        for (arguments, bench, why) in [
            (&["token", "one"][..], bench(), "there is no terminal"),
            (&["token", "--no-input", "one"], bench(), "--no-input says"),
            (
                &["token", "one"],
                bench().with("ROLECALL_NO_INPUT", "true"),
                "--no-input says",
            ),
        ] {
            let (ran, _) = ran(&bench, arguments, &scenario);
            assert_eq!(ran.exit, 3, "{}", ran.stderr);
            assert!(ran.stderr.contains(why), "{}", ran.stderr);
        }
        let (ran, _) = ran(&bench(), &["run", "--no-input", "rolecall.yaml"], &scenario);
        assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("needs a person"), "{}", ran.stdout);
    }
}

#[test]
fn a_program_that_fails_leaves_its_persona_without_a_token() {
    let scenario =
        at_nobody("token: { command: [sh, -c, 'echo c0mmand-canary >&2; touch ran; exit 4'] }");
    let (ran, touched) = ran(&bench(), &["token", "one"], &scenario);
    assert_eq!(ran.exit, 3, "{}", ran.stderr);
    assert!(touched);
    assert!(
        ran.stderr.contains("`sh` ended with exit code 4"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
}

/// The ways to sign in that need no person, at the reference deployment.
const REFERENCE: &str = r#"
rolecall: 1
name: Every way that needs no person
deployment: { rest: "${CATALOG_REST_URL}" }
identity:
  entra: { tenant: "${ENTRA_TENANT_ID}", resource: "api://${API_APP_ID}", authority: "${ENTRA_AUTHORITY}" }
personas:
  certificate: { sign_in: { client_credentials: { client_id: "${CERTIFICATE_ID}", certificate: { key: { file: "${CERTIFICATE_KEY_FILE}" }, certificate: { file: "${CERTIFICATE_FILE}" } } } } }
  older: { sign_in: { client_credentials: { client_id: "${CERTIFICATE_ID}", certificate: { key: { command: [cat, "${CERTIFICATE_KEY_FILE}"] }, certificate: { file: "${CERTIFICATE_FILE}" }, algorithm: RS256 } } } }
  github: { sign_in: { client_credentials: { client_id: "${WORKLOAD_ID}", assertion: { github: {} } } } }
  pipelines: { sign_in: { client_credentials: { client_id: "${WORKLOAD_ID}", assertion: { azure_pipelines: { service_connection: c } } } } }
  user: { roles: [Products.Read], sign_in: { password: { client_id: "${CLIENT_APP_ID}", username: "${READER_USER}", password: { env: READER_PASSWORD } } } }
  refreshed: { roles: [Products.Read], sign_in: { refresh_token: { client_id: "${CLIENT_APP_ID}", token: { env: READER_REFRESH_TOKEN }, write_back: { file: next } } } }
  subject:
    identity: { entra: { tenant: "${ENTRA_TENANT_ID}", resource: "${MIDDLE_RESOURCE}", authority: "${ENTRA_AUTHORITY}" } }
    sign_in: { password: { client_id: "${CLIENT_APP_ID}", username: "${READER_USER}", password: { env: READER_PASSWORD } } }
  behalf: { roles: [Products.Read], sign_in: { on_behalf_of: { client_id: "${MIDDLE_ID}", client_secret: { env: MIDDLE_SECRET }, of: subject } } }
  machine: { sign_in: { managed_identity: { client_id: "${MANAGED_ID}", endpoint: "${ENTRA_AUTHORITY}" } } }
  app: { sign_in: { managed_identity: {} } }
  factor: { sign_in: { password: { client_id: "${CLIENT_APP_ID}", username: "${MFA_USER}", password: { env: MFA_PASSWORD } } } }
  revoked: { sign_in: { refresh_token: { client_id: "${CLIENT_APP_ID}", token: { env: REVOKED_REFRESH_TOKEN } } } }
operations:
  list: { allow: [user], rest: GET /api/products }
"#;

#[test]
fn every_way_that_needs_no_person_leads_to_a_token_of_its_kind() {
    let deployment = deployment(&[]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let bench = Bench::against(&deployment).with("PATH", path.to_str().unwrap());
    for persona in [
        "certificate",
        "older",
        "github",
        "pipelines",
        "user",
        "refreshed",
        "behalf",
        "machine",
        "app",
    ] {
        let (ran, _) = ran(&bench, &["token", persona], REFERENCE);
        assert_eq!(ran.exit, 0, "{persona}: {}{}", ran.stdout, ran.stderr);
    }
    for (persona, why) in [("factor", "AADSTS50076"), ("revoked", "AADSTS50173")] {
        let (ran, _) = ran(&bench, &["token", persona], REFERENCE);
        assert_eq!(ran.exit, 3, "{persona}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(why), "{persona}: {}", ran.stderr);
    }
}

/// T11: multi-factor authentication and consent are a person's to give.
#[test]
fn who_needs_a_person_or_a_consent_is_unavailable_and_the_others_run_on() {
    let scenario = r#"
rolecall: 1
name: Where a person is needed
deployment: { rest: "${CATALOG_REST_URL}" }
identity:
  entra: { tenant: "${ENTRA_TENANT_ID}", resource: "api://${API_APP_ID}", authority: "${ENTRA_AUTHORITY}" }
personas:
  factor: { sign_in: { password: { client_id: "${CLIENT_APP_ID}", username: "${MFA_USER}", password: { env: MFA_PASSWORD } } } }
  unconsented: { sign_in: { password: { client_id: "${UNCONSENTED_ID}", username: "${READER_USER}", password: { env: READER_PASSWORD }, scope: "api://${API_APP_ID}/access_as_user" } } }
  user: { sign_in: { password: { client_id: "${CLIENT_APP_ID}", username: "${READER_USER}", password: { env: READER_PASSWORD } } } }
operations:
  list: { allow: [user, factor, unconsented], rest: GET /api/products }
"#;
    let deployment = deployment(&[]);
    let (ran, _) = ran(
        &Bench::against(&deployment),
        &["run", "rolecall.yaml"],
        scenario,
    );
    assert_eq!(ran.exit, 3, "{}{}", ran.stdout, ran.stderr);
    let expected = vec!["factor/list/rest", "unconsented/list/rest"];
    assert_eq!(findings(&ran.report())["sign-in-failed"], expected);
    assert_eq!(ran.report()["summary"]["pass"], 1);
    for number in ["AADSTS50076", "AADSTS65001"] {
        assert!(ran.stdout.contains(number), "{number}: {}", ran.stdout);
    }
}

/// What the program of a header prints stands in a file, so that no argument holds it.
fn with_key(program: &str) -> String {
    format!(
        r#"
rolecall: 1
name: A key from a program
deployment: {{ rest: {{ url: "${{BASE}}", headers: {{ X-Api-Key: {{ command: {program} }} }} }} }}
personas: {{ anyone: {{ sign_in: none }} }}
operations:
  list: {{ allow: [anyone], rest: GET /items }}
  more: {{ allow: [anyone], rest: {{ request: GET /more, headers: {{ X-Other: {{ command: {program} }} }} }} }}
"#
    )
}

/// K07.
#[test]
fn a_header_that_a_program_prints_is_fetched_once_and_goes_with_every_call() {
    let echoing = |asked: &Asked| answer(500, "content-type: text/plain\r\n", &asked.head);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = || {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), "k3y-canary-of-the-door").unwrap();
        folder
    };
    let run = |provider: &Provider, arguments: &[&str], program: &str| {
        let folder = folder();
        fs::write(folder.path().join("scenario.yaml"), with_key(program)).unwrap();
        let bench = provider.bench().with("PATH", path.to_str().unwrap());
        let mut command = bench.command(folder.path(), arguments);
        let output = command.arg("scenario.yaml").output().unwrap();
        Ran::of(output, folder)
    };
    let once = "[sh, -c, 'echo ran >> runs; cat key']";

    let provider = Provider::new(echoing);
    let good = run(&provider, &["-vvv", "run"], once);
    assert_eq!(good.exit, 1, "{}{}", good.stdout, good.stderr);
    assert_eq!(good.file("runs"), "ran\n");
    let calls = provider.heard(|_| true);
    let has = |asked: &Asked, name: &str| {
        let line = format!("{name}: k3y-canary-of-the-door\r\n");
        asked.head.to_lowercase().contains(&line)
    };
    assert!(calls.iter().all(|asked| has(asked, "x-api-key")));
    assert!(calls.iter().any(|asked| has(asked, "x-other")));
    for (place, bytes) in good.files() {
        let written = String::from_utf8_lossy(&bytes).into_owned();
        let is_its_own = place.ends_with("key");
        assert!(
            is_its_own || !written.contains("canary"),
            "{}",
            place.display()
        );
    }
    assert!(!good.stdout.contains("canary") && !good.stderr.contains("canary"));

    for (program, why) in [
        ("[sh, -c, 'cat key; exit 3']", "`sh` ended with exit code 3"),
        ("[no-such-program-at-all]", "no-such-program-at-all"),
        ("[printf, 'a\\001b']", "characters that no header can carry"),
    ] {
        let provider = Provider::new(echoing);
        for arguments in [&["run"][..], &["doctor"]] {
            let refused = run(&provider, arguments, program);
            assert_eq!(refused.exit, 2, "{}{}", refused.stdout, refused.stderr);
            let said = &refused.stderr;
            assert!(
                said.contains("error: header `X-Api-Key` has no value: "),
                "{said}"
            );
            assert!(said.contains(why) && !said.contains("canary"), "{said}");
        }
        assert!(provider.heard(|_| true).is_empty());
    }

    let planned = run(&Provider::new(echoing), &["plan"], once);
    assert_eq!(planned.exit, 0, "{}", planned.stderr);
    assert!(planned.stdout.contains("run sh"), "{}", planned.stdout);
    assert!(
        !planned
            .files()
            .iter()
            .any(|(place, _)| place.ends_with("runs"))
    );
}

#[test]
fn a_replaced_refresh_token_is_kept_beside_the_scenario() {
    let deployment = deployment(&[]);
    let (ran, _) = ran(
        &Bench::against(&deployment),
        &["token", "refreshed"],
        REFERENCE,
    );
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let kept = ran.file("next");
    assert!(kept.len() > 16);
    assert!(!ran.stdout.contains(&kept) && !ran.stderr.contains(&kept));
}
