//! What was typed in, what was meant out. The only file that names clap's derive.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cell::Door;
use crate::plan::{NoShard, Only, Shard};
use crate::report::Kind;

/// Calls the roll of a deployment's roles: signs in as every persona, tries every operation at every door,
/// and says which answers differ from the matrix that you wrote down.
#[derive(Debug, Parser)]
#[command(
    name = "rolecall",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) shared: Shared,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[cfg(feature = "reference")]
macro_rules! demo {
    () => {
        "
  rolecall demo                             the whole tool against a deployment of its own
  rolecall demo --fault mcp-no-tool-check   what a hole looks like"
    };
}

#[cfg(not(feature = "reference"))]
macro_rules! demo {
    () => {
        ""
    };
}

const AFTER_HELP: &str = concat!(
    "Start here:",
    demo!(),
    "
  rolecall plan scenario.yaml               every request that a run would send; sends nothing
  rolecall run scenario.yaml                the gate

Exit codes:
  0  every check passed                     4  the selection left nothing to check
  1  at least one check failed              5  objects of the run could not be removed
  2  usage or scenario, nothing was sent    6  a report could not be written
  3  unproven, or incomplete                130, 143  interrupted before anything was judged"
);

/// Flags of every command.
#[derive(Args, Debug)]
pub(super) struct Shared {
    /// More log lines on stderr (-v info, -vv debug, -vvv trace); `RUST_LOG` refines it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// No progress and no hints on stderr
    #[arg(short, long, global = true, env = "ROLECALL_QUIET")]
    pub(super) quiet: bool,
    /// When to use colour; `NO_COLOR` and `CLICOLOR_FORCE` are obeyed
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "ROLECALL_COLOR"
    )]
    pub(super) color: Colour,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[cfg(feature = "reference")]
    /// Start the reference deployment, sign in, run the article's matrix at every door, print the table
    Demo(Box<Demo>),
    /// Run scenarios against their deployments
    Run(Box<Run>),
    /// Print every request that a run would send, and the plan's digest; sends nothing
    Plan(Plan),
    /// Render the record of a run again
    Report(Report),
    /// Remove what a run left behind, also one that was killed: only what shows that it is that run's own
    Cleanup(Cleanup),
    /// Join the records of a plan's shards, and judge them together
    Merge(Merge),
    /// Explain a finding's code or cause: what was seen, why it matters, how to fix it; or a cell of the last run
    Explain(Explain),
    /// Sign in as a persona and print what its token says of itself and how that compares, never the token
    Token(Token),
    /// Examine the way to the deployment step by step: names, TLS, clocks, provider, tokens, doors, one call each
    Doctor(Doctor),
    /// Ask the deployment for every way in, with a token and without: REST, each MCP era and revision, GET, DELETE, HTTP+SSE
    Doors(Doctor),
    /// Compare the operations with what there is: routes of an OpenAPI document, and tools that the doors list
    Coverage(Coverage),
    #[cfg(feature = "reference")]
    /// Serve the reference deployment and print the variables that a run against it needs
    Reference(Reference),
}

#[cfg(feature = "reference")]
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Switch a fault on; repeatable
    #[arg(long = "fault", value_name = "NAME")]
    pub(super) faults: Vec<crate::reference::Fault>,
    /// List the faults, and the findings that each must lead to
    #[arg(long)]
    pub(super) list_faults: bool,
    #[command(flatten)]
    pub(super) selection: Selection,
    #[command(flatten)]
    pub(super) course: Course,
    #[command(flatten)]
    pub(super) pace: Pace,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

#[derive(Args, Debug)]
pub(super) struct Run {
    /// Scenario files
    #[arg(required = true, value_name = "SCENARIO")]
    pub(super) scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) values: Values,
    /// Run each scenario once for each of these environments, such as prod-eu,prod-us
    #[arg(long, value_name = "NAMES", env = "ROLECALL_EACH_ENV", value_delimiter = ',', value_parser = environment, conflicts_with = "environment")]
    pub(super) each_env: Vec<String>,
    #[command(flatten)]
    pub(super) selection: Selection,
    #[command(flatten)]
    pub(super) course: Course,
    #[command(flatten)]
    pub(super) pace: Pace,
    #[command(flatten)]
    pub(super) wire: Wire,
    #[command(flatten)]
    pub(super) people: People,
    #[command(flatten)]
    pub(super) outputs: Outputs,
    /// Save answers that nobody is known for and that proved nothing, without secrets, one file a shape
    #[arg(long, value_name = "DIR", env = "ROLECALL_RECORD_ANSWERS")]
    pub(super) record_answers: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct Plan {
    /// Scenario file
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: PathBuf,
    #[command(flatten)]
    pub(super) values: Values,
    #[command(flatten)]
    pub(super) selection: Selection,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Listing,
}

