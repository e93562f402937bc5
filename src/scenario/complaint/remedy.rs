//! Evidence in, the one sentence that says what to do out.

use super::kind::{Kind, brief, shape};

impl Kind {
    /// The remedy, in one sentence without a full stop.
    #[expect(clippy::too_many_lines, reason = "one sentence a variant")]
    pub fn help(&self) -> String {
        match self {
            Self::Syntax { help, .. } => (*help).into(),
            Self::TooLarge => "write it flatter, or split it into several scenarios".into(),
            Self::UnquotedBraces => "quote the text: \"{{ … }}\", \"${…}\"".into(),
            Self::UnknownKey { near, known, .. } | Self::Unknown { near, known, .. } => suggestion(near.as_deref(), known),
            Self::DuplicateKey { first, .. } => format!("the first is on line {first}; keep one"),
            Self::MissingKey { key, .. } => format!("add `{key}:`"),
            Self::WrongSort { wanted: "text", found: "a number" | "true or false", .. } => "quote it".into(),
            Self::WrongSort { place, .. } if place == "the scenario" => {
                "start with `rolecall: 1` and `name: …`".into()
            }
            Self::WrongSort { wanted, .. } => format!("write {wanted}"),
            Self::EmptyText { .. } => "write something, or leave the key out".into(),
            Self::Empty { .. } => "write at least one".into(),
            Self::Version => "write `rolecall: 1`".into(),
            Self::MalformedVariable => "write `${NAME}` or `${NAME:-default}`; `$${` stands for a literal `${`".into(),
            Self::MissingVariable { name } => format!("set {name} in the environment or with --var, or give it a default: `${{{name}:-…}}`"),
            Self::InlineSecret { .. } => "name where it comes from: { env: NAME }, { file: path } or { command: [program, argument] }".into(),
            Self::StatedSecret { name } => format!("name the variable that holds it: {}: {{ env: NAME }}", brief(name)),
            Self::BadVariable => "write letters, digits and `_`, a digit not first".into(),
            Self::MissingSecret { name } => format!("set {} in the environment or in an --env-file", brief(name)),
            Self::UnreadableSecret { .. } => "paths are relative to the scenario's folder".into(),
            Self::EmptySecret { .. } => "a secret has at least one character".into(),
            Self::BadName { .. } => "a name starts with a letter, goes on with letters, digits, `.`, `_` and `-`, and has at most 64".into(),
            Self::ReservedName { .. } => "`{{ run.id }}` and `{{ tag }}` have other meanings; choose another name".into(),
            Self::Repeated { .. } => "keep one".into(),
            Self::MalformedTemplate(_) => "write a dotted name: `{{ tag }}`, `{{ product.id }}`".into(),
            Self::NoTemplates { .. } => {
                "templates are filled in requests, queries, headers, bodies and arguments".into()
            }
            Self::Dangling { unused: Some(fixture), .. } => format!("add `uses: {fixture}` to the operation"),
            Self::Dangling { near, known, .. } => suggestion(near.as_deref(), known),
            Self::NoShape => "add `rest: METHOD /path`, `mcp: toolName`, or both".into(),
            Self::Undecided { .. } => "add `allow`, with the personas that get through; `allow: []` means nobody".into(),
            Self::NoAddress { door } => format!("add `{}: https://…` to `deployment`, or leave this out", shape(*door)),
            Self::NoSuchDoor { .. } => "leave this out, or add the shape".into(),
            Self::LeftOut { is_route: true } => "write it as the document has it, such as `GET /health`; `*` at its end stands for any text".into(),
            Self::LeftOut { is_route: false } => "write the tool's name; `*` at its end stands for any text".into(),
            Self::NoDeployment => "add `rest: https://…`, `mcp: https://…`, or both".into(),
            Self::Providers { .. } => "name exactly one of `entra`, `oidc` and `endpoints`".into(),
            Self::SignIns { .. } => "name exactly one method, such as `client_credentials`, or write `none`; docs/sign-in.md lists them".into(),
            Self::NoIdentity { .. } => "add `identity` to the scenario or to this persona".into(),
            Self::Anonymous { key } => format!("leave `{key}` out, or let the persona sign in"),
            Self::RoleIgnored { .. } => "take it out of `ignore_roles`, or out of `roles`".into(),
            Self::EndpointWithoutEntra => "leave `endpoint` out".into(),
            Self::MethodWithoutEntra { .. } => "choose another method, or give the persona an `entra` identity".into(),
            Self::Proofs { .. } => "keep one of `client_secret`, `certificate` and `assertion`".into(),
            Self::SecretArgument => "let the program read it from its environment".into(),
            Self::Redirect => "write http://localhost:PORT/path as it is registered; port 0 takes any (RFC 8252 §7.3)".into(),
            Self::ClientTwice { .. } => "keep one of them: the key here, or `clients`".into(),
            Self::NoClient { .. } => "leave `clients` out, or choose another method".into(),
            Self::ClientPublic { .. } => "give it `client_secret`, `certificate` or `assertion`, or choose another method".into(),
            Self::ClientUnused => "name it in a persona's `clients`, give it `redirects`, or take it out".into(),
            Self::RedirectUri(_) => "write it as it is registered, such as https://app.example.com/callback (RFC 6749 §3.1.2); port 0 on this machine stands for any".into(),
            Self::RedirectsNowhere => "add `identity` to the scenario, or let a persona sign in by this client".into(),
            Self::SubjectAnonymous { .. } => "name a persona that signs in".into(),
            Self::SubjectCircle { .. } => "let one of them sign in by itself".into(),
            Self::MissingAmbient { needs, .. } => (*needs).into(),
            Self::CloudAndAuthority => "keep one of them".into(),
            Self::MutatesUnstated => "add `mutates: true` or `mutates: false`".into(),
            Self::ChangesForeign => "add `uses: FIXTURE` and name it in each shape, or `creates: FIXTURE`".into(),
            Self::ShapeWithoutFixture { fixture, .. } => format!("name the fixture in it, such as `{{{{ {fixture} }}}}`"),
            Self::CreatesReadOnly => "leave `creates` out, or say `mutates: true`".into(),
            Self::CreatesUntagged { .. } => {
                "put `{{ tag }}` into it, which the fixture's `find` looks for".into()
            }
            Self::OwnerAnonymous { .. } => "name a persona that signs in and may create it".into(),
            Self::Duration => "write a number with its unit, such as 5s or 2m".into(),
            Self::SettlesNothing => "leave `settle` out, or state it where something is written and read back: a mutating operation, a fixture with `read` or `find`".into(),
            Self::RemovesForeign { .. } => "name a capture of the fixture, or `{{ tag }}`, in each of its shapes".into(),
            Self::FindsForeign => "look for `{{ tag }}` in each of its shapes".into(),
            Self::FindsTooLittle { capture } => format!("add `{}` to the captures of `find`", brief(capture)),
            Self::DecoyIncomplete { capture } => format!("add `{}: …`, a value that no object can have", brief(capture)),
            Self::DecoyDoubtful => "take an id that no store gives, such as 00000000-0000-0000-0000-000000000000 or -1, or add `read`, so that it is looked for first".into(),
            Self::MutatesElsewhere { .. } => "add `mutates: true` or `mutates: false`".into(),
            Self::DecoyAstray => "write a value of the usual kind that no object can have".into(),
            Self::HostPattern => "write a host name without scheme, port and path, such as `api.example.com` or `\"*.example.com\"`".into(),
            Self::LiteralId { .. } => "name a capture of a fixture, such as `{{ product.id }}`; a version or tenant goes into the deployment's URL, or under its `within`".into(),
            Self::CreatesOver => "put `{{ tag }}` into the path, or create with POST".into(),
            Self::MutatesDenied { .. } => "leave it out (RFC 9110 §9.2.1)".into(),
            Self::CreatesUnmarked { .. } => {
                "put `{{ tag }}` into it, in a field that comes back when the object is read".into()
            }
            Self::Fingerprint(flaw) => flaw.help().into(),
            Self::DenialCode => "write a whole number, such as -32001".into(),
            Self::DenialText => "write at least four characters of what only a denial says".into(),
            Self::McpRequests { .. } => {
                "name exactly one of `tool`, `resource`, `prompt`, `complete`, `list` and `discover`".into()
            }
            Self::ArgumentsAstray { .. } => "leave `arguments` out; only `tool` and `prompt` take them".into(),
            Self::CompletionOf { .. } => "name exactly one of `prompt` and `resource`".into(),
            Self::ResourceUri => {
                "write it with its scheme, such as `products://catalog`; other characters percent-encoded".into()
            }
            Self::Request(_) => "write `METHOD /path`, such as `GET /api/products`; other characters percent-encoded".into(),
            Self::Url(_) => "write an absolute URL, such as `https://api.example.com`".into(),
            Self::Status => "a status is 100 to 599".into(),
            Self::Expectation { near: Some(word) } => format!("did you mean `{word}`?"),
            Self::Expectation { near: None } => "write allow, 401, 403, deny, hidden, or a list of statuses such as [404]".into(),
            Self::RolesClaim => "write `realm`, `resource:CLIENT`, `permissions`, `scp`, `groups` or `cognito`, or a pointer such as `/realm_access/roles` (RFC 6901); a slash within a name is `~1`: `/https:~1~1example.com~1roles`".into(),
            Self::Pointer => "it is empty or starts with `/`, such as `/id` or `/items/0/id` (RFC 6901)".into(),
            Self::HeaderName => "a name is letters, digits and hyphens (RFC 9110 §5.1)".into(),
            Self::HeaderValue => "a value is visible ASCII, spaces and tabs (RFC 9110 §5.5)".into(),
            Self::OwnHeader { why, .. } => (*why).into(),
            Self::OwnParameter { .. } => "leave it out; the sign-in has keys of its own for it".into(),
            Self::NotWaivable { why, .. } => (*why).into(),
            Self::WaiverAstray { .. } => "leave it out; `cells` go with findings about cells, `about` with tools and redirects".into(),
            Self::CellAddress { everything: false } => "write persona/operation/door, such as `reader/deleteProduct/mcp`; `*` stands for any".into(),
            Self::CellAddress { everything: true } => "name a persona, an operation or a door".into(),
            Self::NoSuchCell => "the operation has no shape for this door".into(),
            Self::WaivedTwice { .. } => "keep one".into(),
            Self::Date => "write the last day on which it holds as 2026-12-31".into(),
            Self::WaiverTooLong { latest } => format!("write {latest} or an earlier day, and decide anew then"),
            Self::ControlCharacter { .. } => "leave it out".into(),
        }
    }
}

fn suggestion(near: Option<&str>, known: &str) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none".into(),
        None => format!("known here: {known}"),
    }
}
