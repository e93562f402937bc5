//! The keys of an OAuth client in, the client with its one proof out.

use super::origin;
use super::{Algorithm, Assertion, Certificate, Client, Proof};
use crate::scenario::complaint::Kind;
use crate::scenario::profile::{Profile, Stated};
use crate::scenario::raw::{Node, Value};
use crate::scenario::reader::{Fields, Named, Reader};
use crate::secret::Secret;

/// Whether a method's client must prove itself.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(in crate::scenario) enum Kept {
    /// It has a proof.
    Confidential,
    /// It may have one.
    Either,
}

const PROOFS: [&str; 3] = ["client_secret", "certificate", "assertion"];

/// Reads `client_id` with at most one of `client_secret`, `certificate` and `assertion`; a client of `clients` stands for
/// all of them.
pub(in crate::scenario) fn read(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    kept: Kept,
    profile: Option<&Stated>,
) -> Option<Client> {
    if let Some(stated) = profile {
        return of_profile(reader, fields, kept, &stated.profile);
    }
    let id = fields
        .need(reader, "client_id")
        .and_then(|id| reader.plain(id.node, "`client_id`"));
    let given: Vec<Named<'_>> = PROOFS.iter().filter_map(|key| fields.get(key)).collect();
    let proofs: Vec<Option<Proof>> = given.iter().map(|named| proof(reader, *named)).collect();
    let proof = match (proofs.len(), kept) {
        (0, Kept::Either) => Proof::None,
        (1, _) => proofs.into_iter().next().flatten()?,
        (0, Kept::Confidential) => {
            fields.need(reader, "client_secret");
            return None;
        }
        (count, _) => {
            reader.complain(fields.at, Kind::Proofs { count });
            return None;
        }
    };
    Some(Client { id: id?, proof })
}

fn of_profile(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    kept: Kept,
    profile: &Profile,
) -> Option<Client> {
    let keys = ["client_id"].into_iter().chain(PROOFS);
    let own: Vec<Named<'_>> = keys.filter_map(|key| fields.get(key)).collect();
    for named in &own {
        let key = named.name.to_owned();
        reader.complain(named.at, Kind::ClientTwice { key });
    }
    if kept == Kept::Confidential && matches!(profile.client.proof, Proof::None) {
        let client = profile.name.clone();
        reader.complain(fields.at, Kind::ClientPublic { client });
        return None;
    }
    own.is_empty().then(|| profile.client.clone())
}

fn proof(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Proof> {
    match named.name {
        "client_secret" => origin::read(reader, named).map(Proof::Secret),
        "certificate" => certificate(reader, named).map(Proof::Certificate),
        _ => assertion(reader, named).map(Proof::Assertion),
    }
}

fn certificate(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Certificate> {
    let known = &["key", "certificate", "algorithm", "key_id"];
    let fields = reader.fields(named.at, named.node, "`certificate`", known)?;
    let key = fields
        .need(reader, "key")
        .and_then(|key| origin::read(reader, key));
    let certificate = fields
        .get("certificate")
        .map(|certificate| origin::read(reader, certificate));
    let words = [
        ("RS256", Algorithm::Rs256),
        ("PS256", Algorithm::Ps256),
        ("ES256", Algorithm::Es256),
    ];
    let algorithm = fields
        .get("algorithm")
        .and_then(|word| reader.word(word.node, "algorithm", &words));
    let key_id = fields
        .get("key_id")
        .and_then(|id| reader.plain(id.node, "`key_id`"));
    Some(Certificate {
        key: key?,
        certificate: match certificate {
            Some(read) => Some(read?),
            None => None,
        },
        algorithm,
        key_id,
    })
}

fn assertion(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Assertion> {
    let Some(platform) = platform(named.node) else {
        return origin::read_renewed(reader, named).map(Assertion::Given);
    };
    let fields = reader.fields(named.at, named.node, "`assertion`", ASSERTIONS)?;
    match platform {
        "github" => github_token(reader, fields.get("github")?),
        "azure_pipelines" => pipelines_token(reader, fields.get("azure_pipelines")?),
        _ => None,
    }
}

const ASSERTIONS: &[&str] = &["env", "file", "command", "github", "azure_pipelines"];

/// The one key of a map that holds a map: secrets are named otherwise.
fn platform<'n>(node: &'n Node<'n>) -> Option<&'n str> {
    match &node.value {
        Value::Map(entries) => match entries.as_slice() {
            [entry] if matches!(entry.value.value, Value::Map(_)) => entry.key.as_text(),
            _ => None,
        },
        _ => None,
    }
}

/// The audience that Entra ID asks for when nothing else is agreed on.
const EXCHANGE: &str = "api://AzureADTokenExchange";

const IN_ACTIONS: &str = "run it in a GitHub Actions job with `permissions: { id-token: write }`";
const IN_PIPELINES: &str = "run it in Azure Pipelines, with `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` in the step's `env`";

fn github_token(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Assertion> {
    let fields = reader.fields(named.at, named.node, "`github`", &["audience"])?;
    let audience = match fields.get("audience") {
        Some(audience) => reader.plain(audience.node, "`audience`"),
        None => Some(EXCHANGE.to_owned()),
    };
    let url = reader.ambient(named.at, "ACTIONS_ID_TOKEN_REQUEST_URL", IN_ACTIONS);
    let token = reader.ambient(named.at, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", IN_ACTIONS);
    Some(Assertion::Github {
        url: url?,
        token: learnt(reader, token?),
        audience: audience?,
    })
}

fn pipelines_token(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Assertion> {
    let known = &["service_connection"];
    let fields = reader.fields(named.at, named.node, "`azure_pipelines`", known)?;
    let service_connection = fields
        .need(reader, "service_connection")
        .and_then(|id| reader.plain(id.node, "`service_connection`"));
    let url = reader.ambient(named.at, "SYSTEM_OIDCREQUESTURI", IN_PIPELINES);
    let token = reader.ambient(named.at, "SYSTEM_ACCESSTOKEN", IN_PIPELINES);
    Some(Assertion::AzurePipelines {
        url: url?,
        token: learnt(reader, token?),
        service_connection: service_connection?,
    })
}

/// A platform's own secret is kept from every output like the author's.
pub(super) fn learnt(reader: &mut Reader<'_>, value: String) -> Secret {
    let secret = Secret::new(value);
    if !secret.is_empty() {
        reader.secrets.push(secret.clone());
    }
    secret
}