#[derive(Args, Debug)]
pub(super) struct Report {
    /// Record of a run, such as reports/rolecall.jsonl
    #[arg(value_name = "RECORD")]
    pub(super) record: PathBuf,
    /// What to print on stdout: table, junit, json or markdown
    #[arg(long, value_name = "KIND", default_value = "table")]
    pub(super) format: Kind,
    /// Write a report: table, junit, json or markdown; repeatable
    #[arg(long = "report", value_name = "KIND[=PATH]")]
    pub(super) reports: Vec<ReportTo>,
}

#[derive(Args, Debug)]
pub(super) struct Cleanup {
    /// Record of the run, such as reports/rolecall.jsonl; what becomes of its objects is added to it
    #[arg(value_name = "RECORD")]
    pub(super) record: PathBuf,
    /// Scenario file; without it the one that the record names
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: Option<PathBuf>,
    /// Longest time for one call
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, env = "ROLECALL_TIMEOUT")]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) meant: Meant,
    #[command(flatten)]
    pub(super) values: Values,
    #[command(flatten)]
    pub(super) wire: Wire,
    #[command(flatten)]
    pub(super) people: People,
}

#[derive(Args, Debug)]
pub(super) struct Merge {
    /// Records of shards, such as reports/rolecall-*-of-5.jsonl; also such as were joined before
    #[arg(required = true, value_name = "RECORD")]
    pub(super) records: Vec<PathBuf>,
    /// Where the joined record goes; without it, rolecall.jsonl in the report folder
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    #[command(flatten)]
    pub(super) outputs: Outputs,
}

#[derive(Args, Debug)]
pub(super) struct Explain {
    /// A finding's code, such as leak, a requirement's id, such as C-19, a pattern or an answer of docs/causes.md, `by-hand`, or
    /// a cell of a run's record, such as reader/deleteProduct/mcp
    #[arg(value_name = "WORD")]
    pub(super) code: Option<String>,
    /// The record that a cell is looked up in
    #[arg(long, value_name = "RECORD", default_value = "reports/rolecall.jsonl")]
    pub(super) record: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Token {
    /// The persona's name; left out with --all
    #[arg(value_name = "PERSONA", required_unless_present = "all")]
    pub(super) persona: Option<String>,
    /// Scenario file
    #[arg(
        value_name = "SCENARIO",
        default_value = "rolecall.yaml",
        env = "ROLECALL_SCENARIO"
    )]
    pub(super) scenario: PathBuf,
    /// All personas, side by side
    #[arg(long)]
    pub(super) all: bool,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Listing,
    #[command(flatten)]
    pub(super) values: Values,
    #[command(flatten)]
    pub(super) wire: Wire,
    #[command(flatten)]
    pub(super) people: People,
}

impl Token {
    /// The scenario's file: with --all nothing else is named, so the first name is the file's.
    pub(super) fn scenario(&self) -> PathBuf {
        match (&self.persona, self.all) {
            (Some(first), true) => PathBuf::from(first),
            _ => self.scenario.clone(),
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// Scenario file
    #[arg(
        value_name = "SCENARIO",
        default_value = "rolecall.yaml",
        env = "ROLECALL_SCENARIO"
    )]
    pub(super) scenario: PathBuf,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Listing,
    /// Longest time for one call
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, env = "ROLECALL_TIMEOUT")]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) values: Values,
    #[command(flatten)]
    pub(super) wire: Wire,
    #[command(flatten)]
    pub(super) people: People,
}

#[derive(Args, Debug)]
pub(super) struct Coverage {
    /// Scenario file
    #[arg(
        value_name = "SCENARIO",
        default_value = "rolecall.yaml",
        env = "ROLECALL_SCENARIO"
    )]
    pub(super) scenario: PathBuf,
    /// OpenAPI document (3.x or Swagger 2.0, JSON or YAML) in place of the one that the scenario names
    #[arg(long, value_name = "FILE|URL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) openapi: Option<String>,
    /// Compare with the tools that the MCP doors list: the default where there is one
    #[arg(long, conflicts_with = "no_tools")]
    pub(super) tools: bool,
    /// Sign nobody in and ask for no list of tools
    #[arg(long)]
    pub(super) no_tools: bool,
    /// Percent of all routes and tools that an operation must name
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) at_least: u8,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Sheets,
    /// Longest time for one call
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, env = "ROLECALL_TIMEOUT")]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) values: Values,
    #[command(flatten)]
    pub(super) wire: Wire,
    #[command(flatten)]
    pub(super) people: People,
}

#[cfg(feature = "reference")]
#[derive(Args, Debug)]
pub(super) struct Reference {
    /// Switch a fault on; repeatable
    #[arg(long = "fault", value_name = "NAME")]
    pub(super) faults: Vec<crate::reference::Fault>,
    /// Write the variables to this file, readable by its owner only, instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trust: Trust,
    #[command(flatten)]
    pub(super) wire: Wire,
}

