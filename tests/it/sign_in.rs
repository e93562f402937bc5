//! Scenarios with every way to sign in, in; what is read, planned, run and refused of them, out.

use std::fs;

use rolecall::scenario::{Missing, Scenario, Sources};

use crate::bench::{Bench, Ran};

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