#[cfg(feature = "reference")]
/// Whose tokens the reference deployment's gateway takes besides those of its own provider.
#[derive(Args, Debug)]
pub(super) struct Trust {
    /// Take tokens of this OIDC provider as well; its keys are fetched once, at the start
    #[arg(long = "trust", value_name = "ISSUER", requires = "audiences")]
    pub(super) issuer: Option<String>,
    /// An audience that the API has there; repeatable
    #[arg(long = "trust-audience", value_name = "AUD", requires = "issuer")]
    pub(super) audiences: Vec<String>,
    /// JSON Pointer of the roles in its tokens, a list or a text of words
    #[arg(
        long = "trust-roles",
        value_name = "POINTER",
        default_value = "/roles",
        requires = "issuer"
    )]
    pub(super) roles: String,
}

/// Where the scenario's variables come from, besides the environment.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Values {
    /// A variable of the scenario, for what is no secret; repeatable, wins over the others
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) variables: Vec<(String, String)>,
    /// A file of NAME=VALUE lines; wins over the environment. {env} in it stands for the name after --env
    #[arg(long, value_name = "FILE", env = "ROLECALL_ENV_FILE")]
    pub(super) env_file: Option<PathBuf>,
    /// One of the scenario's environments, whose variables are taken
    #[arg(long = "env", value_name = "NAME", env = "ROLECALL_ENV", value_parser = environment)]
    pub(super) environment: Option<String>,
}

/// What of the scenario is run.
#[derive(Args, Debug, Default)]
pub(super) struct Selection {
    /// Only this door: rest, mcp or mcp-legacy; repeatable
    #[arg(long = "door", value_name = "DOOR")]
    pub(super) doors: Vec<Door>,
    /// Only these cells: persona=NAME,operation=NAME,door=NAME, of which any may be left out, or PERSONA/OPERATION/DOOR;
    /// `*` and `|` in names; repeatable
    #[arg(long, value_name = "CELLS")]
    pub(super) only: Vec<Only>,
    /// Send no mutating call at all
    #[arg(long, env = "ROLECALL_READ_ONLY")]
    pub(super) read_only: bool,
    /// Only this part of the plan, such as 2/5; auto takes it from GitLab, Azure Pipelines, Buildkite or Kubernetes
    #[arg(long, value_name = "I/N", env = "ROLECALL_SHARD")]
    pub(super) shard: Option<WhichShard>,
    #[command(flatten)]
    pub(super) meant: Meant,
}

/// Which part of a plan is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WhichShard {
    /// The one that the machine says that it is.
    Auto,
    This(Shard),
}

impl std::str::FromStr for WhichShard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        if text == "auto" {
            Ok(Self::Auto)
        } else {
            text.parse().map(Self::This)
        }
    }
}

/// Which production hosts may be changed. No variable of the environment says so: whoever means it types it.
#[derive(Args, Debug, Default)]
pub(super) struct Meant {
    /// Let this run change things at a production host, which is named exactly; repeatable
    #[arg(long = "i-mean", value_name = "HOST")]
    pub(super) hosts: Vec<String>,
}

impl Selection {
    /// What of a scenario is to be run, production aside.
    pub(super) fn read(&self) -> crate::plan::Selection {
        crate::plan::Selection {
            doors: self.doors.clone(),
            read_only: self.read_only,
            only: self.only.clone(),
            ..crate::plan::Selection::default()
        }
    }
}

/// How often, and how far.
#[derive(Args, Debug, Default)]
pub(super) struct Course {
    /// Call every cell so many times, round by round, to find answers that flip
    #[arg(long, value_name = "N", default_value_t = 1, env = "ROLECALL_REPEAT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: u32,
    /// Ask a few harmless cells until the deployment answers as demanded, or so long at most, then run once
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "ROLECALL_SETTLE")]
    pub(super) settle: Option<Duration>,
    /// Call no other cell once one has failed; the clean-up still runs
    #[arg(long, env = "ROLECALL_FAIL_FAST", conflicts_with = "max_failures")]
    pub(super) fail_fast: bool,
    /// Call no other cell once so many have failed
    #[arg(long, value_name = "N", env = "ROLECALL_MAX_FAILURES", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_failures: Option<u32>,
}

impl Course {
    /// What of it a run needs.
    pub(super) fn read(&self) -> crate::run::Course {
        let stated = self.max_failures.map(|most| most as usize);
        crate::run::Course {
            rounds: self.repeat,
            settle: self.settle,
            max_failures: if self.fail_fast { Some(1) } else { stated },
        }
    }
}

/// How fast, how patient.
#[derive(Args, Debug)]
pub(super) struct Pace {
    /// Cells called at once; lists and the like are asked beside them, but with 1 nothing is
    #[arg(long, value_name = "N", default_value_t = 16, env = "ROLECALL_JOBS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
    /// Calls a second at most, such as 10/s
    #[arg(long, value_name = "N/s", value_parser = rate, env = "ROLECALL_RATE")]
    pub(super) rate: Option<f64>,
    /// Further attempts after a transport failure or 429, 502, 503, 504
    #[arg(long, value_name = "N", default_value_t = 2, env = "ROLECALL_RETRIES", value_parser = clap::value_parser!(u32).range(0..=10))]
    pub(super) retries: u32,
    /// Longest time until a connection stands
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration, env = "ROLECALL_CONNECT_TIMEOUT")]
    pub(super) connect_timeout: Duration,
    /// Longest time for one call
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, env = "ROLECALL_TIMEOUT")]
    pub(super) timeout: Duration,
    /// Longest time for the whole run, clean-up aside
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration, env = "ROLECALL_RUN_TIMEOUT")]
    pub(super) run_timeout: Duration,
}

impl Pace {
    /// The pace of a command that asks providers and calls no door.
    pub(super) fn for_providers() -> Self {
        Self {
            jobs: 1,
            rate: None,
            retries: 0,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            run_timeout: Duration::from_secs(60),
        }
    }
}

/// Whom to trust.
#[derive(Args, Debug, Default)]
pub(super) struct Wire {
    /// PEM file with a private authority's certificate; repeatable
    #[arg(long, value_name = "FILE", env = "ROLECALL_CACERT")]
    pub(super) cacert: Vec<PathBuf>,
}

/// Whether a person can be asked to sign in.
#[derive(Args, Debug, Default)]
pub(super) struct People {
    /// Ask nobody: personas whose sign-in needs a person cannot sign in
    #[arg(long, env = "ROLECALL_NO_INPUT")]
    pub(super) no_input: bool,
    /// Open pages to sign in on in a browser, besides printing their address
    #[arg(long, env = "ROLECALL_OPEN_BROWSER")]
    pub(super) open_browser: bool,
}

/// What is written and printed.
#[derive(Args, Debug)]
pub(super) struct Outputs {
    /// Write a report: table, junit, json or markdown; repeatable. Without it: junit, json and markdown
    #[arg(
        long = "report",
        value_name = "KIND[=PATH]",
        env = "ROLECALL_REPORT",
        value_delimiter = ','
    )]
    pub(super) reports: Vec<ReportTo>,
    /// Folder of the reports and of the run's record
    #[arg(
        long,
        value_name = "DIR",
        default_value = "reports",
        env = "ROLECALL_REPORT_DIR"
    )]
    pub(super) report_dir: PathBuf,
    /// What to print on stdout: table, junit, json or markdown
    #[arg(
        long,
        value_name = "KIND",
        default_value = "table",
        env = "ROLECALL_FORMAT"
    )]
    pub(super) format: Kind,
}

/// A report and where it goes; without a path, under its usual name in the report folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ReportTo {
    pub(super) kind: Kind,
    pub(super) path: Option<PathBuf>,
}

/// How a comparison with what there is is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Sheets {
    Table,
    Json,
    Markdown,
}

/// How a plan, a token or an examination is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Listing {
    Text,
    Json,
}

impl std::str::FromStr for ReportTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, path) = match text.split_once('=') {
            Some((_, "")) => return Err(format!("`{text}` names no file after the `=`")),
            Some((kind, path)) => (kind, Some(PathBuf::from(path))),
            None => (text, None),
        };
        let kind = kind
            .parse()
            .map_err(|error: crate::report::kind::UnknownKind| error.to_string())?;
        Ok(Self { kind, path })
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("say NAME=VALUE".to_owned()),
    }
}

/// A name that can stand in a file's name.
fn environment(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(
            "a name starts with a letter, and goes on with letters, digits, `.`, `_` and `-`"
                .to_owned(),
        )
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.trim().parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("say how many calls a second, such as 10/s".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_rate_is_calls_a_second() {
        assert_eq!(rate("10/s"), Ok(10.0));
        assert_eq!(rate("0.5"), Ok(0.5));
        for nonsense in ["0/s", "-1", "fast", "inf", "NaN", ""] {
            assert!(rate(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_report_goes_to_its_usual_place_or_where_it_is_sent() {
        assert_eq!(
            "junit".parse(),
            Ok(ReportTo {
                kind: Kind::Junit,
                path: None
            })
        );
        assert_eq!(
            "json=out.json".parse(),
            Ok(ReportTo {
                kind: Kind::Json,
                path: Some("out.json".into())
            })
        );
        assert!("junit=".parse::<ReportTo>().is_err());
        assert!("junti".parse::<ReportTo>().is_err());
    }
}
